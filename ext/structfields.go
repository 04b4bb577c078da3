package ext

import "reflect"

// StructField is a field of a struct type that stands for a column.
type StructField struct {
	Column   string
	Index    []int // as reflect's FieldByIndex takes it
	Type     reflect.Type
	OmitZero bool // zero is left to the column's default when rows are inserted
}

// StructFields are the columns of a struct type, as [Query] and [InsertMany] see them: for packages that read or write rows in
// other ways.
func StructFields(t reflect.Type) ([]StructField, error) {
	s, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	fields := make([]StructField, len(s.fields))
	for i, f := range s.fields {
		fields[i] = StructField{Column: f.column, Index: f.index, Type: f.typ, OmitZero: f.omitZero}
	}
	return fields, nil
}

// IsRowStruct reports whether a type is a struct that stands for a row, and no value of one column as time.Time is.
func IsRowStruct(t reflect.Type) bool { return isRowStruct(t) }
