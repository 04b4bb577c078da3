package ext

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// Lax is a row of T that may differ from the result: columns without a field are left out, fields without a column stay
// zero, and of columns with one name the last counts. Query[Lax[User]] returns rows whose Row is the User.
type Lax[T any] struct{ Row T }

func (l *Lax[T]) row() any { return &l.Row }

// laxRow is implemented by *Lax[T].
type laxRow interface{ row() any }

// reader turns the rows of a result into values of T, one after the other.
type reader[T any] struct {
	rows  *sql.Rows
	known *driver.Columns
	value T
	dests []any
	fill  func() error // fills value from the current row
}

// newReader decides by the type of T, and by the columns of rows, how rows are read.
func newReader[T any](rows *sql.Rows, known ...*driver.Columns) (*reader[T], error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	r := &reader[T]{rows: rows, known: firstOf(known), dests: make([]any, len(columns))}
	target := any(&r.value)
	lax, isLax := target.(laxRow)
	if isLax {
		target = lax.row()
	}
	rv := reflect.ValueOf(target).Elem()
	t := rv.Type()
	switch {
	case len(columns) == 1 && r.known.Registered(0, t):
		return r, r.fillValue(rv)
	case t == reflect.TypeFor[map[string]any]():
		return r, r.fillMap(target.(*map[string]any), columns, isLax)
	case t == reflect.TypeFor[[]any]():
		return r, r.fillSlice(target.(*[]any))
	case len(columns) == 1 && r.known.Takes(0, t) && !hasField(t, columns[0]):
		return r, r.fillValue(rv)
	case isRowStruct(t), t.Kind() == reflect.Pointer && isRowStruct(t.Elem()) && !t.Implements(scannerType):
		return r, r.fillStruct(rv, columns, isLax)
	}
	if len(columns) != 1 {
		return nil, fmt.Errorf("%s takes one column, the result has %d: %s", t, len(columns), quoteNames(columns))
	}
	return r, r.fillValue(rv)
}

// hasField reports whether a type, or what it points to, is a struct with a field for a column: then it is a row.
func hasField(t reflect.Type, column string) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !isRowStruct(t) {
		return false
	}
	s, err := fieldsOf(t)
	if err != nil {
		return false
	}
	_, ok := s.byColumn[column]
	return ok
}

// firstOf is the one of at most one, which knows nothing where there is none.
func firstOf(known []*driver.Columns) *driver.Columns {
	if len(known) == 0 || known[0] == nil {
		return new(driver.Columns)
	}
	return known[0]
}

// newValueReader reads the first column of each row.
func newValueReader[T any](rows *sql.Rows, known ...*driver.Columns) (*reader[T], error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, errors.New("the result has no columns")
	}
	r := &reader[T]{rows: rows, known: firstOf(known), dests: make([]any, len(columns))}
	for i := range r.dests {
		r.dests[i] = discard{}
	}
	return r, r.fillValue(reflect.ValueOf(&r.value).Elem())
}

// next moves to the next row and reads it. ok is false behind the last one; the error is the result's then, nil when all
// went well.
func (r *reader[T]) next() (v T, ok bool, err error) {
	if !r.rows.Next() {
		return v, false, r.rows.Err()
	}
	if err := r.fill(); err != nil {
		return v, false, err
	}
	return r.value, true, nil
}

// scan scans the current row into dests.
func (r *reader[T]) scan() error {
	err := r.rows.Scan(r.dests...)
	if err != nil && strings.Contains(err.Error(), "converting NULL to") {
		return fmt.Errorf("%w: use a pointer or a sql.Null", err)
	}
	return err
}

// columnTypes are the names of the columns' PostgreSQL types in upper case, "" where the driver gives none.
func (r *reader[T]) columnTypes() ([]string, error) {
	types, err := r.rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.DatabaseTypeName()
	}
	return names, nil
}

// anys makes the destinations values of any, which fill reads.
func (r *reader[T]) anys() ([]any, error) {
	types, err := r.columnTypes()
	if err != nil {
		return nil, err
	}
	values, m := make([]any, len(types)), pgtype.NewMap()
	for i, typ := range types {
		r.dests[i] = &anyScanner{column: column{types: m, known: r.known, index: i}, typ: typ, dest: &values[i]}
	}
	return values, nil
}

func (r *reader[T]) fillMap(dest *map[string]any, columns []string, lax bool) error {
	seen := make(map[string]bool, len(columns))
	var twice []string
	for _, column := range columns {
		if seen[column] && !lax {
			twice = append(twice, column)
		}
		seen[column] = true
	}
	if err := mismatch(reflect.TypeOf(*dest), nil, nil, twice); err != nil {
		return err
	}
	values, err := r.anys()
	r.fill = func() error {
		if err := r.scan(); err != nil {
			return err
		}
		m := make(map[string]any, len(columns))
		for i, column := range columns {
			m[column] = values[i]
		}
		*dest = m
		return nil
	}
	return err
}

func (r *reader[T]) fillSlice(dest *[]any) error {
	values, err := r.anys()
	r.fill = func() error {
		if err := r.scan(); err != nil {
			return err
		}
		*dest = append([]any(nil), values...)
		return nil
	}
	return err
}

func (r *reader[T]) fillValue(dest reflect.Value) error {
	var types []string
	class := classOf(dest.Type())
	if class != direct {
		var err error
		if types, err = r.columnTypes(); err != nil {
			return err
		}
	}
	r.dests[0] = r.destination(dest, class, types, 0, nil)
	r.fill = func() error {
		dest.SetZero()
		return r.scan()
	}
	return nil
}

func (r *reader[T]) fillStruct(dest reflect.Value, columns []string, lax bool) error {
	t := dest.Type()
	isPointer := t.Kind() == reflect.Pointer
	if isPointer {
		t = t.Elem()
	}
	p, err := planFor(t, columns, lax)
	if err != nil {
		return err
	}
	var types []string
	if p.typed {
		if types, err = r.columnTypes(); err != nil {
			return err
		}
	}
	var m *pgtype.Map
	if p.typed {
		m = pgtype.NewMap()
	}
	place := func(row reflect.Value) error {
		for i := range p.targets {
			if err := r.place(row, &p.targets[i], types, i, m); err != nil {
				return err
			}
		}
		return nil
	}
	if !isPointer && !p.dynamic {
		r.fill = func() error {
			dest.SetZero()
			return r.scan()
		}
		return place(dest)
	}
	r.fill = func() error {
		dest.SetZero()
		row := dest
		if isPointer {
			row = reflect.New(t)
			dest.Set(row)
			row = row.Elem()
		}
		if err := place(row); err != nil {
			return err
		}
		return r.scan()
	}
	return nil
}

// place makes the destination of column i a field of row.
func (r *reader[T]) place(row reflect.Value, target *target, types []string, i int, m *pgtype.Map) error {
	if target.index == nil {
		r.dests[i] = discard{}
		return nil
	}
	for n, at := range target.index {
		if n > 0 && row.Kind() == reflect.Pointer {
			if row.IsNil() {
				row.Set(reflect.New(row.Type().Elem()))
			}
			row = row.Elem()
		}
		row = row.Field(at)
	}
	if !row.CanAddr() {
		return errors.New("a field cannot be set")
	}
	r.dests[i] = r.destination(row, target.class, types, i, m)
	return nil
}

// destination is what database/sql scans into, for v.
func (r *reader[T]) destination(v reflect.Value, class class, types []string, i int, m *pgtype.Map) any {
	takes := r.known.Takes(i, v.Type())
	if class == direct && !takes {
		return guarded(v)
	}
	if class != direct && m == nil {
		m = pgtype.NewMap()
	}
	col := column{types: m, known: r.known, index: i, takes: takes}
	if class != direct {
		col.oid = typeOID(m, types[i])
	}
	if dest, ok := v.Addr().Interface().(*any); ok && class == dynamic {
		return &anyScanner{column: col, typ: types[i], dest: dest}
	}
	return &typedScanner{column: col, dest: v}
}

// typeOID is the OID of a type by its name, or digits, in upper case; 0 when it is not known.
func typeOID(m *pgtype.Map, name string) uint32 {
	if t, ok := m.TypeForName(strings.ToLower(name)); ok {
		return t.OID
	}
	oid, _ := strconv.ParseUint(name, 10, 32)
	return uint32(oid)
}

// discard takes a column that nobody wants.
type discard struct{}

// Scan implements [sql.Scanner].
func (discard) Scan(any) error { return nil }

var _ sql.Scanner = discard{}
