package ext

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// whole is a transaction that a block has begun and ends.
type whole struct {
	tx     *sql.Tx
	ended  func() bool // see interrupted
	cancel context.CancelFunc
}

// begin begins a transaction. ctx counts until it has begun, as database/sql's does; from then on the end of ctx rolls it
// back as database/sql would, but so that the block can wait for it: on a *sql.Conn the next statement must not get in
// between.
func begin(ctx context.Context, q beginner, opts TxOptions) (*whole, error) {
	if err := nilhandle.Check(q); err != nil {
		return nil, fmt.Errorf("ext: begin: %w", err)
	}
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
		return nil, alongside(ctx, fmt.Errorf("ext: begin: %w", err))
	case err != nil:
		cancel()
		return nil, fmt.Errorf("ext: begin: %w", err)
	case !unlinked:
		rollbackNow(ctx, q, tx)
		return nil, alongside(ctx, nil)
	}
	if mode != (driver.TxMode{}) && !taken() {
		if err := setMode(ctx, tx, mode); err != nil {
			tx.Rollback()
			cancel()
			return nil, err
		}
	}
	return &whole{tx: tx, ended: watch(ctx, tx), cancel: cancel}, nil
}

// watch rolls the transaction back when ctx ends. The function that it returns stops that, and reports whether it has
// happened, when it has.
func watch(ctx context.Context, tx *sql.Tx) (ended func() bool) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		tx.Rollback()
	})
	return sync.OnceValue(func() bool {
		if stop() {
			return false
		}
		<-over
		return true
	})
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

// interrupted ends the watch, and reports whether the end of the context has rolled the transaction back.
func (w *whole) interrupted() bool { return w.ended() }

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
