package ext

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

// field is a struct field that stands for a column.
type field struct {
	column   string
	index    []int // as reflect's FieldByIndex takes it
	typ      reflect.Type
	omitZero bool // zero is left to the column's default when rows are inserted
}

// structFields are the columns of a struct type.
type structFields struct {
	fields   []field
	byColumn map[string]int
	pointers bool // some lie in embedded pointers
	err      error
}

// structCache holds *structFields by reflect.Type. It grows with the program's types only.
var structCache sync.Map

func fieldsOf(t reflect.Type) (*structFields, error) {
	if s, ok := structCache.Load(t); ok {
		return s.(*structFields), s.(*structFields).err
	}
	s := &structFields{byColumn: make(map[string]int)}
	depths := make(map[string]int)
	s.collect(t, nil, 0, depths, nil)
	if s.err == nil && len(s.fields) == 0 {
		s.err = fmt.Errorf("%s has no exported fields", t)
	}
	structCache.Store(t, s)
	return s, s.err
}

// collect adds the fields of t. Of several for one column the outermost counts, as in Go.
func (s *structFields) collect(t reflect.Type, index []int, depth int, depths map[string]int, within []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(index[:len(index):len(index)], i)
		tag, tagged := f.Tag.Lookup("db")
		name, omitZero, err := parseTag(tag)
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
				s.pointers = s.pointers || pointer
				s.collect(inner, at, depth+1, depths, append(within, t))
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = snakeCase(f.Name)
		}
		s.add(field{column: name, index: at, typ: f.Type, omitZero: omitZero}, depth, depths)
	}
}

func (s *structFields) add(f field, depth int, depths map[string]int) {
	n, known := s.byColumn[f.column]
	switch {
	case !known:
		s.byColumn[f.column] = len(s.fields)
		s.fields = append(s.fields, f)
	case depth == depths[f.column]:
		s.fail(fmt.Errorf("two fields stand for column %q", f.column))
		return
	case depth < depths[f.column]:
		s.fields[n] = f
	default:
		return
	}
	depths[f.column] = depth
}

func (s *structFields) fail(err error) {
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
	if !isRowStruct(t) {
		return nil, false
	}
	return t, pointer
}

var (
	scannerType     = reflect.TypeFor[sql.Scanner]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
)

// isRowStruct reports whether a struct stands for a row: it is no value of one column, which a Scanner, a time or a type
// with a text form (netip.Addr, big.Int) is.
func isRowStruct(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t.ConvertibleTo(timeType) {
		return false
	}
	p := reflect.PointerTo(t)
	return !p.Implements(scannerType) && !p.Implements(unmarshalerType)
}

// parseTag reads a db tag: the column's name, then options.
func parseTag(tag string) (column string, omitZero bool, err error) {
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

// snakeCase is the column of a field without a tag: UserID is user_id, HTTPServer2 is http_server2.
func snakeCase(name string) string {
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
