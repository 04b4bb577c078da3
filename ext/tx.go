package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// TxOptions are the options of [InTx]. The zero value begins a transaction with the server's defaults.
type TxOptions struct {
	// Savepoint names the savepoint of a nested block; "" chooses _pg3_2, _pg3_3 and so on by the depth. In the outermost
	// block it makes a savepoint behind BEGIN.
	Savepoint string

	// ForceRollback rolls back what the function did, even where it succeeded: to try something out.
	ForceRollback bool

	// Isolation, ReadOnly and Deferrable are the transaction's characteristics; what is not set is the server's default
	// (default_transaction_read_only and so on). Deferrable has an effect on serializable transactions that only read.
	// They belong to the outermost block: in a nested one they are an [ErrInTransaction].
	Isolation  sql.IsolationLevel
	ReadOnly   *bool
	Deferrable *bool

	// Retry is how many more times the outermost block may run after a serialization failure or a deadlock. Nested blocks
	// ignore it: such a failure ends the whole transaction.
	Retry int

	// RetryDelay is the longest pause before the first of these runs, 20 ms where it is 0. It doubles with each run, up to
	// 2 s; the pause is a random part of it.
	RetryDelay time.Duration
}

var (
	// ErrExplicitCommit is the error of Commit and Rollback inside the function of [InTx]: its return decides.
	ErrExplicitCommit = errors.New("ext: the transaction ends with the function of InTx: return nil to commit it, an error or ext.Rollback to roll it back")

	// ErrTxNotActive is the error of using a transaction block that has ended.
	ErrTxNotActive = errors.New("ext: the transaction block has ended")

	// ErrInTransaction is [driver.ErrInTransaction].
	ErrInTransaction = driver.ErrInTransaction
)

// Tx is a block of [InTx]: a transaction, or a savepoint of one. It is a [Querier]. Its statements run in the innermost
// block that is open on the connection.
type Tx struct {
	*sql.Tx
	block
}

var _ Querier = (*Tx)(nil)

// Commit returns [ErrExplicitCommit] and does nothing.
func (tx *Tx) Commit() error { return ErrExplicitCommit }

// Rollback returns [ErrExplicitCommit] and does nothing. To roll back, return an error, or [Rollback] of the block.
func (tx *Tx) Rollback() error { return ErrExplicitCommit }

// NoRetry says that the function has done something outside of the database that must not happen again: the transaction is
// not retried whatever its Retry says.
func (tx *Tx) NoRetry() {
	for b := &tx.block; b != nil; b = b.outer {
		b.noRetry = true
	}
}

// beginner is a *sql.DB, a *sql.Conn, or a wrapper of one that hands out the transactions of database/sql.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// InTx runs fn in a transaction and commits when it returns nil. q is a *sql.DB, a *sql.Conn, or what embeds one: a new
// transaction begins; or a *Tx or *sql.Tx: fn runs behind a savepoint of it. For the transactions of other packages there is
// [Savepoint].
//
// When fn returns an error, panics, or ctx has ended, its work is rolled back, also that of inner blocks. fn's error is
// returned as it is, joined with that of a rollback that failed; where ctx has ended, with the context's error. The error of
// a COMMIT is [driver.ErrCommitRolledBack] where the server answered with ROLLBACK (an error of a statement was not
// returned), [driver.ErrCommitUnknown] where its answer was lost. A savepoint that cannot be rolled back takes the whole
// transaction with it.
//
// With [TxOptions].Retry fn runs again, in a new transaction, so what it changes in the program must be set anew by each
// run.
func InTx(ctx context.Context, q Querier, opts TxOptions, fn func(tx *Tx) error) error {
	switch q := q.(type) {
	case *Tx:
		return nested(ctx, q.Tx, &q.block, opts, fn)
	case *sql.Tx:
		return nested(ctx, q, nil, opts, fn)
	case beginner:
		return retried(ctx, opts, func() (bool, error) { return outermost(ctx, q, opts, fn) })
	}
	return fmt.Errorf("ext: %T begins no transactions of database/sql: give InTx a *sql.DB, *sql.Conn or *ext.Tx, or use ext.Savepoint", q)
}

// outermost runs fn in a transaction of its own, and reports whether it may run again.
func outermost(ctx context.Context, q beginner, opts TxOptions, fn func(*Tx) error) (mayRetry bool, err error) {
	whole, err := begin(ctx, q, opts)
	if err != nil {
		return true, err
	}
	tx := &Tx{Tx: whole.tx, block: newBlock(nil, opts.Savepoint)}
	tx.enter(false)
	err = tx.run(ctx, whole, opts.ForceRollback, func() error {
		if opts.Savepoint != "" {
			if err := makeSavepoint(ctx, whole.tx, opts.Savepoint); err != nil {
				return err
			}
		}
		return fn(tx)
	})
	return !tx.noRetry, err
}

// nested runs fn behind a savepoint of sqlTx, which outer describes where it is ours.
func nested(ctx context.Context, sqlTx *sql.Tx, outer *block, opts TxOptions, fn func(*Tx) error) error {
	if opts.Isolation != sql.LevelDefault || opts.ReadOnly != nil || opts.Deferrable != nil {
		return fmt.Errorf("%w: cannot change its characteristics: ask for them in the outermost block", ErrInTransaction)
	}
	tx := &Tx{Tx: sqlTx, block: newBlock(outer, opts.Savepoint)}
	return tx.behindSavepoint(ctx, sqlTx, opts.ForceRollback, func() error { return fn(tx) })
}
