package ext

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// Default is the value of a column in a map, or in a field of type any, that is left to the column's default.
type Default struct{}

// rowSource is rows to insert, column by column.
type rowSource struct {
	columns []sourceColumn
	count   int
}

// sourceColumn is one column of the rows to insert.
type sourceColumn struct {
	name     string
	plain    func(row int) reflect.Value // values of a plain kind, straight from the structs; nil for others
	values   []any                       // other values, as driver.ConvertArgs gives them
	defaults []bool                      // which rows leave the column to its default, nil for none
	allLeft  bool                        // all rows do
}

func (c *sourceColumn) isDefault(row int) bool { return c.defaults != nil && c.defaults[row] }

// value is the value of a row as an argument.
func (c *sourceColumn) value(row int) any {
	if c.plain != nil {
		return c.plain(row).Interface()
	}
	return c.values[row]
}

// appendElement appends the value of a row as an element of an array of the type elem, in text.
func (c *sourceColumn) appendElement(dst []byte, conn *driver.Conn, elem uint32, row int) ([]byte, error) {
	if c.plain == nil {
		return conn.AppendElement(dst, elem, c.values[row])
	}
	v := c.plain(row)
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case reflect.String:
		if elem != pgtype.ByteaOID {
			return appendQuoted(dst, v.String())
		}
	case reflect.Float64:
		switch f := v.Float(); {
		case f == math.Trunc(f) && math.Abs(f) < maxExact: // without an exponent, which integers do not take
			return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
		case f == f && !math.IsInf(f, 0):
			return strconv.AppendFloat(dst, f, 'g', -1, 64), nil
		}
	case reflect.Bool:
		if elem == pgtype.BoolOID {
			return strconv.AppendBool(dst, v.Bool()), nil
		}
	}
	values, err := driver.ConvertArgs([]any{v.Interface()})
	if err != nil {
		return dst, err
	}
	return conn.AppendElement(dst, elem, values[0])
}

// appendQuoted appends a text as an array's element.
func appendQuoted(dst []byte, s string) ([]byte, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return dst, errors.New("the text has a NUL byte, which PostgreSQL's text cannot")
	}
	if !utf8.ValidString(s) {
		return dst, errors.New("the text is not valid UTF-8")
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return append(append(dst, s...), '"'), nil
		}
		dst = append(append(dst, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
}

// newSource reads rows: structs, pointers to structs, or maps. wanted names the columns, in order; nil takes all fields, or
// the keys of the first map.
func newSource[T any](rows []T, wanted []string) (*rowSource, error) {
	t := reflect.TypeFor[T]()
	if err := checkColumns(wanted); err != nil {
		return nil, err
	}
	if maps, ok := any(rows).([]map[string]any); ok {
		return mapSource(maps, wanted)
	}
	if isRowStruct(t) || t.Kind() == reflect.Pointer && isRowStruct(t.Elem()) {
		return structSource(reflect.ValueOf(rows), t, wanted)
	}
	return nil, fmt.Errorf("rows are structs, pointers to structs or map[string]any, not %s", t)
}

func checkColumns(columns []string) error {
	seen := make(map[string]bool, len(columns))
	for _, c := range columns {
		if err := CheckName(c); err != nil {
			return fmt.Errorf("column %q: %w", c, err)
		}
		if seen[c] {
			return fmt.Errorf("column %q is named twice", c)
		}
		seen[c] = true
	}
	return nil
}

func mapSource(rows []map[string]any, wanted []string) (*rowSource, error) {
	if wanted == nil && len(rows) > 0 {
		wanted = slices.Sorted(maps.Keys(rows[0]))
		if err := checkColumns(wanted); err != nil {
			return nil, err
		}
	}
	s := &rowSource{columns: make([]sourceColumn, len(wanted)), count: len(rows)}
	for i, name := range wanted {
		s.columns[i] = sourceColumn{name: name, values: make([]any, len(rows))}
	}
	for n, row := range rows {
		for i, name := range wanted {
			v, ok := row[name]
			if !ok {
				return nil, fmt.Errorf("row %d has no key %q", n, name)
			}
			s.columns[i].values[n] = v
		}
		if len(row) != len(wanted) {
			for _, key := range slices.Sorted(maps.Keys(row)) {
				if !slices.Contains(wanted, key) {
					return nil, fmt.Errorf("row %d has the key %q, which is no column of the insert", n, key)
				}
			}
		}
	}
	return s, s.convert()
}

func structSource(rows reflect.Value, t reflect.Type, wanted []string) (*rowSource, error) {
	isPointer := t.Kind() == reflect.Pointer
	if isPointer {
		t = t.Elem()
	}
	fields, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	if wanted == nil {
		for _, f := range fields.fields {
			wanted = append(wanted, f.column)
		}
	}
	s := &rowSource{columns: make([]sourceColumn, len(wanted)), count: rows.Len()}
	structs := make([]reflect.Value, rows.Len())
	for i := range structs {
		if structs[i] = rows.Index(i); isPointer {
			if structs[i].IsNil() {
				return nil, fmt.Errorf("row %d is nil", i)
			}
			structs[i] = structs[i].Elem()
		}
	}
	for i, name := range wanted {
		n, ok := fields.byColumn[name]
		if !ok {
			return nil, fmt.Errorf("%s has no field for column %q", t, name)
		}
		s.columns[i] = structColumn(structs, &fields.fields[n])
	}
	return s, s.convert()
}

func structColumn(structs []reflect.Value, f *field) sourceColumn {
	c := sourceColumn{name: f.column}
	if isPlain(f.typ) && len(f.index) == 1 {
		at := f.index[0]
		c.plain = func(row int) reflect.Value { return structs[row].Field(at) }
	} else {
		c.values = make([]any, len(structs))
	}
	for i, row := range structs {
		if c.plain != nil && !f.omitZero {
			break
		}
		v, err := row.FieldByIndexErr(f.index)
		switch {
		case err != nil: // in an embedded pointer that is nil
		case f.omitZero && v.IsZero():
			c.leave(i, len(structs))
		case c.values != nil:
			c.values[i] = v.Interface()
		}
	}
	return c
}

// isPlain reports whether values of a type are what their kind says, without code of the user's.
func isPlain(t reflect.Type) bool {
	if t.NumMethod() > 0 {
		return false
	}
	k := t.Kind()
	return k == reflect.Bool || k == reflect.String || k == reflect.Float64 || k >= reflect.Int && k <= reflect.Uint64
}

// leave marks a row that leaves the column to its default.
func (c *sourceColumn) leave(row, rows int) {
	if c.defaults == nil {
		c.defaults = make([]bool, rows)
	}
	c.defaults[row] = true
}

// convert calls the Valuers among the values, and finds the Defaults: no code of users may run while the connection is locked.
func (s *rowSource) convert() error {
	for i := range s.columns {
		c := &s.columns[i]
		for n, v := range c.values {
			if _, ok := v.(Default); ok {
				c.leave(n, s.count)
				c.values[n] = nil
			}
		}
		if c.values != nil {
			converted, err := driver.ConvertArgs(c.values)
			if err != nil {
				return c.badValue(err)
			}
			c.values = converted
		}
		c.allLeft = c.defaults != nil && !slices.Contains(c.defaults, false)
	}
	return nil
}

// badValue finds the row whose value driver.ConvertArgs refused.
func (c *sourceColumn) badValue(err error) error {
	for n := range c.values {
		if _, one := driver.ConvertArgs(c.values[n : n+1]); one != nil {
			return &BatchError{Index: n, Count: 1, Err: fmt.Errorf("column %q: %w", c.name, one)}
		}
	}
	return fmt.Errorf("column %q: %w", c.name, err)
}
