package copyin

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"

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
// a *sql.Rows fill the columns of their names. Values are what statements take as arguments. The table's types are looked
// up first, in a round trip of its own.
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
	switch v := reflect.ValueOf(rows); v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			return 0, nil
		}
		src = &sliceSource{rows: v.Convert(reflect.TypeFor[[][]any]()).Interface().([][]any)}
	case reflect.Func:
		src = newSeqSource(v.Convert(reflect.TypeFor[func(func([]any, error) bool)]()).Interface().(func(func([]any, error) bool)))
	default:
		src = &querySource{rows: any(rows).(*sql.Rows)}
	}
	return copyRows(ctx, q, table, src, o)
}

// Maps is [Rows] for maps of values by column. The columns are the keys of the first map unless Options.Columns names them.
// All maps must have the same keys: a missing or further one is a *[RowError].
func Maps(ctx context.Context, q ext.Querier, table string, rows []map[string]any, o Options) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	return copyRows(ctx, q, table, &mapSource{rows: rows, wanted: o.Columns}, o)
}

// sampled is how many rows are looked at for the types of their values.
const sampled = 100

// sliceSource is rows in memory.
type sliceSource struct {
	rows [][]any
	at   int
}

func (s *sliceSource) columns() ([]string, error) { return nil, nil }
func (s *sliceSource) close()                     {}

func (s *sliceSource) plain() bool {
	for _, row := range s.rows {
		for _, v := range row {
			if !driver.IsPlain(v) {
				return false
			}
		}
	}
	return true
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

func (s *sliceSource) next() ([]any, bool, error) {
	if s.at == len(s.rows) {
		return nil, false, nil
	}
	s.at++
	return s.rows[s.at-1], true, nil
}

func (s *sliceSource) value(row int64, column int) any {
	if row < 1 || row > int64(len(s.rows)) || column >= len(s.rows[row-1]) {
		return nil
	}
	return s.rows[row-1][column]
}

// seqSource is rows that a user's iterator yields.
type seqSource struct {
	pull  func() ([]any, error, bool)
	stop  func()
	first []any // that was pulled before it was asked for
	err   error
	ended bool
	begun bool
}

func newSeqSource(rows func(func([]any, error) bool)) *seqSource {
	s := &seqSource{}
	s.pull, s.stop = iter.Pull2(rows)
	return s
}

func (s *seqSource) columns() ([]string, error) { return nil, nil }
func (s *seqSource) plain() bool                { return false }
func (s *seqSource) value(row int64, c int) any { return nil }
func (s *seqSource) close()                     { s.stop() }
func (s *seqSource) next() ([]any, bool, error) {
	if s.begun {
		s.begun = false
		return s.first, !s.ended, s.err
	}
	row, err, ok := s.pull()
	if err != nil {
		return nil, false, &foreignError{err}
	}
	return row, ok, nil
}

func (s *seqSource) use(columns []column) ([]column, []any, error) {
	row, ok, err := s.next()
	s.first, s.ended, s.err, s.begun = row, !ok, err, true
	samples := make([]any, len(columns))
	copy(samples, row)
	return columns, samples, err
}

// querySource is the rows of a query.
type querySource struct {
	rows   *sql.Rows
	values []any
	dests  []any
	begun  bool
	more   bool
}

func (s *querySource) columns() ([]string, error) {
	columns, err := s.rows.Columns()
	if err != nil {
		return nil, &foreignError{err}
	}
	return columns, nil
}

func (s *querySource) plain() bool                { return false }
func (s *querySource) value(row int64, c int) any { return nil }
func (s *querySource) close()                     {}

func (s *querySource) use(columns []column) ([]column, []any, error) {
	found, err := s.columns()
	if err != nil {
		return nil, nil, err
	}
	s.values, s.dests = make([]any, len(found)), make([]any, len(found))
	for i := range s.values {
		s.dests[i] = &s.values[i]
	}
	_, more, err := s.next()
	s.begun, s.more = true, more
	samples := make([]any, len(columns))
	copy(samples, s.values)
	return columns, samples, err
}

func (s *querySource) next() ([]any, bool, error) {
	if s.begun {
		s.begun = false
		return s.values, s.more, nil
	}
	if !s.rows.Next() {
		if err := s.rows.Err(); err != nil {
			return nil, false, &foreignError{err}
		}
		return nil, false, nil
	}
	if err := s.rows.Scan(s.dests...); err != nil {
		return nil, false, &foreignError{err}
	}
	return s.values, true, nil
}

// mapSource is rows as maps.
type mapSource struct {
	rows   []map[string]any
	wanted []string
	values []any
	at     int
}

func (s *mapSource) columns() ([]string, error) {
	if s.wanted == nil {
		s.wanted = slices.Sorted(maps.Keys(s.rows[0]))
	}
	return s.wanted, nil
}

func (s *mapSource) close() {}

func (s *mapSource) plain() bool {
	for _, row := range s.rows {
		for _, v := range row {
			if !driver.IsPlain(v) {
				return false
			}
		}
	}
	return true
}

func (s *mapSource) use(columns []column) ([]column, []any, error) {
	s.columns()
	s.values = make([]any, len(s.wanted))
	samples := make([]any, len(columns))
	for _, row := range s.rows[:min(len(s.rows), sampled)] {
		for i, name := range s.wanted {
			if samples[i] == nil {
				samples[i] = row[name]
			}
		}
	}
	return columns, samples, nil
}

func (s *mapSource) next() ([]any, bool, error) {
	if s.at == len(s.rows) {
		return nil, false, nil
	}
	row := s.rows[s.at]
	s.at++
	for i, name := range s.wanted {
		v, ok := row[name]
		if !ok {
			return nil, false, &RowError{Row: int64(s.at), Column: name, Err: fmt.Errorf("the map has no key %q", name)}
		}
		s.values[i] = v
	}
	if len(row) != len(s.wanted) {
		for _, key := range slices.Sorted(maps.Keys(row)) {
			if !slices.Contains(s.wanted, key) {
				return nil, false, &RowError{Row: int64(s.at), Column: key, Err: fmt.Errorf("the map has the key %q, which is none of the columns", key)}
			}
		}
	}
	return s.values, true, nil
}

func (s *mapSource) value(row int64, column int) any {
	if row < 1 || row > int64(len(s.rows)) {
		return nil
	}
	return s.rows[row-1][s.wanted[column]]
}
