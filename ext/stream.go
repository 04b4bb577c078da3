package ext

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/pycopg/pycopg/driver"
)

// Stream is [Query] row by row, in constant memory. The rows are read while the loop runs: on a *sql.Conn or *sql.Tx no other
// statement can run meanwhile ([StreamPages] allows it). The first error ends the stream. Breaking off reads the rest of
// the result and throws it away, up to the end of ctx, so that the connection can go on and a statement that writes has
// written; with rows_close=cancel the server is asked to stop instead.
//
// The statement runs anew each time that the stream is ranged over.
func Stream[T any](ctx context.Context, q Querier, sql string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := stream(ctx, q, yield, sql, args); err != nil {
			var zero T
			yield(zero, fmt.Errorf("ext: stream: %w", err))
		}
	}
}

// errStopped says that the loop was left: nothing may be yielded any more.
var errStopped = errors.New("ext: the loop was left")

func stream[T any](ctx context.Context, q Querier, yield func(T, error) bool, sql string, args []any) (err error) {
	rows, known, err := typedQuery[T](ctx, q, sql, args)
	if err != nil {
		return err
	}
	return streamRows(rows, known, yield)
}

// streamRows reads rows one by one, and closes them.
func streamRows[T any](rows *sql.Rows, known *driver.Columns, yield func(T, error) bool) (err error) {
	stopped := true // also by a panic in the loop
	defer func() {
		if cerr := rows.Close(); err == nil && !stopped {
			err = cerr
		}
	}()
	r, err := newReader[T](rows, known)
	for err == nil {
		v, ok, nerr := r.next()
		if !ok || nerr != nil {
			err = nerr
			break
		}
		if !yield(v, nil) {
			return nil
		}
	}
	stopped = false
	return err
}

// ErrNoTransaction is the error of what needs a transaction and was called outside of one.
var ErrNoTransaction = errors.New("this needs a transaction")

// StreamPages is [Stream] over a cursor on the server, of which it fetches size rows at a time (1000 when size is not
// positive): between two pages the connection is free, so the loop may run other statements in the same transaction. It
// needs one: outside of a transaction the error is [ErrNoTransaction]. sql must be a SELECT or VALUES. The rows are those
// of the moment when the stream began.
func StreamPages[T any](ctx context.Context, q Querier, size int, sql string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := streamPages(ctx, q, size, yield, sql, args); err != nil && err != errStopped {
			var zero T
			yield(zero, fmt.Errorf("ext: stream: %w", err))
		}
	}
}

// defaultPage is the size of a page that was not chosen.
const defaultPage = 1000

func streamPages[T any](ctx context.Context, q Querier, size int, yield func(T, error) bool, sql string, args []any) (err error) {
	if size <= 0 {
		size = defaultPage
	}
	never := false
	c := &Cursor{q: q, name: "pycopg_stream_" + rand.Text(), page: size}
	if err := c.declare(ctx, CursorOptions{Scroll: &never}, sql, args); err != nil {
		return err
	}
	defer func() {
		if cerr := c.Close(ctx); err == nil {
			err = cerr
		}
	}()
	for v, err := range FetchPages[T](ctx, c) {
		if err != nil {
			return errors.Unwrap(err) // without the cursor's name
		}
		if !yield(v, nil) {
			return errStopped
		}
	}
	return nil
}
