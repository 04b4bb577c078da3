package ext

import (
	"database/sql"

	"github.com/pycopg/pycopg/driver"
)

// Pending is the result of a statement of a [Pipeline], which is there once the pipeline was synchronised. It may be read
// from any goroutine then.
type Pending[T any] struct {
	value T
	err   error
}

// Get returns the result. Before its statement has run the error is [ErrNotSynced]; after a failure it is the statement's
// own, [ErrPipelineAborted] or [ErrPipelineUndone]. It does not wait.
func (p *Pending[T]) Get() (T, error) { return p.value, p.err }

// Exec queues a statement whose rows do not matter. The result is that of the function [Exec].
func (p *Pipe) Exec(sql string, args ...any) *Pending[Result] {
	return queue(p, sql, args, false, func(_ *replay, o *driver.Outcome) (Result, error) {
		return Result{Tag: o.Tag, Command: tagCommand(o.Tag), RowsAffected: o.RowsAffected}, nil
	})
}

// QueueQuery queues a statement and returns its rows to be, read as [Query] does.
func QueueQuery[T any](p *Pipe, sql string, args ...any) *Pending[[]T] {
	return queue(p, sql, args, true, func(r *replay, o *driver.Outcome) ([]T, error) {
		return replayed[T](r, o)
	})
}

// QueueOne queues a statement and returns its first row to be, read as [QueryOne] does: no row is [sql.ErrNoRows].
func QueueOne[T any](p *Pipe, sql string, args ...any) *Pending[T] {
	return queue(p, sql, args, true, firstReplayed(newReader[T]))
}

// QueueVal queues a statement and returns the first column of its first row to be, read as [QueryVal] does.
func QueueVal[T any](p *Pipe, sql string, args ...any) *Pending[T] {
	return queue(p, sql, args, true, firstReplayed(newValueReader[T]))
}

// firstReplayed reads the first row of an outcome.
func firstReplayed[T any](read func(*sql.Rows, ...*driver.Columns) (*reader[T], error)) func(*replay, *driver.Outcome) (T, error) {
	return func(r *replay, o *driver.Outcome) (v T, err error) {
		rows, err := r.query(o)
		if err != nil {
			return v, err
		}
		defer closeRows(rows, &err)
		rd, err := read(rows, knownOf(r.rows))
		if err != nil {
			return v, err
		}
		v, ok, err := rd.next()
		if !ok && err == nil {
			err = sql.ErrNoRows
		}
		return v, err
	}
}

func queue[T any](p *Pipe, sql string, args []any, rows bool, read func(*replay, *driver.Outcome) (T, error)) *Pending[T] {
	pending := &Pending[T]{err: ErrNotSynced}
	p.add(sql, args, rows, func(r *replay, o *driver.Outcome, err error) error {
		pending.err = err
		if o == nil || o.Err != nil { // it did not run, or the handle is a mock
			return err
		}
		v, rerr := read(r, o)
		pending.value = v
		if err == nil {
			pending.err = rerr
		}
		return pending.err
	})
	return pending
}
