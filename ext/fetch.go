package ext

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
)

// FetchOne returns the next row of a cursor, read as [QueryOne] does. Behind the last row the error is [sql.ErrNoRows].
func FetchOne[T any](ctx context.Context, c *Cursor) (T, error) {
	rows, err := fetch[T](ctx, c, 1, "forward 1")
	var v T
	switch {
	case err != nil:
		return v, err
	case len(rows) == 0:
		return v, sql.ErrNoRows
	}
	return rows[0], nil
}

// FetchMany returns the next n rows of a cursor, read as [Query] does: fewer, or none, where it comes to the end. A negative n
// goes backward, and gives the rows in that order; 0 gives none.
func FetchMany[T any](ctx context.Context, c *Cursor, n int64) ([]T, error) {
	if n == 0 {
		return nil, nil
	}
	return fetch[T](ctx, c, n, direction(n))
}

// FetchAll returns the rows of a cursor from the next to the last.
func FetchAll[T any](ctx context.Context, c *Cursor) ([]T, error) {
	return fetch[T](ctx, c, 0, "forward all")
}

// FetchPages goes over the rows of a cursor from the next to the last, and fetches them by pages of
// [CursorOptions].PageSize. The loop may use the cursor's handle, not the cursor. The first error ends it. After breaking
// off, the cursor stands behind the page that was fetched.
func FetchPages[T any](ctx context.Context, c *Cursor) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := FetchMany[T](ctx, c, int64(c.page))
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
			}
			if len(page) < c.page {
				return
			}
		}
	}
}

// fetch fetches n rows, 0 for all, and keeps track of the place.
func fetch[T any](ctx context.Context, c *Cursor, n int64, which string) ([]T, error) {
	if c.closed {
		return nil, c.errClosed()
	}
	if err := checkRows(n); err != nil {
		return nil, fmt.Errorf("ext: cursor %q: %w", c.name, err)
	}
	rows, known, err := typedQuery[T](once(ctx), c.q, "fetch "+which+" from "+QuoteName(c.name), nil)
	if err != nil {
		return nil, fmt.Errorf("ext: cursor %q: %w", c.name, err)
	}
	all, err := collect[T](rows, known)
	if err != nil {
		c.place = place{row: -1}
		return nil, fmt.Errorf("ext: cursor %q: %w", c.name, err)
	}
	got := int64(len(all))
	if n == 0 {
		n = got + 1
	}
	c.place.passed(n, got)
	return all, nil
}
