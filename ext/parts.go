package ext

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// cleanupTime bounds what has to happen after the caller's context has ended.
const cleanupTime = 5 * time.Second

// inParts runs what does not fit into one call of driver.Do: pull, which may run code of users, makes the next part ready and
// reports whether another follows; run runs it on the connection. A single part is one call. Several are one transaction,
// the handle's or one of their own, on one connection that is reserved until the end. The sum of what run returns is the
// result. On a mock the first part is the only one.
func inParts(ctx context.Context, q Querier, operation, statement string, pull func() (more bool, err error), run func(context.Context, *driver.Conn) (int64, error)) (int64, error) {
	more, err := pull()
	if err != nil {
		return 0, err
	}
	if !more {
		return driver.Do(ctx, q, statement, run)
	}
	if from, ok := q.(pool); ok {
		if err := nilhandle.Check(q); err != nil {
			return 0, err
		}
		conn, err := from.Conn(ctx)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		q = conn
	}
	p := parts{q: q, operation: operation, statement: statement, run: run}
	defer p.abort(ctx)
	for {
		n, err := p.part(ctx, !more)
		if err != nil || !p.ran {
			return n, err
		}
		p.total += n
		if !more {
			return p.total, nil
		}
		if more, err = pull(); err != nil {
			return 0, err
		}
	}
}

// parts is a run of several calls of driver.Do.
type parts struct {
	q                    Querier
	operation, statement string
	run                  func(context.Context, *driver.Conn) (int64, error)
	held                 *driver.Reservation // until the end
	own                  bool                // the transaction is this run's own
	ran                  bool                // driver.Do has reached a connection
	total                int64
}

// part runs a part. The first one begins, the last one ends.
func (p *parts) part(ctx context.Context, last bool) (int64, error) {
	if p.held != nil {
		ctx = p.held.Context(ctx)
	}
	return driver.Do(ctx, p.q, p.statement, func(ctx context.Context, c *driver.Conn) (n int64, err error) {
		p.ran = true
		if p.held == nil {
			if ctx, err = p.begin(ctx, c); err != nil {
				return 0, err
			}
		}
		if n, err = p.run(ctx, c); err != nil {
			return 0, err
		}
		if !last {
			return n, nil
		}
		if p.own {
			p.own = false
			if err := commit(ctx, c); err != nil {
				return 0, err
			}
		}
		p.held.Release()
		p.held = nil
		return n, nil
	})
}

func commit(ctx context.Context, c *driver.Conn) error {
	_, err := c.ExecContext(ctx, "commit", nil)
	if err != nil && c.IsClosed() {
		return fmt.Errorf("%w: %w", driver.ErrCommitUnknown, err)
	}
	return err
}

func (p *parts) begin(ctx context.Context, c *driver.Conn) (context.Context, error) {
	held, err := c.Reserve(p.operation)
	if err != nil {
		return ctx, err
	}
	p.held = held
	ctx = held.Context(ctx)
	if c.TxStatus() == 'I' {
		if _, err := c.ExecContext(ctx, "begin", nil); err != nil {
			return ctx, err
		}
		p.own = true
	}
	return ctx, nil
}

// abort rolls back what was not committed and frees the connection, whatever became of the context. Where that fails, the
// connection is lost, and the server does it.
func (p *parts) abort(ctx context.Context) {
	if p.held == nil {
		return
	}
	p.held.End(ctx, p.q, p.statement, func(ctx context.Context, c *driver.Conn) error {
		if !p.own {
			return nil
		}
		_, err := c.ExecContext(ctx, "rollback", nil)
		return err
	})
}
