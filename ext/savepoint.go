package ext

import (
	"context"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// Savepoint runs fn behind a savepoint of the transaction that q is inside, as a nested [InTx] does. It is for transactions
// of other packages (sqlx's, bun's) and for a *sql.Conn in a session of manual commit. name is taken literally; "" is
// _pg3_1, and inside another Savepoint, as fn's context tells, _pg3_2 and so on.
//
// When fn returns nil the savepoint is released. When it returns an error, panics, or ctx has ended, what it did is rolled
// back, and the transaction goes on. Returning Rollback(nil) rolls back without an error.
func Savepoint(ctx context.Context, q Querier, name string, fn func(ctx context.Context) error) error {
	var b block
	if tx, ok := q.(*Tx); ok {
		b = newBlock(&tx.block, name)
	} else {
		b = newBlock(nil, name)
		if around, ok := ctx.Value(savepointKey{}).(int); ok {
			b.depth = around + 1
		}
	}
	return b.behindSavepoint(ctx, q, false, func() error {
		return fn(context.WithValue(ctx, savepointKey{}, b.depth))
	})
}

// savepointKey is the context key of the depth of the Savepoint around.
type savepointKey struct{}

// Rollback returns an error for the function of [InTx] to return: the block tx, and all blocks inside it, are rolled back,
// and InTx returns nil. nil means the innermost block. Of a block that has ended it is [ErrTxNotActive].
func Rollback(tx *Tx) error {
	if tx == nil {
		return &unwinding{}
	}
	return &unwinding{&tx.block}
}

// unwinding is the error of Rollback.
type unwinding struct{ to *block }

// Error implements error. Only code between the blocks reads it, and who gets it too late.
func (u *unwinding) Error() string {
	if u.Is(ErrTxNotActive) {
		return "ext: rollback: the transaction block has ended"
	}
	return "ext: rollback of a transaction block"
}

// Is reports an error that has left its block.
func (u *unwinding) Is(target error) bool {
	return target == ErrTxNotActive && u.to != nil && !u.to.active()
}

// resolve makes an error of Rollback, also a wrapped one, what the block's caller gets. Joined with another error it is
// an error like others: that one must not be lost.
func (b *block) resolve(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		u, ok := e.(*unwinding)
		switch {
		case !ok:
			continue
		case u.to == nil || u.to == b:
			return nil
		}
	}
	return err
}

// behindSavepoint runs fn as the block, behind a savepoint.
func (b *block) behindSavepoint(ctx context.Context, q Querier, force bool, fn func() error) error {
	if err := b.enter(true); err != nil {
		return fmt.Errorf("ext: savepoint: %w", err)
	}
	if err := makeSavepoint(ctx, q, b.name); err != nil {
		b.leave()
		return err
	}
	return b.run(ctx, &savepoint{ctx: ctx, q: q, name: b.name}, force, fn)
}

func makeSavepoint(ctx context.Context, q Querier, name string) error {
	err := nilhandle.Check(q)
	if err == nil {
		err = CheckName(name)
	}
	if err == nil {
		_, err = q.ExecContext(ctx, "savepoint "+QuoteName(name))
	}
	if err != nil {
		return fmt.Errorf("ext: savepoint %q: %w", name, err)
	}
	return nil
}

// savepoint is how a block ends that has one.
type savepoint struct {
	ctx  context.Context
	q    Querier
	name string
}

func (s *savepoint) interrupted() bool { return s.ctx.Err() != nil }

func (s *savepoint) commit() error {
	_, err := s.q.ExecContext(s.ctx, "release savepoint "+QuoteName(s.name))
	switch {
	case err == nil:
		return nil
	case hasState(err, inFailedTransaction):
		return fmt.Errorf("ext: savepoint %q: %w: %w", s.name, driver.ErrCommitRolledBack, err)
	}
	return fmt.Errorf("ext: release savepoint %q: %w", s.name, err)
}

// rollback outlives the context: what comes behind the block needs it.
func (s *savepoint) rollback() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanupTime)
	defer cancel()
	name := QuoteName(s.name)
	_, err := s.q.ExecContext(ctx, "rollback to savepoint "+name+"; release savepoint "+name)
	return err
}
