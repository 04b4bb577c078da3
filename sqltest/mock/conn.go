package mock

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"

	"github.com/pycopg/pycopg/driver"
)

// connector makes the connections of a mocked handle.
type connector struct {
	mock *Mock
	real *driver.Connector
}

var _ sqldriver.Connector = (*connector)(nil)

// Connect implements [sqldriver.Connector].
func (c *connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	inner, err := c.real.Connect(ctx)
	if err != nil {
		return nil, err
	}
	real := inner.(*driver.Conn)
	return &conn{Conn: real, mock: c.mock, session: c.mock.session(real.Info().BackendPID)}, nil
}

// Driver implements [sqldriver.Connector].
func (c *connector) Driver() sqldriver.Driver { return c.real.Driver() }

// Close is called when the handle is closed.
func (c *connector) Close() error {
	c.real.Close()
	c.mock.mu.Lock()
	expected := c.mock.mu.closes
	c.mock.mu.Unlock()
	if !expected {
		return nil
	}
	e, err := c.mock.take(call{kind: kindClose})
	if err != nil {
		return err
	}
	return e.err
}

// conn is a real connection of the driver to the fake server, which is told the answer of a statement before it is asked.
// It has all methods of a *driver.Conn.
type conn struct {
	*driver.Conn
	mock    *Mock
	session *session
}

var (
	_ sqldriver.Pinger             = (*conn)(nil)
	_ sqldriver.ConnPrepareContext = (*conn)(nil)
	_ sqldriver.ConnBeginTx        = (*conn)(nil)
	_ sqldriver.ExecerContext      = (*conn)(nil)
	_ sqldriver.QueryerContext     = (*conn)(nil)
	_ sqldriver.NamedValueChecker  = (*conn)(nil)
	_ sqldriver.SessionResetter    = (*conn)(nil)
	_ sqldriver.Validator          = (*conn)(nil)
)

// ExecContext implements [sqldriver.ExecerContext].
func (c *conn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	if len(args) == 1 && driver.IsCommand(args[0].Value) {
		if e := c.mock.tryTake(call{kind: kindCommand, sql: query}); e != nil {
			return c.asWhole(ctx, e)
		}
		return c.Conn.ExecContext(ctx, query, args)
	}
	return staged(ctx, c, call{kind: kindExec, sql: query, named: args}, func() (sqldriver.Result, error) {
		return c.Conn.ExecContext(ctx, query, args)
	})
}

// QueryContext implements [sqldriver.QueryerContext].
func (c *conn) QueryContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	return staged(ctx, c, call{kind: kindQuery, sql: query, named: args}, func() (sqldriver.Rows, error) {
		return c.Conn.QueryContext(ctx, query, args)
	})
}

// staged runs a statement whose answer the fake server is told first.
func staged[R any](ctx context.Context, c *conn, k call, run func() (R, error)) (r R, err error) {
	if c.refuses(ctx) || isNative(k.sql) {
		return run() // the driver or the server has something to say ahead of any expectation
	}
	k = k.prepared()
	e, err := c.mock.take(k)
	if err != nil {
		return r, err
	}
	return answered(ctx, c, e, k, run)
}

// answered runs what the expectation answers.
func answered[R any](ctx context.Context, c *conn, e *expectation, k call, run func() (R, error)) (r R, err error) {
	if e.fault == BeforeWrite {
		c.session.hangUp()
		return run()
	}
	if e.err != nil && !isServerError(e.err) {
		if err := e.await(ctx, nil); err != nil {
			return r, err
		}
		return r, e.err
	}
	c.Conn.PgConn() // makes the driver forget what the text meant last time: the next expectation may say other columns
	c.session.stage(e, k)
	defer c.session.stage(nil, call{})
	return run()
}

// meet has the server give the answer of a call that is no statement.
func (c *conn) meet(ctx context.Context, e *expectation) error {
	_, err := answered(ctx, c, e, call{}, func() (sqldriver.Result, error) { return c.Conn.ExecContext(ctx, "mock", nil) })
	return err
}

// asWhole is the result of a command of driver.Do that was expected as a whole.
func (c *conn) asWhole(ctx context.Context, e *expectation) (sqldriver.Result, error) {
	if err := c.meet(ctx, e); err != nil {
		return nil, err
	}
	if e.result == nil {
		return sqldriver.RowsAffected(0), nil
	}
	return e.result, nil
}

// refuses reports whether a statement fails before anybody can expect anything of it.
func (c *conn) refuses(ctx context.Context) bool {
	return ctx.Err() != nil || c.IsClosed() || c.Busy() != "" || c.TxStatus() == 'E' || c.session.isGone()
}

// PrepareContext implements [sqldriver.ConnPrepareContext]. A prepared COPY is the driver's; any other statement runs, each
// time, as if it had not been prepared.
func (c *conn) PrepareContext(ctx context.Context, query string) (sqldriver.Stmt, error) {
	if _, ok := driver.ParseCopy(query); ok || c.refuses(ctx) {
		return c.Conn.PrepareContext(ctx, query)
	}
	e, err := c.mock.take(call{kind: kindPrepare, sql: query})
	if err != nil {
		return nil, err
	}
	if err := c.meet(ctx, e); err != nil {
		return nil, err
	}
	return &stmt{conn: c, sql: query}, nil
}

// BeginTx implements [sqldriver.ConnBeginTx].
func (c *conn) BeginTx(ctx context.Context, o sqldriver.TxOptions) (sqldriver.Tx, error) {
	c.loseBefore(kindBegin)
	inner, err := c.Conn.BeginTx(ctx, o)
	if err = c.session.ownError(err); err != nil {
		return nil, err
	}
	return &tx{Tx: inner, conn: c}, nil
}

// Ping implements [sqldriver.Pinger].
func (c *conn) Ping(ctx context.Context) error {
	c.mock.mu.Lock()
	expected := c.mock.mu.pings
	c.mock.mu.Unlock()
	if expected && !c.refuses(ctx) {
		e, err := c.mock.take(call{kind: kindPing})
		if err != nil {
			return err
		}
		return c.meet(ctx, e)
	}
	return c.Conn.Ping(ctx)
}

// tx gives the errors of Commit and Rollback that are not the server's.
type tx struct {
	sqldriver.Tx
	conn *conn
}

// Commit implements [sqldriver.Tx].
func (t *tx) Commit() error {
	t.conn.loseBefore(kindCommit)
	return t.conn.session.ownError(t.Tx.Commit())
}

// Rollback implements [sqldriver.Tx].
func (t *tx) Rollback() error {
	t.conn.loseBefore(kindRollback)
	return t.conn.session.ownError(t.Tx.Rollback())
}

// loseBefore loses the connection where it is expected to be lost ahead of a request that the driver makes.
func (c *conn) loseBefore(k kind) {
	if !c.IsClosed() && c.mock.tryTake(call{kind: k, lost: true}) != nil {
		c.session.hangUp()
	}
}

// stmt is a prepared statement.
type stmt struct {
	conn *conn
	sql  string
}

var (
	_ sqldriver.StmtExecContext   = (*stmt)(nil)
	_ sqldriver.StmtQueryContext  = (*stmt)(nil)
	_ sqldriver.NamedValueChecker = (*stmt)(nil)
)

// Close implements [sqldriver.Stmt].
func (s *stmt) Close() error { return nil }

// NumInput implements [sqldriver.Stmt].
func (s *stmt) NumInput() int { return -1 }

// CheckNamedValue implements [sqldriver.NamedValueChecker].
func (s *stmt) CheckNamedValue(nv *sqldriver.NamedValue) error {
	if driver.IsCommand(nv.Value) {
		return errors.New("mock: driver.Do got a prepared handle; give it the *sql.DB, *sql.Conn or *sql.Tx")
	}
	return s.conn.CheckNamedValue(nv)
}

// ExecContext implements [sqldriver.StmtExecContext].
func (s *stmt) ExecContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	return s.conn.ExecContext(ctx, s.sql, args)
}

// QueryContext implements [sqldriver.StmtQueryContext].
func (s *stmt) QueryContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	return s.conn.QueryContext(ctx, s.sql, args)
}

// Exec implements [sqldriver.Stmt]; database/sql calls ExecContext.
func (s *stmt) Exec([]sqldriver.Value) (sqldriver.Result, error) {
	return nil, errors.New("mock: use ExecContext")
}

// Query implements [sqldriver.Stmt]; database/sql calls QueryContext.
func (s *stmt) Query([]sqldriver.Value) (sqldriver.Rows, error) {
	return nil, errors.New("mock: use QueryContext")
}
