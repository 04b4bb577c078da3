package copyin

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"unsafe"

	"github.com/pycopg/pycopg/ext"
)

// Structs is [Rows] for structs, or pointers to structs: a field fills the column that [ext.Query] reads it from. Columns that
// the server computes are left out, unless Options.Columns names them. A field tagged omitzero that is zero in the first
// row leaves its column to the default; then it has to be zero in all rows, else in none.
func Structs[T any](ctx context.Context, q ext.Querier, table string, rows []T, o Options) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	s, err := newStructSource(reflect.TypeFor[T](), o.Columns)
	if err != nil {
		return 0, fmt.Errorf("copyin: table %q: %w", table, err)
	}
	s.seq = func(yield func(unsafe.Pointer, error) bool) {
		for i := range rows {
			if !yield(structPointer(&rows[i], s.pointer), nil) {
				return
			}
		}
	}
	s.at = func(row int64) unsafe.Pointer {
		if row < 1 || row > int64(len(rows)) {
			return nil
		}
		return structPointer(&rows[row-1], s.pointer)
	}
	return copyRows(ctx, q, table, s, o)
}

// StructsSeq is [Structs] for a sequence, which may fail: it runs between the calls of driver.Do, as that of [Rows] does.
func StructsSeq[T any](ctx context.Context, q ext.Querier, table string, rows iter.Seq2[T, error], o Options) (int64, error) {
	s, err := newStructSeq(rows, o.Columns)
	if err != nil {
		return 0, fmt.Errorf("copyin: table %q: %w", table, err)
	}
	return copyRows(ctx, q, table, s, o)
}

func newStructSeq[T any](rows iter.Seq2[T, error], columns []string) (*structSource, error) {
	if rows == nil {
		return nil, errNoSource
	}
	s, err := newStructSource(reflect.TypeFor[T](), columns)
	if err != nil {
		return nil, err
	}
	s.sequence = true
	s.seq = func(yield func(unsafe.Pointer, error) bool) {
		row := new(T)
		for v, err := range rows {
			if err != nil {
				yield(nil, &foreignError{err})
				return
			}
			*row = v
			if !yield(structPointer(row, s.pointer), nil) {
				return
			}
		}
	}
	return s, nil
}

// structPointer is where the struct is that row is or points to.
func structPointer[T any](row *T, pointer bool) unsafe.Pointer {
	if pointer {
		return *(*unsafe.Pointer)(unsafe.Pointer(row))
	}
	return unsafe.Pointer(row)
}

// structSource is rows as structs.
type structSource struct {
	typ      reflect.Type
	pointer  bool // the rows are pointers to structs
	named    bool // the caller has named the columns
	fields   []ext.StructField
	all      []cell // of the fields
	cells    []cell // in the order of the columns
	left     []bool // by cell: of those tagged omitzero, whether the column is left to its default
	leaving  bool   // some cell is tagged omitzero
	sequence bool

	seq func(yield func(unsafe.Pointer, error) bool)
	at  func(row int64) unsafe.Pointer // nil for a sequence

	base  unsafe.Pointer // of the current row
	count int64
	row   []any
	used  []int // the cells that are filled
}

func newStructSource(t reflect.Type, wanted []string) (*structSource, error) {
	s := &structSource{typ: t, named: wanted != nil}
	if t.Kind() == reflect.Pointer {
		s.pointer, s.typ = true, t.Elem()
	}
	if !ext.IsRowStruct(s.typ) {
		return nil, fmt.Errorf("rows are structs, pointers to structs, []any or map[string]any, not %s", t)
	}
	fields, err := ext.StructFields(s.typ)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		if wanted == nil || slices.Contains(wanted, f.Column) {
			s.fields = append(s.fields, f)
			s.all = append(s.all, newCell(s.typ, f.Index, f.OmitZero))
		}
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(fields, func(f ext.StructField) bool { return f.Column == name }) {
			return nil, fmt.Errorf("%s has no field for column %q", s.typ, name)
		}
	}
	return s, nil
}

func (s *structSource) columns() ([]string, error) {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.Column)
	}
	return names, nil
}

func (s *structSource) plain(bool) bool {
	return !s.sequence && !slices.ContainsFunc(s.all, func(c cell) bool { return !c.plain() })
}

func (s *structSource) each(yield func(error) bool) {
	for base, err := range s.seq {
		s.base = base
		s.count++
		if !yield(err) {
			return
		}
	}
}

// use puts the cells into the order of the columns.
func (s *structSource) use(columns []column) (filled []column, samples []any, err error) {
	s.cells, s.left, s.leaving, s.used = nil, nil, false, nil
	for _, col := range columns {
		n := slices.IndexFunc(s.fields, func(f ext.StructField) bool { return f.Column == col.name })
		c := s.all[n]
		left := c.omitZero && s.base != nil && c.isZero(s.base)
		if col.generated && !s.named {
			continue
		}
		s.cells, s.left = append(s.cells, c), append(s.left, left)
		s.leaving = s.leaving || c.omitZero
		if !left {
			s.used = append(s.used, len(s.cells)-1)
			filled, samples = append(filled, col), append(samples, c.sample(s.base))
		}
	}
	s.row = make([]any, len(s.used))
	return filled, samples, nil
}

func (s *structSource) values() ([]any, error) {
	if s.base == nil {
		return nil, &RowError{Row: s.count, Err: fmt.Errorf("the row is a nil %s", reflect.PointerTo(s.typ))}
	}
	if s.leaving {
		if err := s.checkLeft(); err != nil {
			return nil, err
		}
	}
	for i, n := range s.used {
		s.row[i] = s.cells[n].value(s.base)
	}
	return s.row, nil
}

// checkLeft refuses a row that is to have a default where others have values: a COPY gives it to all or none.
func (s *structSource) checkLeft() error {
	for i := range s.cells {
		c := &s.cells[i]
		if c.omitZero && c.isZero(s.base) != s.left[i] {
			return &RowError{Row: s.count, Err: fmt.Errorf("a field tagged omitzero (of type %s) is zero in some rows and not in others: COPY gives a column's default to all rows or none", c.rtype)}
		}
	}
	return nil
}

func (s *structSource) value(row int64, column int) any {
	if s.at == nil || column >= len(s.used) {
		return nil
	}
	if base := s.at(row); base != nil {
		return kept(s.cells[s.used[column]].value(base))
	}
	return nil
}
