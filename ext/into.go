package ext

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/pycopg/pycopg/driver"
)

// Into is a Scanner, for the Scan of database/sql, that stores in *dest what [QueryVal] would: slices of any depth from arrays,
// structs from records and composites by the order of their fields, time.Duration from intervals and times of day, maps from
// hstore, netip.Addr and other types with a text form. It decides by the Go type alone, whatever Go's version: [JSON] reads
// JSON, [Type].Into registered types. NULL needs a pointer, a sql.Null, a slice or a map.
func Into[T any](dest *T) sql.Scanner {
	return scanFunc(func(src any) error { return driver.ScanText(dest, src, nil, nil) })
}

// ScanValuer is a destination of Scan and an argument of statements.
type ScanValuer interface {
	sql.Scanner
	sqldriver.Valuer
}

// scanValuer is a ScanValuer of functions.
type scanValuer struct {
	scanFunc
	value func() (sqldriver.Value, error)
}

// Value implements [sqldriver.Valuer].
func (v scanValuer) Value() (sqldriver.Value, error) { return v.value() }

// Array reads an array into *v, a slice or Go array of any depth, and is *v as an argument, as lib/pq's Array does: for Scan
// before Go 1.27, and for programs that run on other drivers too. A nil slice is NULL; NULL elements need pointers or sql.Null.
// Elements may be Scanners and Valuers, times, structs of records; []byte is a bytea (for a text it is a string, for JSON a
// json.RawMessage). For lower bounds other than 1 there is [ArrayValue]. A nil v is
// NULL as an argument, and no destination.
func Array[T any](v *T) ScanValuer {
	return scanValuer{
		func(src any) error {
			if k := reflect.TypeFor[T]().Kind(); k != reflect.Slice && k != reflect.Array {
				return fmt.Errorf("ext: array: %T is no pointer to a slice", v)
			}
			if err := driver.ScanText(v, src, nil, nil); err != nil {
				return fmt.Errorf("ext: array: %w", err)
			}
			return nil
		},
		func() (sqldriver.Value, error) {
			if v == nil {
				return nil, nil
			}
			return textValue("array", *v)
		},
	}
}

// textValue is the text of a value, for a Valuer.
func textValue(what string, v any) (sqldriver.Value, error) {
	text, null, err := driver.TextOf(v)
	switch {
	case err != nil:
		return nil, fmt.Errorf("ext: %s: %w", what, err)
	case null:
		return nil, nil
	}
	return text, nil
}

// JSON reads json, jsonb or a text of JSON into *v with encoding/json, and is *v as JSON as an argument. NULL needs a pointer, a
// slice, a map or an interface, and is nil. As a field of a struct there is [JSONValue]; [Query] reads structs, slices and
// maps from json without either.
func JSON[T any](v *T) ScanValuer {
	return scanValuer{
		func(src any) error {
			if v == nil {
				return fmt.Errorf("ext: json: the destination is a nil %T", v)
			}
			return scanJSON(v, src)
		},
		func() (sqldriver.Value, error) {
			if v == nil {
				return nil, nil
			}
			return jsonText(*v)
		},
	}
}

// JSONValue is a value that is stored as json or jsonb. NULL cannot be read into it: use sql.Null[JSONValue[T]].
type JSONValue[T any] struct{ V T }

// Scan implements [sql.Scanner].
func (j *JSONValue[T]) Scan(src any) error {
	if src == nil {
		return fmt.Errorf("ext: json: NULL does not fit %T: use a pointer or a sql.Null", *j)
	}
	return scanJSON(&j.V, src)
}

// Value implements [sqldriver.Valuer].
func (j JSONValue[T]) Value() (sqldriver.Value, error) { return jsonText(j.V) }

func scanJSON[T any](v *T, src any) error {
	var zero T
	text, null, err := scanned("json", src)
	if err != nil {
		return err
	}
	if null {
		switch reflect.TypeFor[T]().Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			*v = zero
			return nil
		}
		return fmt.Errorf("ext: json: NULL does not fit %T: use a pointer", zero)
	}
	*v = zero
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("ext: json: %w", err)
	}
	return nil
}

func jsonText(v any) (sqldriver.Value, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("ext: json: %w", err)
	}
	return string(text), nil
}

// scanned is the text that a Scanner got.
func scanned(what string, src any) (text string, null bool, err error) {
	switch src := src.(type) {
	case nil:
		return "", true, nil
	case string:
		return src, false, nil
	case []byte:
		return string(src), false, nil
	}
	return "", false, fmt.Errorf("ext: %s: cannot read %T", what, src)
}

// notNull is scanned for types without a NULL.
func notNull(what string, src any) (string, error) {
	text, null, err := scanned(what, src)
	if null {
		err = fmt.Errorf("ext: %s: NULL does not fit: use a pointer or a sql.Null", what)
	}
	return text, err
}

// Composite reads a composite, or a record, into a struct by the order of its fields, and is the struct as an argument for a
// composite: for Scan before Go 1.27. Fields that are []byte are bytea, as in [Array]. Elsewhere a struct can be used as it is, by the names of its fields.
func Composite[T any](v *T) ScanValuer {
	return scanValuer{
		func(src any) error {
			text, err := notNull("composite", src)
			if err != nil {
				return err
			}
			return driver.ScanText(v, text, nil, nil)
		},
		func() (sqldriver.Value, error) {
			if v == nil {
				return nil, nil
			}
			text, err := driver.RecordText(*v)
			if err != nil {
				return nil, fmt.Errorf("ext: composite: %w", err)
			}
			return text, nil
		},
	}
}
