package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
)

// tx is a transaction. Commit and Rollback outlive the context that it was begun with.
type tx struct {
	conn   *Conn
	values context.Context // for the tracer and the handlers of notices, else nil: what BeginTx's context held, without its end
}

var _ sqldriver.Tx = tx{}

// BeginTx implements [sqldriver.ConnBeginTx]. [sql.LevelSnapshot] is REPEATABLE READ; WriteCommitted and Linearizable
// are refused. ReadOnly=false leaves the server's default_transaction_read_only as it is (compat=pq: READ WRITE, as
// lib/pq sends). [WithTxMode] asks for more than database/sql can.
func (c *Conn) BeginTx(ctx context.Context, opts sqldriver.TxOptions) (sqldriver.Tx, error) {
	begin, err := c.txMode(ctx, opts).begin(c.cfg.Compat)
	if err != nil {
		return nil, err
	}
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	if err := c.requireIdle("begin another"); err != nil {
		return nil, err
	}
	c.firstErr = nil
	t := tx{conn: c}
	if c.tracer != nil || noticesOf(ctx) != nil {
		t.values = context.WithoutCancel(ctx)
	}
	err = t.traced(ctx, begin, func(ctx context.Context) error {
		switch {
		case c.beginsLazily():
			c.engine.begin = begin
			return nil
		case c.engine.goesFirst(): // the reset of the session
			return c.harmless(c.beginNow(ctx, begin))
		}
		return c.harmless(c.simple(ctx, begin))
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// beginNow begins in the request of what waits for one.
func (c *Conn) beginNow(ctx context.Context, begin string) error {
	c.engine.begin = begin
	err := c.settle(ctx)
	if err != nil {
		c.engine.endTx()
	}
	return err
}

// traced runs a statement of the transaction between the calls of the pgx tracer, where there is one. A BEGIN that waits
// for the first statement counts as done.
func (t tx) traced(ctx context.Context, sql string, run func(context.Context) error) error {
	if t.conn.tracer == nil {
		return run(ctx)
	}
	ctx = t.conn.tracerStart(ctx, sql, nil)
	err := run(ctx)
	tag, _, _ := strings.Cut(strings.ToUpper(sql), " ")
	if err != nil {
		tag = ""
	}
	t.conn.tracerEnd(ctx, tag, err)
	return err
}

// context is what COMMIT and ROLLBACK run under.
func (t tx) context() context.Context {
	if t.values == nil {
		return context.Background()
	}
	return t.values
}

// recently is how lately a connection must have been used for BEGIN to wait for the first statement under begin=auto.
const recently = time.Second

// beginsLazily reports whether BEGIN travels with the first statement. After a longer rest it is sent at once: it finds a
// dead connection while another can still be taken.
func (c *Conn) beginsLazily() bool {
	switch c.cfg.Begin {
	case BeginEager:
		return false
	case BeginLazy:
		return true
	}
	return now()-c.lastUsed < recently
}

// Commit implements [sqldriver.Tx]. A transaction that had failed gives [ErrCommitRolledBack], a lost answer
// [ErrCommitUnknown]. Where a helper still holds the connection the transaction is rolled back: [ErrBusy] and
// ErrCommitRolledBack.
func (t tx) Commit() error {
	return t.traced(t.context(), "commit", t.commit)
}

func (t tx) commit(ctx context.Context) error {
	c := t.conn
	first := c.firstErr
	if failed := c.engine.beginErr; failed != nil {
		c.engine.endTx()
		return rolledBack(failed)
	}
	if c.engine.endTx() {
		return nil
	}
	if err := c.ready(context.Background()); err != nil {
		switch {
		case c.pg.IsClosed():
			return rolledBack(err)
		case c.reserved != nil: // who holds the connection for the transaction cannot go on with it
			return rolledBack(errors.Join(err, t.rollback(ctx)))
		}
		return err
	}
	c.wire.ctx = ctx // it is not watched: a commit is not cancelled
	defer func() { c.wire.ctx = nil }()
	r, err := c.engine.startSimple("commit")
	if err == nil {
		err = r.drain()
	}
	tag := c.engine.result.tag
	var unsent *retryError
	switch {
	case errors.As(err, &unsent):
		return rolledBack(c.finish(context.Background(), err))
	case err != nil && c.pg.IsClosed():
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	case err != nil:
		return c.finish(context.Background(), err)
	case tag == "ROLLBACK":
		c.firstErr = nil
		return rolledBack(first)
	}
	c.firstErr = nil
	c.answered()
	return nil
}

func rolledBack(first error) error {
	if first == nil {
		return ErrCommitRolledBack
	}
	return fmt.Errorf("%w: %w", ErrCommitRolledBack, first)
}

// Rollback implements [sqldriver.Tx]. It takes at most a few seconds, whatever became of the transaction's context,
// and returns nil when the connection is gone: the server has rolled back then. It ends a COPY and a [Reservation]: their
// owner cannot come back through the transaction, which is over for database/sql.
func (t tx) Rollback() error {
	return t.traced(t.context(), "rollback", t.rollback)
}

func (t tx) rollback(ctx context.Context) error {
	c := t.conn
	if c.open != nil {
		c.open.Close()
	}
	if c.copying != nil {
		c.copying.discard(errCopyRolledBack, closeTimeout)
	}
	c.unreserve()
	if c.engine.endTx() {
		c.firstErr = nil
		return nil
	}
	if c.TxStatus() == 'I' { // it was prepared, or ended by SQL text
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := c.ready(ctx); err != nil {
		if c.pg.IsClosed() {
			return nil
		}
		return err
	}
	err := c.simple(ctx, "rollback")
	c.firstErr = nil
	if c.pg.IsClosed() {
		return nil
	}
	return err
}
