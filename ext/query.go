package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// ErrManyRows is the error of [QueryExactlyOne] when there is a second row.
var ErrManyRows = errors.New("more than one row")

// Query runs a statement and returns its rows. T is one of:
//
//   - a struct, or a pointer to one: each column fills the field whose db tag names it, or without a tag the one whose name
//     in snake case it has (UserID is user_id). Embedded structs count as if their fields were the outer one's; a field
//     tagged "-" is left out. A column without a field, a field without a column and two columns of one name are errors
//     that name them; [Lax] allows them. Fields may have any type that Scan takes, and besides slices and Go arrays (of
//     arrays), structs and maps (of json and jsonb; map[string]string of hstore) and time.Duration (of intervals).
//   - map[string]any: by column name; two columns of one name are an error. The Go types are those of docs/types.md, the same
//     whatever Go's version.
//   - []any: the same values in the order of the columns.
//   - anything else: the statement must have one column.
//
// A struct that is a Scanner, a time.Time or a TextUnmarshaler (netip.Addr) is a value, not a row. NULL needs a pointer, a
// sql.Null, a slice or a map; any other type fails at it. A panic of a Scanner, or of another method that reads a value, is an error.
//
// No rows are no error: the result is empty.
func Query[T any](ctx context.Context, q Querier, sql string, args ...any) ([]T, error) {
	rows, known, err := typedQuery[T](ctx, q, sql, args)
	if err != nil {
		return nil, fmt.Errorf("ext: query: %w", err)
	}
	all, err := collect[T](rows, known)
	if err != nil {
		return nil, fmt.Errorf("ext: query: %w", err)
	}
	return all, nil
}

// typedQuery runs a query whose rows are to be values of T. known is what the driver knows of its columns.
func typedQuery[T any](ctx context.Context, q Querier, sql string, args []any) (_ *sql.Rows, known *driver.Columns, err error) {
	if err := nilhandle.Check(q); err != nil {
		return nil, nil, err
	}
	if isScalar(reflect.TypeFor[T]()) {
		rows, err := q.QueryContext(ctx, sql, args...)
		return rows, nil, err
	}
	known = new(driver.Columns)
	rows, err := q.QueryContext(driver.WithColumns(ctx, known), sql, args...)
	return rows, known, err
}

// isScalar reports whether database/sql reads a type without knowing more of its column.
func isScalar(t reflect.Type) bool {
	return t.PkgPath() == "" && t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64 || t.Kind() == reflect.String && t.PkgPath() == "" || t == timeType
}

// collect reads all rows and closes them. An error of closing is one too: a commit may have failed. known is what the driver
// knows of the columns; without it, registered and loaded types are not met.
func collect[T any](rows *sql.Rows, known ...*driver.Columns) (all []T, err error) {
	defer closeRows(rows, &err)
	r, err := newReader[T](rows, known...)
	if err != nil {
		return nil, err
	}
	for {
		v, ok, err := r.next()
		if !ok || err != nil {
			return all, err
		}
		all = append(all, v)
	}
}

// closeRows closes rows, and makes its error the function's when there is no other.
func closeRows(rows *sql.Rows, err *error) {
	if cerr := rows.Close(); *err == nil {
		*err = cerr
	}
}

// QueryOne is [Query] for the first row. Where there is none the error is [sql.ErrNoRows]; a row that is NULL is not that:
// it needs a T for NULL. Further rows are passed over: [QueryExactlyOne] refuses them.
func QueryOne[T any](ctx context.Context, q Querier, sql string, args ...any) (T, error) {
	return queryOne(ctx, q, newReader[T], false, sql, args)
}

// QueryExactlyOne is [QueryOne] for statements that must return one row: a second one is [ErrManyRows].
func QueryExactlyOne[T any](ctx context.Context, q Querier, sql string, args ...any) (T, error) {
	return queryOne(ctx, q, newReader[T], true, sql, args)
}

// QueryVal returns the first column of the first row. Where there is no row the error is [sql.ErrNoRows]; NULL needs a T that
// can be it: QueryVal[*string], or QueryVal[sql.Null[string]]. Further columns and rows are passed over. A struct or a map is
// read from json.
func QueryVal[T any](ctx context.Context, q Querier, sql string, args ...any) (T, error) {
	return queryOne(ctx, q, newValueReader[T], false, sql, args)
}

func queryOne[T any](ctx context.Context, q Querier, read func(*sql.Rows, ...*driver.Columns) (*reader[T], error), exactly bool, query string, args []any) (v T, err error) {
	v, err = firstRow(ctx, q, read, exactly, query, args)
	if err != nil && err != sql.ErrNoRows { // which callers compare with ==
		var zero T
		return zero, fmt.Errorf("ext: query: %w", err)
	}
	return v, err
}

func firstRow[T any](ctx context.Context, q Querier, read func(*sql.Rows, ...*driver.Columns) (*reader[T], error), exactly bool, query string, args []any) (v T, err error) {
	rows, known, err := typedQuery[T](ctx, q, query, args)
	if err != nil {
		return v, err
	}
	defer closeRows(rows, &err)
	r, err := read(rows, known)
	if err != nil {
		return v, err
	}
	v, ok, err := r.next()
	switch {
	case err != nil:
		return v, err
	case !ok:
		return v, sql.ErrNoRows
	case exactly && rows.Next():
		return v, ErrManyRows
	}
	return v, rows.Err()
}

// QueryFunc is [Query] with a function of the caller's that reads a row: it calls rows.Scan, and neither Next nor Close. Its
// error ends the query. A Scanner that panics inside rows.Scan must not be used here: database/sql keeps a lock then, and no rows
// of it can be closed any more.
func QueryFunc[T any](ctx context.Context, q Querier, mapper func(*sql.Rows) (T, error), sql string, args ...any) ([]T, error) {
	if err := nilhandle.Check(q); err != nil {
		return nil, fmt.Errorf("ext: query: %w", err)
	}
	rows, err := q.QueryContext(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("ext: query: %w", err)
	}
	all, err := collectFunc(rows, mapper)
	if err != nil {
		return nil, fmt.Errorf("ext: query: %w", err)
	}
	return all, nil
}

func collectFunc[T any](rows *sql.Rows, mapper func(*sql.Rows) (T, error)) (all []T, err error) {
	defer closeRows(rows, &err)
	for rows.Next() {
		v, err := mapper(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
