package ext

import (
	"database/sql"
	"reflect"
	"sync"
	"time"

	"github.com/pycopg/pycopg/internal/structfields"
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
}

// structCache holds *structFields by reflect.Type. It grows with the program's types only.
var structCache sync.Map

func fieldsOf(t reflect.Type) (*structFields, error) {
	if s, ok := structCache.Load(t); ok {
		return s.(*structFields), nil
	}
	found, err := structfields.Of(t)
	if err != nil {
		return nil, err
	}
	s := &structFields{byColumn: found.ByColumn, pointers: found.Pointers}
	for _, f := range found.Fields {
		s.fields = append(s.fields, field{column: f.Column, index: f.Index, typ: f.Type, omitZero: f.OmitZero})
	}
	structCache.Store(t, s)
	return s, nil
}

var (
	scannerType = reflect.TypeFor[sql.Scanner]()
	timeType    = reflect.TypeFor[time.Time]()
)

// isRowStruct reports whether a struct stands for a row, and no value of one column.
func isRowStruct(t reflect.Type) bool { return structfields.IsRow(t) }
