package driver

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// How far chains are followed: of Valuers that give Valuers, and of pointers to pointers.
const (
	maxValuerDepth  = 16
	maxPointerDepth = 16
)

// checkArg does what an argument needs before its parameter's type is known: Valuers are called (a nil pointer to one is
// NULL), pointers are followed, and types without methods become their plain kind. What is left is nil, a scalar, or a value
// for appendParam. Types that can have no PostgreSQL value are refused by name.
func checkArg(v any) (any, error) {
	switch value := v.(type) {
	case nil, string, bool, int64, int, int32, int16, int8, uint, uint8, uint16, uint32, uint64,
		float64, float32, time.Time, time.Duration, []string, []int64, []int32, []int, []float64, []bool, [][]byte:
		return v, nil
	case []byte:
		if value == nil {
			return nil, nil
		}
		return v, nil
	case sqldriver.Valuer:
		return valuerValue(value)
	case sql.Out:
		return nil, errors.New("sql.Out: PostgreSQL has no output parameters: read them as result columns")
	}
	return checkKind(reflect.ValueOf(v), v)
}

// valuerValue is the plain value of a Valuer.
func valuerValue(v sqldriver.Valuer) (any, error) {
	for range maxValuerDepth {
		if value, ok := nullValue(v); ok {
			return checkArg(value)
		}
		value, err := callValuer(v)
		if err != nil {
			return nil, fmt.Errorf("%T: %w", v, err)
		}
		next, ok := value.(sqldriver.Valuer)
		if !ok {
			return checkArg(value)
		}
		v = next
	}
	return nil, fmt.Errorf("%T: its Value gives Valuers without end", v)
}

// nullValue is what a sql.Null[T] holds, nil for NULL: its own Value refuses slices and the like, and makes numbers of durations
// and plain bytes of addresses.
func nullValue(v sqldriver.Valuer) (value any, ok bool) {
	rv := reflect.Indirect(reflect.ValueOf(v))
	if !rv.IsValid() || !isSQLNull(rv.Type()) {
		return nil, false
	}
	if !rv.FieldByName("Valid").Bool() {
		return nil, true
	}
	return rv.FieldByName("V").Interface(), true
}

// isSQLNull tells whether t is a sql.Null[T].
func isSQLNull(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null[")
}

// callValuer calls Value, except for a nil pointer whose Value has a value receiver: that is NULL, as in database/sql.
func callValuer(v sqldriver.Valuer) (any, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() && rv.Type().Elem().Implements(reflect.TypeFor[sqldriver.Valuer]()) {
		return nil, nil
	}
	return v.Value()
}

func checkKind(rv reflect.Value, v any) (any, error) {
	switch rv.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return nil, fmt.Errorf("%T has no PostgreSQL value", v)
	case reflect.Pointer:
		return followPointer(rv)
	case reflect.Slice:
		if rv.IsNil() {
			return nil, nil
		}
		return v, checkElem(rv.Type())
	case reflect.Map:
		if rv.IsNil() {
			return nil, nil
		}
	case reflect.Array:
		return v, checkElem(rv.Type())
	}
	if rv.Type().NumMethod() == 0 {
		if plain, ok := plainKind(rv); ok {
			return plain, nil
		}
	}
	return v, nil
}

// followPointer is what a pointer leads to, nil where the way ends at nil. A pointer that is a value itself stays.
func followPointer(rv reflect.Value) (any, error) {
	start := rv.Type()
	for range maxPointerDepth {
		if rv.IsNil() {
			return nil, nil
		}
		if isPointerValue(rv.Interface()) {
			return rv.Interface(), nil
		}
		rv = rv.Elem()
		if rv.Kind() != reflect.Pointer {
			return checkArg(rv.Interface())
		}
		if v, ok := rv.Interface().(sqldriver.Valuer); ok {
			return valuerValue(v)
		}
	}
	return nil, fmt.Errorf("%s: pointers to pointers without end", start)
}

// isPointerValue tells whether the methods by which a value is encoded belong to the pointer, not to what it points to.
func isPointerValue(v any) bool {
	t := reflect.TypeOf(v)
	if t.NumMethod() == t.Elem().NumMethod() {
		return false
	}
	switch v.(type) {
	case json.Marshaler, encoding.TextMarshaler, fmt.Stringer,
		pgtype.ArrayGetter, pgtype.RangeValuer, pgtype.MultirangeGetter, pgtype.CompositeIndexGetter:
		elem := t.Elem()
		return !elem.Implements(reflect.TypeFor[json.Marshaler]()) && !elem.Implements(reflect.TypeFor[encoding.TextMarshaler]()) &&
			!elem.Implements(reflect.TypeFor[fmt.Stringer]())
	}
	return false
}

// checkElem refuses slices and arrays of what has no value, without looking at the elements.
func checkElem(t reflect.Type) error {
	elem := t
	for elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array || elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	switch elem.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		if !elem.Implements(reflect.TypeFor[sqldriver.Valuer]()) {
			return fmt.Errorf("%s has no PostgreSQL value", t)
		}
	}
	return nil
}

// plainKind is a value of a named scalar type as its predeclared type.
func plainKind(rv reflect.Value) (any, bool) {
	switch rv.Kind() {
	case reflect.String:
		return rv.String(), true
	case reflect.Bool:
		return rv.Bool(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return rv.Uint(), true
	case reflect.Float64:
		return rv.Float(), true
	case reflect.Float32:
		return float32(rv.Float()), true
	}
	return nil, false
}
