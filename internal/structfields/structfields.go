// Package structfields says which fields of a struct type stand for which columns, or fields of a composite.
package structfields

import (
	"database/sql"
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Field is a struct field that stands for a column.
type Field struct {
	Column   string
	Index    []int // as reflect's FieldByIndex takes it
	Type     reflect.Type
	OmitZero bool // zero is left to the column's default when rows are inserted
}

// Struct are the columns of a struct type. It is shared, and not to be changed.
type Struct struct {
	Fields   []Field
	ByColumn map[string]int
	Pointers bool // some lie in embedded pointers
	err      error
}

// structs holds *Struct by reflect.Type. It grows with the program's types only.
var structs sync.Map

// Of returns the columns of a struct type: a field's is that of its db tag, without one the field's name in snake case.
func Of(t reflect.Type) (*Struct, error) {
	if s, ok := structs.Load(t); ok {
		return s.(*Struct), s.(*Struct).err
	}
	s := &Struct{ByColumn: make(map[string]int)}
	depths := make(map[string]int)
	s.collect(t, nil, 0, depths, nil)
	if s.err == nil && len(s.Fields) == 0 {
		s.err = fmt.Errorf("%s has no exported fields", t)
	}
	structs.Store(t, s)
	return s, s.err
}

// collect adds the fields of t. Of several for one column the outermost counts, as in Go.
func (s *Struct) collect(t reflect.Type, index []int, depth int, depths map[string]int, within []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(index[:len(index):len(index)], i)
		tag, tagged := f.Tag.Lookup("db")
		name, omitZero, err := ParseTag(tag)
		if err != nil {
			s.fail(fmt.Errorf("%s.%s: %w", t, f.Name, err))
			return
		}
		if tag == "-" {
			continue
		}
		if f.Anonymous && (!tagged || name == "") {
			if inner, pointer := embedded(f); inner != nil {
				for _, outer := range within {
					if outer == inner {
						s.fail(fmt.Errorf("%s embeds itself", inner))
						return
					}
				}
				s.Pointers = s.Pointers || pointer
				s.collect(inner, at, depth+1, depths, append(within, t))
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = SnakeCase(f.Name)
		}
		s.add(Field{Column: name, Index: at, Type: f.Type, OmitZero: omitZero}, depth, depths)
	}
}

func (s *Struct) add(f Field, depth int, depths map[string]int) {
	n, known := s.ByColumn[f.Column]
	switch {
	case !known:
		s.ByColumn[f.Column] = len(s.Fields)
		s.Fields = append(s.Fields, f)
	case depth == depths[f.Column]:
		s.fail(fmt.Errorf("two fields stand for column %q", f.Column))
		return
	case depth < depths[f.Column]:
		s.Fields[n] = f
	default:
		return
	}
	depths[f.Column] = depth
}

func (s *Struct) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// embedded is the struct type whose fields an embedded field promotes, nil when it is a column itself.
func embedded(f reflect.StructField) (t reflect.Type, pointer bool) {
	t = f.Type
	if t.Kind() == reflect.Pointer {
		if !f.IsExported() { // reflection cannot set it
			return nil, false
		}
		t, pointer = t.Elem(), true
	}
	if !IsRow(t) {
		return nil, false
	}
	return t, pointer
}

var (
	scannerType     = reflect.TypeFor[sql.Scanner]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
)

// IsRow reports whether a struct stands for a row: it is no value of one column, which a Scanner, a time or a type
// with a text form (netip.Addr, big.Int) is.
func IsRow(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t.ConvertibleTo(timeType) {
		return false
	}
	p := reflect.PointerTo(t)
	return !p.Implements(scannerType) && !p.Implements(unmarshalerType)
}

// ParseTag reads a db tag: the column's name, then options.
func ParseTag(tag string) (column string, omitZero bool, err error) {
	column, options, more := strings.Cut(tag, ",")
	for more {
		var option string
		option, options, more = strings.Cut(options, ",")
		if option != "omitzero" {
			return "", false, fmt.Errorf("db tag %q: unknown option %q (there is omitzero)", tag, option)
		}
		omitZero = true
	}
	return column, omitZero, nil
}

// SnakeCase is the column of a field without a tag: UserID is user_id, HTTPServer2 is http_server2.
func SnakeCase(name string) string {
	var b strings.Builder
	before := rune(0)
	for i, r := range name {
		after, _ := utf8.DecodeRuneInString(name[i+utf8.RuneLen(r):])
		if unicode.IsUpper(r) && before != 0 && before != '_' && (!unicode.IsUpper(before) || unicode.IsLower(after)) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return b.String()
}
