package copyin

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// Maps is [Rows] for maps of values by column. The columns are the keys of the first map unless Options.Columns names them.
// All maps must have the same keys: a missing or further one is a *[RowError].
func Maps(ctx context.Context, q ext.Querier, table string, rows []map[string]any, o Options) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	return copyRows(ctx, q, table, &mapSource{rows: rows, mapRow: mapRow{wanted: o.Columns}}, o)
}

// mapRow is a map as a row.
type mapRow struct {
	wanted []string // the columns
	row    []any
}

// from takes the values of a map, the number of whose row is n. With an error about its keys it returns those that there are.
func (r *mapRow) from(m map[string]any, n int64) (_ []any, err error) {
	if len(r.row) != len(r.wanted) {
		r.row = make([]any, len(r.wanted))
	}
	for i, name := range r.wanted {
		v, ok := m[name]
		if r.row[i] = v; !ok && err == nil {
			err = &RowError{Row: n, Column: name, Err: fmt.Errorf("the map has no key %q", name)}
		}
	}
	if err != nil || len(m) == len(r.wanted) {
		return r.row, err
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(r.wanted, key) {
			return r.row, &RowError{Row: n, Column: key, Value: m[key], Err: fmt.Errorf("the map has the key %q, which is none of the columns", key)}
		}
	}
	return r.row, nil
}

// mapSource is rows as maps.
type mapSource struct {
	mapRow
	rows   []map[string]any
	at     int
	unseen bool // not all rows are known to be plain
}

func (s *mapSource) columns() ([]string, error) {
	if s.wanted == nil {
		s.wanted = slices.Sorted(maps.Keys(s.rows[0]))
	}
	return s.wanted, nil
}

func (s *mapSource) plain(all bool) bool {
	rows := s.rows
	if s.unseen = !all && len(rows) > sampled; s.unseen {
		rows = rows[:sampled]
	}
	for _, row := range rows {
		for _, v := range row {
			if !driver.IsPlain(v) {
				return false
			}
		}
	}
	return true
}

func (s *mapSource) each(yield func(error) bool) {
	for s.at = range s.rows {
		if !yield(nil) {
			return
		}
	}
}

func (s *mapSource) use(columns []column) ([]column, []any, error) {
	s.columns()
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

func (s *mapSource) values() ([]any, error) {
	row, err := s.from(s.rows[s.at], int64(s.at)+1)
	if s.unseen && !allPlain(row) {
		return nil, errNotPlain
	}
	return row, err
}

func (s *mapSource) value(row int64, column int) any {
	if row < 1 || row > int64(len(s.rows)) {
		return nil
	}
	return s.rows[row-1][s.wanted[column]]
}

// mapSeqSource is a sequence of maps. Unless the columns are named they are those that the first map has of the table.
type mapSeqSource struct {
	mapRow
	seq   iter.Seq2[map[string]any, error]
	m     map[string]any
	count int64
}

func (s *mapSeqSource) columns() ([]string, error) { return s.wanted, nil }
func (s *mapSeqSource) plain(bool) bool            { return false }
func (s *mapSeqSource) values() ([]any, error)     { return s.from(s.m, s.count) }
func (s *mapSeqSource) value(int64, int) any       { return nil }

func (s *mapSeqSource) each(yield func(err error) bool) {
	for m, err := range s.seq {
		if err != nil {
			yield(&foreignError{err})
			return
		}
		s.m = m
		s.count++
		if !yield(nil) {
			return
		}
	}
}

func (s *mapSeqSource) use(columns []column) (filled []column, samples []any, err error) {
	named := s.wanted != nil
	s.wanted = nil
	for _, c := range columns {
		v, ok := s.m[c.name]
		if named || ok {
			filled, samples, s.wanted = append(filled, c), append(samples, v), append(s.wanted, c.name)
		}
	}
	if !named && s.count == 0 { // there are no rows
		return columns, make([]any, len(columns)), nil
	}
	return filled, samples, nil
}
