//go:build go1.27

package driver

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"reflect"
	"sync"
	"time"
	"uuid"

	"github.com/jackc/pgx/v5/pgtype"
)

// scanColumn stores a column in dest, as RowsColumnScanner does: what Next and Scan store where they can, and Go slices,
// arrays, maps and structs besides. src is nil for NULL. Nothing is kept of src.
func (c *codecs) scanColumn(scanCtx sqldriver.ScanContext, oid uint32, format int16, src []byte, dest any) error {
	if src != nil && c.scanFast(oid, format, src, dest) {
		return nil
	}
	if dest == nil {
		return errors.New("destination not a pointer")
	}
	rv := reflect.ValueOf(dest)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return errors.New("destination pointer is nil")
	}
	if format == textFormat && rv.Kind() == reflect.Pointer && c.takes(oid, rv.Type().Elem()) {
		return c.assign(rv.Elem(), oid, src)
	}
	switch scanClassOf(rv.Type()) {
	case scanTyped:
		return c.scanTyped(oid, format, src, dest, rv)
	case scanPointer:
		elem := rv.Type().Elem()
		if src == nil || isJSON(oid) && string(src) == "null" && scanClassOf(elem) == scanTyped { // as encoding/json has it
			rv.Elem().SetZero()
			return nil
		}
		target := reflect.New(elem.Elem())
		rv.Elem().Set(target)
		return c.scanColumn(scanCtx, oid, format, src, target.Interface())
	case scanNull:
		return c.scanNull(scanCtx, oid, format, src, rv.Elem())
	}
	return c.scanValue(scanCtx, oid, format, src, dest)
}

// scanValue goes the way of Next and Scan: the column's value, converted by database/sql.
func (c *codecs) scanValue(scanCtx sqldriver.ScanContext, oid uint32, format int16, src []byte, dest any) error {
	if src == nil {
		return sql.ConvertAssign(scanCtx, dest, nil)
	}
	if v, ok := finerValue(oid, format, src, dest); ok {
		return sql.ConvertAssign(scanCtx, dest, v)
	}
	value, err := c.decoder(oid, format)(c, src)
	if err != nil {
		return err
	}
	return sql.ConvertAssign(scanCtx, dest, value)
}

// finerValue is the value for destinations that database/sql could not convert text to: an interval or a time as a
// time.Duration, a time as a time.Time, and an integral numeric as an integer.
func finerValue(oid uint32, format int16, src []byte, dest any) (sqldriver.Value, bool) {
	if format != textFormat {
		return nil, false
	}
	switch dest.(type) {
	case *time.Duration:
		if oid == pgtype.IntervalOID || oid == pgtype.TimeOID {
			if d, ok := parseDuration(src); ok {
				return int64(d), true
			}
		}
	case *time.Time:
		if oid == pgtype.TimeOID || oid == pgtype.TimetzOID {
			return parseTimeOfDay(src)
		}
	default:
		if oid == pgtype.NumericOID && isIntegerKind(reflect.TypeOf(dest)) {
			return trimZeroFraction(src)
		}
	}
	return nil, false
}

func isIntegerKind(t reflect.Type) bool {
	if t.Kind() != reflect.Pointer {
		return false
	}
	kind := t.Elem().Kind()
	return kind >= reflect.Int && kind <= reflect.Uint64
}

// trimZeroFraction is the integer that a numeric such as 7.00 is; ok is false when there is no fraction or a real one.
func trimZeroFraction(src []byte) (sqldriver.Value, bool) {
	for i, b := range src {
		if b != '.' {
			continue
		}
		for _, digit := range src[i+1:] {
			if digit != '0' {
				return nil, false
			}
		}
		return string(src[:i]), true
	}
	return nil, false
}

// scanClass says how a type of destination is filled.
type scanClass int

const (
	scanByValue scanClass = iota + 1 // by database/sql, from the column's value
	scanTyped                        // by pgtype or JSON, from the column's bytes
	scanPointer                      // a pointer to a destination, nil for NULL
	scanNull                         // a sql.Null of what only scanTyped fills
)

// scanClasses caches scanClass by reflect.Type.
var scanClasses sync.Map

func scanClassOf(t reflect.Type) scanClass {
	if class, ok := scanClasses.Load(t); ok {
		return class.(scanClass)
	}
	class := classify(t)
	scanClasses.Store(t, class)
	return class
}

// classify decides by the type alone, before any code of the user runs: a failed attempt must not call a Scanner twice.
func classify(t reflect.Type) scanClass {
	switch {
	case isNullOf(t) && scanClassOf(reflect.PointerTo(nullField(t).Type)) == scanTyped:
		return scanNull
	case t.Implements(reflect.TypeFor[sql.Scanner]()):
		return scanByValue
	case t.Implements(reflect.TypeFor[pgtype.ArraySetter]()), t.Implements(reflect.TypeFor[pgtype.BytesScanner]()):
		return scanTyped
	case t.Kind() != reflect.Pointer:
		return scanByValue
	}
	elem := t.Elem()
	switch elem.Kind() {
	case reflect.Pointer:
		if elem.Name() == "" {
			return scanPointer
		}
		return scanByValue
	case reflect.Slice:
		if elem.Elem().Kind() == reflect.Uint8 {
			return scanByValue
		}
		return scanTyped
	case reflect.Struct:
		if elem.ConvertibleTo(reflect.TypeFor[time.Time]()) || elem == reflect.TypeFor[sql.Rows]() {
			return scanByValue
		}
		return scanTyped
	case reflect.Array:
		if elem == reflect.TypeFor[uuid.UUID]() {
			return scanByValue
		}
		return scanTyped
	case reflect.Map:
		return scanTyped
	}
	return scanByValue
}

// isNullOf tells whether t is a *sql.Null[T].
func isNullOf(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && isSQLNull(t.Elem())
}

func nullField(t reflect.Type) reflect.StructField {
	field, _ := t.Elem().FieldByName("V")
	return field
}

// scanNull fills a sql.Null whose value database/sql cannot fill.
func (c *codecs) scanNull(scanCtx sqldriver.ScanContext, oid uint32, format int16, src []byte, null reflect.Value) error {
	null.SetZero()
	if src == nil {
		return nil
	}
	if err := c.scanColumn(scanCtx, oid, format, src, null.FieldByName("V").Addr().Interface()); err != nil {
		return err
	}
	null.FieldByName("Valid").SetBool(true)
	return nil
}
