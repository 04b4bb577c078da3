package ext

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// whole is a transaction that a block has begun and ends.
type whole struct {
	tx      *sql.Tx
	ctx     context.Context
	unwatch func() bool   // false: the context has ended
	over    chan struct{} // closed when the transaction was rolled back for that
	cancel  context.CancelFunc
}

// begin begins a transaction. ctx counts until it has begun, as database/sql's does; from then on the end of ctx rolls it
// back as database/sql would, but so that the block can wait for it: on a *sql.Conn the next statement must not get in
// between.
func begin(ctx context.Context, q beginner, opts TxOptions) (*whole, error) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unlink := context.AfterFunc(ctx, cancel)
	mode := driver.TxMode{ReadOnly: opts.ReadOnly, Deferrable: opts.Deferrable}
	modeCtx, taken := driver.WithTxMode(own, mode)
	tx, err := q.BeginTx(modeCtx, &sql.TxOptions{
		Isolation: opts.Isolation,
		ReadOnly:  opts.ReadOnly != nil && *opts.ReadOnly,
	})
	switch unlinked := unlink(); {
	case err != nil && ctx.Err() != nil:
		cancel()
		return nil, alongside(fmt.Errorf("ext: begin: %w", err), ctx)
	case err != nil:
		cancel()
		return nil, fmt.Errorf("ext: begin: %w", err)
	case !unlinked:
		rollbackNow(ctx, q, tx)
		return nil, alongside(nil, ctx)
	}
	w := &whole{tx: tx, ctx: ctx, over: make(chan struct{}), cancel: cancel}
	if mode != (driver.TxMode{}) && !taken() {
		if err := setMode(ctx, tx, mode); err != nil {
			tx.Rollback()
			cancel()
			return nil, err
		}
	}
	w.unwatch = context.AfterFunc(ctx, func() {
		defer close(w.over)
		tx.Rollback()
	})
	return w, nil
}

// rollbackNow rolls back a transaction that the end of its context may be rolling back already, and returns when that is
// done, where q is one connection.
func rollbackNow(ctx context.Context, q beginner, tx *sql.Tx) {
	tx.Rollback()
	conn, ok := q.(*sql.Conn)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	driver.Do(ctx, conn, "rollback", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Rollback(ctx)
	})
}

// setMode says by a statement what another driver, or ours behind a wrapper, did not say with BEGIN.
func setMode(ctx context.Context, tx *sql.Tx, mode driver.TxMode) error {
	clauses, err := mode.Clauses()
	if err == nil {
		_, err = tx.ExecContext(ctx, "set transaction "+clauses)
	}
	if err != nil {
		return fmt.Errorf("ext: begin: %w", err)
	}
	return nil
}

// interrupted waits for the rollback that the end of the context has started.
func (w *whole) interrupted() bool {
	if w.unwatch() {
		return false
	}
	<-w.over
	return true
}

func (w *whole) commit() error {
	defer w.cancel()
	if err := w.tx.Commit(); err != nil {
		return fmt.Errorf("ext: commit: %w", err)
	}
	return nil
}

func (w *whole) rollback() error {
	defer w.cancel()
	return w.tx.Rollback()
}
