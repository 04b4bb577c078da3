package ext

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// SessionOptions are the options of [WithSession]. The zero value is a session in which each statement commits by itself.
type SessionOptions struct {
	// ManualCommit makes the session as psycopg's are by default: the first statement begins a transaction (BEGIN travels
	// with it), and [CommitSession] and [RollbackSession] end it.
	ManualCommit bool

	// Isolation, ReadOnly and Deferrable are those of all transactions of the session, and without ManualCommit of its single
	// statements too. What is not set is the server's default.
	Isolation  sql.IsolationLevel
	ReadOnly   *bool
	Deferrable *bool
}

// ErrNestedSession is the error of [WithSession] inside another session of the same pool, as its context tells.
var ErrNestedSession = errors.New("ext: sessions of a pool do not nest: use the session's connection")

// sessionKey is the context key of the session of a pool.
type sessionKey struct{ db *sql.DB }

// connKey is the context key of the session of a connection.
type connKey struct{ conn *sql.Conn }

// session is one connection for a while.
type session struct {
	conn  *sql.Conn
	saved map[string]string // settings that were changed, with their values before
	dirty bool              // it must not go back to the pool
}

// WithSession runs fn with one connection of db for all that it does. Inside fn, ctx tells of the session: another one of
// the same pool is [ErrNestedSession]; a goroutine that has a session of its own starts from a context outside.
//
// A transaction that is open when fn returns nil is committed, with the errors of [InTx]; when fn returns an error, panics,
// or ctx has ended, it is rolled back. The connection goes back to the pool without any trace of the options; where that
// cannot be had, it is closed. conn must not be used after fn has returned.
func WithSession(ctx context.Context, db *sql.DB, opts SessionOptions, fn func(ctx context.Context, conn *sql.Conn) error) (err error) {
	key := sessionKey{db}
	if ctx.Value(key) != nil {
		return ErrNestedSession
	}
	if err := nilhandle.Check(db); err != nil {
		return fmt.Errorf("ext: session: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("ext: session: %w", err)
	}
	s := &session{conn: conn}
	inner, cancel := context.WithCancel(context.WithValue(context.WithValue(ctx, key, s), connKey{conn}, s))
	defer s.close(ctx, cancel)
	if opts != (SessionOptions{}) {
		if err := s.set(ctx, opts); err != nil {
			s.end(ctx, false)
			return fmt.Errorf("ext: session: %w", err)
		}
	}
	returned := false
	defer func() {
		if !returned {
			s.end(ctx, false)
		}
	}()
	result := fn(inner, conn)
	returned = true
	return s.finish(ctx, result)
}

// finish ends the transaction that is open, if one is.
func (s *session) finish(ctx context.Context, result error) error {
	interrupted := ctx.Err() != nil
	failed := s.end(ctx, result == nil && !interrupted)
	if failed != nil {
		failed = fmt.Errorf("ext: session: %w", failed)
	}
	err := both(result, failed)
	if interrupted {
		err = alongside(ctx, err)
	}
	return err
}

// end ends the open transaction and manual commit, whatever became of the context.
func (s *session) end(ctx context.Context, commit bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	statement := "rollback"
	if commit {
		statement = "commit"
	}
	s.dirty = true
	_, err := driver.Do(ctx, s.conn, statement, func(ctx context.Context, c *driver.Conn) (int64, error) {
		var err error
		if commit {
			err = c.Commit(ctx)
		}
		err = both(err, c.Rollback(ctx)) // of what was not committed; usually nothing
		s.dirty = c.SetManualCommit(nil) != nil
		return 0, err
	})
	if err == nil {
		s.dirty = false // on a mock too
	}
	return err
}

// close gives the connection back, without the session's settings; where it cannot be had so, it is closed.
func (s *session) close(ctx context.Context, cancel context.CancelFunc) {
	cancel() // ends what was left open with fn's context: rows, or a *sql.Tx, for which Close would wait
	if !s.dirty && len(s.saved) > 0 {
		s.dirty = s.restore(ctx) != nil
	}
	if s.dirty {
		s.conn.Raw(func(any) error { return sqldriver.ErrBadConn })
	}
	s.conn.Close()
}

// CommitSession commits the open transaction of a connection in manual commit, with the errors of [InTx]; without one it
// does nothing.
func CommitSession(ctx context.Context, conn *sql.Conn) error {
	if err := commitConn(ctx, conn); err != nil {
		return fmt.Errorf("ext: commit session: %w", err)
	}
	return nil
}

// RollbackSession rolls back the open transaction of a connection in manual commit; without one it does nothing.
func RollbackSession(ctx context.Context, conn *sql.Conn) error {
	if err := rollbackConn(ctx, conn); err != nil {
		return fmt.Errorf("ext: rollback session: %w", err)
	}
	return nil
}

func commitConn(ctx context.Context, conn *sql.Conn) error {
	_, err := driver.Do(ctx, conn, "commit", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Commit(ctx)
	})
	return err
}

func rollbackConn(ctx context.Context, conn *sql.Conn) error {
	_, err := driver.Do(ctx, conn, "rollback", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Rollback(ctx)
	})
	return err
}
