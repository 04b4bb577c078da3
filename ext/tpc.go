package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// ErrNotPrepared is the error of committing or rolling back a prepared transaction that the database does not have. After a
// commit or rollback whose answer was lost, it says that the server had done it.
var ErrNotPrepared = errors.New("no such prepared transaction: it was never prepared, has been committed or rolled back, or is another database's or user's")

// TPC is a two-phase transaction before its first phase. It is a [Querier]; its statements run in the transaction, and are
// refused with [sql.ErrTxDone] when it has been prepared, committed or rolled back (as the end of its context does). It is made by [BeginTPC].
type TPC struct {
	conn  *sql.Conn
	tx    *sql.Tx
	whole *whole
	xid   Xid
}

var _ Querier = (*TPC)(nil)

// PreparedTPC is a two-phase transaction behind its first phase: it survives the connection and the server's restart, keeps
// its locks, and is ended by Commit or Rollback, or by [CommitPrepared] or [RollbackPrepared] from anywhere.
type PreparedTPC struct {
	conn *sql.Conn
	xid  Xid
}

// BeginTPC begins a two-phase transaction on conn, which must be outside of a transaction ([ErrInTransaction]). The end of
// ctx rolls it back while it has not been prepared.
func BeginTPC(ctx context.Context, conn *sql.Conn, xid Xid) (*TPC, error) {
	if _, err := xid.sql("prepare transaction"); err != nil {
		return nil, err
	}
	w, err := begin(ctx, conn, TxOptions{})
	if err != nil {
		return nil, fmt.Errorf("ext: two-phase transaction %q: %w", xid, err)
	}
	return &TPC{conn: conn, tx: w.tx, whole: w, xid: xid}, nil
}

// Xid is the transaction's identifier.
func (t *TPC) Xid() Xid { return t.xid }

// ExecContext runs a statement in the transaction.
func (t *TPC) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, query, args...)
}

// QueryContext runs a query in the transaction.
func (t *TPC) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a query for one row in the transaction.
func (t *TPC) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, query, args...)
}

// Commit commits in one phase, without preparing.
func (t *TPC) Commit() error {
	t.whole.interrupted()
	if err := t.whole.commit(); err != nil {
		return fmt.Errorf("ext: two-phase transaction %q: %w", t.xid, err)
	}
	return nil
}

// Rollback rolls back. Where the transaction has been prepared, committed or rolled back, it does nothing and returns
// [sql.ErrTxDone], so it can be deferred.
func (t *TPC) Rollback() error {
	t.whole.interrupted()
	if err := t.whole.rollback(); err != nil {
		return fmt.Errorf("ext: two-phase transaction %q: rollback: %w", t.xid, err)
	}
	return nil
}

// Prepare is the first phase. When it returns an error the transaction has been rolled back, with the first failure of its
// statements as [driver.ErrCommitRolledBack]; but for [driver.ErrCommitUnknown]: the answer was lost, and [RecoverPrepared]
// tells whether it was prepared. A server whose max_prepared_transactions is 0 prepares none.
func (t *TPC) Prepare(ctx context.Context) (*PreparedTPC, error) {
	text, err := t.xid.sql("prepare transaction")
	if err != nil {
		return nil, err
	}
	t.whole.interrupted() // from here on ctx decides
	_, err = driver.Do(ctx, t.tx, text, func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, prepareTransaction(ctx, c, text)
	})
	t.whole.rollback() // database/sql's end of it: on the server there is nothing left to roll back
	if err != nil {
		return nil, fmt.Errorf("ext: two-phase transaction %q: prepare: %w", t.xid, err)
	}
	return &PreparedTPC{conn: t.conn, xid: t.xid}, nil
}

func prepareTransaction(ctx context.Context, c *driver.Conn, text string) error {
	if c.TxStatus() == 'E' { // the server would answer with ROLLBACK, and so it does to COMMIT
		return c.Commit(ctx)
	}
	_, err := c.ExecContext(ctx, text, nil)
	switch {
	case hasState(err, notInPrerequisite):
		return fmt.Errorf("the server's max_prepared_transactions is 0, set it to use two-phase commit: %w", err)
	case err != nil && c.IsClosed():
		return fmt.Errorf("%w: %w", driver.ErrCommitUnknown, err)
	}
	return err
}

// Xid is the transaction's identifier.
func (p *PreparedTPC) Xid() Xid { return p.xid }

// Commit is the second phase, on the connection of the first. Where that is gone, use [CommitPrepared].
func (p *PreparedTPC) Commit(ctx context.Context) error { return CommitPrepared(ctx, p.conn, p.xid) }

// Rollback undoes the transaction, on the connection of the first phase. Where that is gone, use [RollbackPrepared].
func (p *PreparedTPC) Rollback(ctx context.Context) error {
	return RollbackPrepared(ctx, p.conn, p.xid)
}
