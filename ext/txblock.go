package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// block is a piece of work that is done as a whole or not at all.
type block struct {
	outer   *block
	stack   *stack
	name    string // of its savepoint, "" where it has none
	depth   int
	noRetry bool
}

// stack are the open blocks of a transaction.
type stack struct {
	sync.Mutex
	open   []*block
	doomed error // why the transaction must not be committed
}

// ending is how a block ends.
type ending interface {
	interrupted() bool // whether the context's end has ended it; called once, first
	commit() error
	rollback() error
}

var errOrder = errors.New("ext: blocks of one transaction ended out of order: they must not run side by side")

func newBlock(outer *block, name string) block {
	b := block{outer: outer, name: name, stack: &stack{}, depth: 1}
	if outer != nil {
		b.stack = outer.stack
	}
	return b
}

// SavepointName is the name of the block's savepoint, "" where it has none: an outermost block without a name.
func (b *block) SavepointName() string { return b.name }

// Depth is 1 in the outermost block of a transaction, 2 in a block inside it, and so on.
func (b *block) Depth() int { return b.depth }

// enter makes the block the innermost, and names its savepoint where it was given no name.
func (b *block) enter(savepoint bool) error {
	b.stack.Lock()
	defer b.stack.Unlock()
	if b.outer != nil && !slices.Contains(b.stack.open, b.outer) {
		return ErrTxNotActive
	}
	b.depth = max(b.depth, len(b.stack.open)+1)
	if savepoint && b.name == "" {
		b.name = "_pg3_" + strconv.Itoa(b.depth)
	}
	b.stack.open = append(b.stack.open, b)
	return nil
}

// leave takes the block off, and returns why it must not be committed.
func (b *block) leave() error {
	s := b.stack
	s.Lock()
	defer s.Unlock()
	if s.open[len(s.open)-1] != b {
		s.doomed = errOrder
	}
	s.open = slices.DeleteFunc(s.open, func(other *block) bool { return other == b })
	return s.doomed
}

// active reports whether the block has not ended.
func (b *block) active() bool {
	b.stack.Lock()
	defer b.stack.Unlock()
	return slices.Contains(b.stack.open, b)
}

// run runs fn as the block, which has been entered, and ends it with e.
func (b *block) run(ctx context.Context, e ending, force bool, fn func() error) error {
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit: it goes on
			b.leave()
			e.interrupted()
			b.rollback(e)
		}
	}()
	err := fn()
	returned = true
	return b.finish(ctx, e, force, err)
}

// finish ends the block whose function returned result.
func (b *block) finish(ctx context.Context, e ending, force bool, result error) error {
	doomed := b.leave()
	interrupted := e.interrupted()
	if result == nil && doomed != nil {
		result = fmt.Errorf("ext: transaction rolled back: %w", doomed)
	}
	if result == nil && !force && !interrupted {
		if result = e.commit(); result == nil {
			return nil
		}
	}
	failed := b.rollback(e)
	err := both(b.resolve(result), failed)
	if interrupted {
		err = alongside(ctx, err)
	}
	return err
}

// rollback rolls back. Where that fails, what was to be undone is still there: the whole transaction must not be committed.
func (b *block) rollback(e ending) error {
	err := e.rollback()
	if errors.Is(err, sql.ErrTxDone) { // it was rolled back as a whole
		return nil
	}
	if err != nil {
		err = fmt.Errorf("ext: rollback: %w", err)
		b.stack.Lock()
		defer b.stack.Unlock()
		if b.stack.doomed == nil {
			b.stack.doomed = err
		}
	}
	return err
}

// both is the error of two that happened, either of which may be nil.
func both(err, other error) error {
	switch {
	case err == nil:
		return other
	case other == nil:
		return err
	}
	return fmt.Errorf("%w; %w", err, other)
}

// alongside adds to err, which may be nil, what ended ctx: its error and its cause.
func alongside(ctx context.Context, err error) error {
	for _, reason := range []error{ctx.Err(), context.Cause(ctx)} {
		switch {
		case err == nil:
			err = fmt.Errorf("ext: transaction rolled back: %w", reason)
		case !errors.Is(err, reason):
			err = both(err, reason)
		}
	}
	return err
}
