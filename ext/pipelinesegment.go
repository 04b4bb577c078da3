package ext

import (
	"context"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// segment is what a pipeline runs between two synchronisation points: all or nothing.
type segment struct {
	queued   []queued
	base     int // index of the first in the pipeline
	outcomes []*driver.Outcome
	inTx     bool // it ran inside a transaction, which is still there
	err      error
}

// run runs the statements. Nothing is sent where one cannot be.
func (s *segment) run(ctx context.Context, q Querier) {
	for i := range s.queued {
		if err := s.queued[i].err; err != nil {
			s.err = &driver.PipelineError{Index: i, Err: err}
			return
		}
	}
	_, s.err = driver.Do(ctx, q, "pipeline", func(ctx context.Context, c *driver.Conn) (int64, error) {
		inTx, checked := c.TxStatus() != 'I', ""
		defer func() { s.inTx = inTx && !c.IsClosed() }()
		for i := range s.queued {
			sql := s.queued[i].statement.SQL
			if sql == checked {
				continue
			}
			if err := c.CheckPipelined(sql); err != nil {
				return 0, &driver.PipelineError{Index: i, Err: err}
			}
			checked = sql
		}
		return int64(len(s.queued)), runPipeline(ctx, c, func() (nextStatement, func(int, *driver.Outcome)) {
			clear(s.outcomes)
			next := 0
			return func() (driver.Statement, bool, error) {
					if next == len(s.queued) {
						return driver.Statement{}, false, nil
					}
					next++
					return s.queued[next-1].statement, true, nil
				}, func(i int, o *driver.Outcome) {
					s.outcomes[i] = o
				}
		})
	})
}

// settle gives each statement its result, and returns the first failure.
func (s *segment) settle(r *replay) (first error) {
	failed, cause := s.failure()
	for i := range s.queued {
		q, o := &s.queued[i], s.outcomes[i]
		err := q.settle(r, o, s.errorOf(i, failed, cause))
		if first == nil && s.err == nil && err != nil {
			first = &PipelineError{Index: s.base + i, SQL: q.statement.SQL, Err: err}
		}
	}
	if s.err == nil {
		return first
	}
	if failed == nil {
		return s.err
	}
	return failed
}

// failure is the failure of the segment, nil where it is none of a statement; and its cause.
func (s *segment) failure() (failed *PipelineError, cause error) {
	var pe *driver.PipelineError
	if !errors.As(s.err, &pe) {
		return nil, s.err
	}
	failed = &PipelineError{Index: -1, Err: pe.Err}
	if pe.Index >= 0 {
		failed.Index, failed.SQL = s.base+pe.Index, s.queued[pe.Index].statement.SQL
	}
	return failed, pe.Err
}

// errorOf is the error of a statement, which tells truthfully whether it took effect.
func (s *segment) errorOf(i int, failed *PipelineError, cause error) error {
	o := s.outcomes[i]
	switch {
	case s.err == nil:
		return nil
	case failed == nil: // nothing was run, or nobody knows
		return fmt.Errorf("%w: %w", ErrPipelineAborted, s.err)
	case i == failed.Index-s.base:
		return failed
	case o == nil, errors.Is(o.Err, ErrPipelineAborted):
		return fmt.Errorf("%w: %w", ErrPipelineAborted, failed)
	case o.Err != nil:
		return o.Err
	case errors.Is(cause, driver.ErrCommitUnknown):
		return cause
	case s.inTx: // it stays, for as long as the transaction does
		return nil
	}
	return fmt.Errorf("%w: %w", ErrPipelineUndone, failed)
}
