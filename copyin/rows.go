package copyin

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// RowSource is what Rows copies: rows in memory, a sequence that can fail, or the rows of a query.
type RowSource interface {
	~[][]any | ~func(yield func([]any, error) bool) | *sql.Rows
}

// Rows copies rows into a table, whose name is as [ext.ParseName] takes it, and returns how many the server has stored.
//
// Each row has a value for each of Options.Columns, or for each column of the table that the server does not compute; those of
// a *sql.Rows fill the columns of their names. Values are what statements take as arguments. The table's types are looked up each
// time: outside of a transaction together with the start of the COPY, but for the first into the table; in one ahead of it.
//
// It is all or nothing: an error leaves no row, and a failed transaction where there was one, unless it came before the
// first rows were sent. The error of a row is a *[RowError]. That of a sequence comes back unchanged. A context that ends
// aborts the COPY. The connection can be used afterwards unless it was lost.
//
// Rows in memory are copied in one call of [driver.Do], without a copy of them. Where their values need code of the user's
// (a Valuer, say), and for a sequence, which runs between such calls, one connection is busy until the end: any other
// statement on it, from the sequence too, gets driver.ErrBusy. A mock sees the first call only.
func Rows[S RowSource](ctx context.Context, q ext.Querier, table string, rows S, o Options) (int64, error) {
	var src rowSource
	v := reflect.ValueOf(rows)
	if v.Kind() != reflect.Slice && v.IsNil() {
		return 0, fmt.Errorf("copyin: table %q: %w", table, errNoSource)
	}
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			return 0, nil
		}
		src = &sliceSource{rows: v.Convert(reflect.TypeFor[[][]any]()).Interface().([][]any)}
	case reflect.Func:
		src = &pushSource{seq: v.Convert(reflect.TypeFor[func(func([]any, error) bool)]()).Interface().(func(func([]any, error) bool))}
	default:
		found := any(rows).(*sql.Rows)
		src = &querySource{pushSource: pushSource{seq: queryRows(found)}, rows: found}
	}
	return copyRows(ctx, q, table, src, o)
}

// sampled is how many rows are looked at for the types of their values.
const sampled = 100

// sliceSource is rows in memory.
type sliceSource struct {
	rows   [][]any
	at     int
	unseen bool // not all rows are known to be plain
}

func (s *sliceSource) columns() ([]string, error) { return nil, nil }

func (s *sliceSource) values() ([]any, error) {
	row := s.rows[s.at]
	if s.unseen && !allPlain(row) {
		return nil, errNotPlain
	}
	return row, nil
}

func allPlain(row []any) bool {
	for _, v := range row {
		if !driver.IsPlain(v) {
			return false
		}
	}
	return true
}

func (s *sliceSource) plain(all bool) bool {
	rows := s.rows
	if s.unseen = !all && len(rows) > sampled; s.unseen {
		rows = rows[:sampled]
	}
	for _, row := range rows {
		if !allPlain(row) {
			return false
		}
	}
	return true
}

func (s *sliceSource) each(yield func(error) bool) {
	for s.at = range s.rows {
		if !yield(nil) {
			return
		}
	}
}

func (s *sliceSource) use(columns []column) ([]column, []any, error) {
	samples := make([]any, len(columns))
	for _, row := range s.rows[:min(len(s.rows), sampled)] {
		for i := range min(len(samples), len(row)) {
			if samples[i] == nil {
				samples[i] = row[i]
			}
		}
	}
	return columns, samples, nil
}

func (s *sliceSource) value(row int64, column int) any {
	if row < 1 || row > int64(len(s.rows)) || column >= len(s.rows[row-1]) {
		return nil
	}
	return s.rows[row-1][column]
}

// pushSource is rows that come one by one, from a user's iterator or the caller of a Writer.
type pushSource struct {
	seq func(yield func([]any, error) bool)
	row []any
}

func (s *pushSource) columns() ([]string, error) { return nil, nil }
func (s *pushSource) plain(bool) bool            { return false }
func (s *pushSource) values() ([]any, error)     { return s.row, nil }
func (s *pushSource) value(int64, int) any       { return nil }
func (s *pushSource) each(yield func(err error) bool) {
	for row, err := range s.seq {
		if err != nil {
			yield(&foreignError{err})
			return
		}
		if s.row = row; !yield(nil) {
			return
		}
	}
}

func (s *pushSource) use(columns []column) ([]column, []any, error) {
	samples := make([]any, len(columns))
	copy(samples, s.row)
	return columns, samples, nil
}

// queryRows is the rows of a query, one by one.
func queryRows(rows *sql.Rows) func(yield func([]any, error) bool) {
	return func(yield func([]any, error) bool) {
		columns, err := rows.Columns()
		if err != nil {
			yield(nil, err)
			return
		}
		values, dests := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dests[i] = &values[i]
		}
		for rows.Next() {
			err := rows.Scan(dests...)
			if !yield(values, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// querySource is the rows of a query: they fill the columns of their names.
type querySource struct {
	pushSource
	rows *sql.Rows
}

func (s *querySource) columns() ([]string, error) {
	columns, err := s.rows.Columns()
	if err != nil {
		return nil, &foreignError{err}
	}
	return columns, nil
}
