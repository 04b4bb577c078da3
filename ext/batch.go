package ext

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/pycopg/pycopg/driver"
)

// BatchError is the failure of one of many sets of arguments, or of rows that travelled together.
type BatchError struct {
	Index int // of the set or row, from 0; of the first one when Count is more than one; -1 when the failure came at the end (a deferred constraint)
	Count int // how many travelled together: the failure is that of one of them
	Err   error
}

// Error names the set, or the sets that travelled together.
func (e *BatchError) Error() string {
	switch {
	case e.Index < 0:
		return fmt.Sprintf("at the end: %v", e.Err)
	case e.Count > 1:
		return fmt.Sprintf("one of %d to %d: %v", e.Index, e.Index+e.Count-1, e.Err)
	}
	return fmt.Sprintf("set %d: %v", e.Index, e.Err)
}

// Unwrap returns the failure itself.
func (e *BatchError) Unwrap() error { return e.Err }

// batchError is err as a BatchError, when it is the failure of a statement of a pipeline: each stands for one set, and the
// first for the set base.
func batchError(err error, base int) error {
	var failed *driver.PipelineError
	if !errors.As(err, &failed) {
		return err
	}
	if failed.Index < 0 {
		return &BatchError{Index: -1, Err: failed.Err}
	}
	return &BatchError{Index: base + failed.Index, Count: 1, Err: failed.Err}
}

// ExecMany runs one statement for each set of arguments, in a pipeline: the sets are sent without waiting for results, so
// that it takes one round trip for any number of them. It returns the sum of the rows affected.
//
// It is all or nothing: outside of a transaction the sets are one of their own; inside one a failure leaves it failed. The
// error is a *[BatchError] with the index of the set; where the connection was lost, and the server may have committed all the
// same, it is [driver.ErrCommitUnknown]. No sets are 0.
func ExecMany(ctx context.Context, q Querier, sql string, sets [][]any) (int64, error) {
	if len(sets) == 0 {
		return 0, nil
	}
	sets, err := convertSets(sets, 0)
	if err == nil {
		var n int64
		if n, err = driver.Do(ctx, q, sql, func(ctx context.Context, c *driver.Conn) (int64, error) {
			return execSets(ctx, c, sql, sets, 0)
		}); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("ext: exec many: %w", err)
}

// convertSets calls the Valuers among the arguments: no code of users may run while the connection is locked.
func convertSets(sets [][]any, base int) ([][]any, error) {
	converted := make([][]any, len(sets))
	for i, set := range sets {
		var err error
		if converted[i], err = driver.ConvertArgs(set); err != nil {
			return nil, &BatchError{Index: base + i, Count: 1, Err: err}
		}
	}
	return converted, nil
}

func execSets(ctx context.Context, c *driver.Conn, sql string, sets [][]any, base int) (total int64, err error) {
	err = runPipeline(ctx, c, func() (nextStatement, func(int, *driver.Outcome)) {
		total = 0
		return eachSet(sql, sets, false), func(_ int, o *driver.Outcome) { total += o.RowsAffected }
	})
	if err != nil {
		return 0, batchError(err, base)
	}
	return total, nil
}

// nextStatement gives the statements of a pipeline.
type nextStatement func() (driver.Statement, bool, error)

func eachSet(sql string, sets [][]any, rows bool) nextStatement {
	return func() (s driver.Statement, ok bool, err error) {
		if len(sets) == 0 {
			return s, false, nil
		}
		s = driver.Statement{SQL: sql, Args: sets[0], Rows: rows}
		sets = sets[1:]
		return s, true, nil
	}
}

// runPipeline runs a pipeline, and runs it once more when it failed because the driver's knowledge of the statement was out
// of date and nothing of it has happened.
func runPipeline(ctx context.Context, c *driver.Conn, start func() (nextStatement, func(int, *driver.Outcome))) error {
	next, done := start()
	err := c.Pipeline(ctx, next, done)
	if errors.Is(err, driver.ErrStalePlan) && c.TxStatus() == 'I' {
		next, done = start()
		err = c.Pipeline(ctx, next, done)
	}
	return err
}

// errNoSequence is the error of a nil sequence.
var errNoSequence = errors.New("the sequence is nil")

// setsAtOnce is how many sets of a sequence travel together.
const setsAtOnce = 1000

// ExecManySeq is [ExecMany] for sets that a sequence yields: a part of it is in memory at a time. Where it is longer than that,
// the sets run in a transaction, on one connection that is busy until the end: other statements on it, from the sequence
// too, get driver.ErrBusy. An error that the sequence yields undoes all sets and is returned.
func ExecManySeq(ctx context.Context, q Querier, sql string, seq iter.Seq2[[]any, error]) (int64, error) {
	if seq == nil {
		return 0, fmt.Errorf("ext: exec many: %w", errNoSequence)
	}
	pull, stop := iter.Pull2(seq)
	defer stop()
	var sets [][]any
	base := 0
	n, err := inParts(ctx, q, "ExecManySeq", sql, func() (more bool, err error) {
		base += len(sets)
		sets, more, err = pullPart(pull, setsAtOnce)
		if err != nil {
			return false, &BatchError{Index: base + len(sets), Count: 1, Err: err}
		}
		sets, err = convertSets(sets, base)
		return more, err
	}, func(ctx context.Context, c *driver.Conn) (int64, error) {
		return execSets(ctx, c, sql, sets, base)
	})
	if err != nil {
		return 0, fmt.Errorf("ext: exec many: %w", err)
	}
	return n, nil
}

// pullPart takes up to n values off a sequence. more is false when it has ended.
func pullPart[T any](pull func() (T, error, bool), n int) (part []T, more bool, err error) {
	for range n {
		v, err, ok := pull()
		if err != nil || !ok {
			return part, false, err
		}
		part = append(part, v)
	}
	return part, true, nil
}

// QueryMany runs one statement for each set of arguments, in a pipeline as [ExecMany] does, and returns the rows of each
// set, read as [Query] does.
func QueryMany[T any](ctx context.Context, q Querier, sql string, sets [][]any) ([][]T, error) {
	if len(sets) == 0 {
		return nil, nil
	}
	all, err := queryMany[T](ctx, q, sql, sets)
	if err != nil {
		return nil, fmt.Errorf("ext: query many: %w", err)
	}
	return all, nil
}

func queryMany[T any](ctx context.Context, q Querier, sql string, sets [][]any) ([][]T, error) {
	sets, err := convertSets(sets, 0)
	if err != nil {
		return nil, err
	}
	outcomes := make([]*driver.Outcome, len(sets))
	_, err = driver.Do(ctx, q, sql, func(ctx context.Context, c *driver.Conn) (int64, error) {
		return int64(len(sets)), batchError(runPipeline(ctx, c, func() (nextStatement, func(int, *driver.Outcome)) {
			return eachSet(sql, sets, true), func(i int, o *driver.Outcome) { outcomes[i] = o }
		}), 0)
	})
	if err != nil {
		return nil, err
	}
	r := newReplay()
	defer r.close()
	all := make([][]T, len(sets))
	for i, o := range outcomes {
		if o == nil { // a mock
			continue
		}
		if all[i], err = replayed[T](r, o); err != nil {
			return nil, &BatchError{Index: i, Count: 1, Err: err}
		}
	}
	return all, nil
}
