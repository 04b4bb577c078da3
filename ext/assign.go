package ext

import (
	"bytes"
	"database/sql"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// class says how a Go type is filled from a column.
type class byte

const (
	direct  class = iota // by database/sql
	typed                // here, from the value's text: slices, maps, structs, durations
	dynamic              // as the column's type says: any
)

var (
	ipType           = reflect.TypeFor[net.IP]()
	hardwareAddrType = reflect.TypeFor[net.HardwareAddr]()
)

// classOf decides by the type alone.
func classOf(t reflect.Type) class {
	switch {
	case isSQLNull(t):
		if v, _ := t.FieldByName("V"); classOf(v.Type) == typed {
			return typed
		}
		return direct
	case reflect.PointerTo(t).Implements(scannerType):
		return direct
	case t == reflect.TypeFor[time.Duration](), t == ipType, t == hardwareAddrType:
		return typed
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return dynamic
		}
	case reflect.Pointer:
		if classOf(t.Elem()) == typed {
			return typed
		}
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return typed
		}
	case reflect.Struct:
		if !t.ConvertibleTo(timeType) {
			return typed
		}
	case reflect.Array, reflect.Map:
		return typed
	}
	return direct
}

// isSQLNull reports whether t is a sql.Null[V].
func isSQLNull(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null[")
}

// column is what filling a value needs to know of its column.
type column struct {
	oid   uint32      // of a built-in type, 0 for others
	types *pgtype.Map // of this result
	known *driver.Columns
	index int  // in known
	takes bool // known stores it
}

// typedScanner fills a Go value of the class typed. It is a Scanner, so that it gets the same values whatever Go's version.
type typedScanner struct {
	column
	dest reflect.Value
}

// Scan implements [sql.Scanner].
func (s *typedScanner) Scan(src any) (err error) {
	defer recovered(&err) // of an element's Scanner, say
	return s.assign(s.dest, src)
}

var _ sql.Scanner = (*typedScanner)(nil)

// assign stores src, as the driver gives it, in dst.
func (c column) assign(dst reflect.Value, src any) error {
	t := dst.Type()
	switch {
	case c.takes:
		return c.known.Assign(c.index, dst, src)
	case src == nil, t.Kind() == reflect.Pointer && c.isJSONNull(src):
		return assignNull(dst)
	case t.Kind() == reflect.Pointer && !t.Implements(scannerType):
		p := reflect.New(t.Elem())
		if err := c.assign(p.Elem(), src); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	case isSQLNull(t):
		if err := c.assign(dst.FieldByName("V"), src); err != nil {
			return err
		}
		dst.FieldByName("Valid").SetBool(true)
		return nil
	}
	var text []byte
	switch src := src.(type) {
	case string:
		if c.assignPlainArray(dst, src) {
			return nil
		}
		text = []byte(src)
	case []byte:
		text = src
	default:
		return assignPlain(dst, src)
	}
	return c.assignText(dst, text)
}

// isJSONNull reports whether src is the JSON value null, for which encoding/json has nil pointers.
func (c column) isJSONNull(src any) bool {
	text, ok := src.([]byte)
	return ok && string(text) == "null" && c.isJSON()
}

func (c column) isJSON() bool { return c.oid == pgtype.JSONOID || c.oid == pgtype.JSONBOID }

// assignPlainArray fills the usual slices from arrays of one dimension without NULLs. ok is false for all else.
func (c column) assignPlainArray(dst reflect.Value, text string) (ok bool) {
	if dst.Kind() != reflect.Slice {
		return false
	}
	return driver.ScanPlainArray(dst.Addr().Interface(), c.oid, text)
}

func assignNull(dst reflect.Value) error {
	switch t := dst.Type(); {
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Map, isSQLNull(t):
		dst.SetZero()
		return nil
	}
	return fmt.Errorf("NULL does not fit %s: use a pointer or a sql.Null", dst.Type())
}

// assignPlain stores a value that is no text.
func assignPlain(dst reflect.Value, src any) error {
	v := reflect.ValueOf(src)
	switch {
	case v.Type().AssignableTo(dst.Type()):
		dst.Set(v)
		return nil
	case v.Type() == timeType && dst.Type() == reflect.TypeFor[time.Duration](): // a time of day of compat=pq
		var t TimeTZ
		if err := t.Scan(src); err != nil {
			return err
		}
		dst.SetInt(int64(t.Clock))
		return nil
	case v.Kind() == reflect.Int64 && dst.Type() == reflect.TypeFor[time.Duration]():
		dst.SetInt(v.Int())
		return nil
	}
	return fmt.Errorf("cannot store %T in %s", src, dst.Type())
}

func (c column) assignText(dst reflect.Value, text []byte) error {
	if c.isJSON() {
		return json.Unmarshal(text, dst.Addr().Interface())
	}
	switch u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); {
	case c.oid == pgtype.ByteaOID && dst.Kind() == reflect.Slice:
		dst.SetBytes(bytes.Clone(text))
		return nil
	case ok:
		return u.UnmarshalText(text)
	case dst.Type() == hardwareAddrType:
		addr, err := net.ParseMAC(string(text))
		dst.SetBytes(addr)
		return err
	}
	switch dst.Kind() {
	case reflect.Int64:
		return assignDuration(dst, text)
	case reflect.Slice, reflect.Array:
		return c.assignArray(dst, text)
	case reflect.Map:
		if done, err := assignHstore(dst, text); done {
			return err
		}
	}
	if c.oid == 0 && len(text) > 0 && text[0] == '{' { // of another driver, which names no types
		return json.Unmarshal(text, dst.Addr().Interface())
	}
	return fmt.Errorf("cannot read %s from text", dst.Type())
}

func (c column) assignArray(dst reflect.Value, text []byte) error {
	oid := c.oid
	if _, known := c.types.TypeForOID(oid); !known || oid == 0 {
		oid = pgtype.TextArrayOID // of an enum, say: its elements are text
		if c.oid == 0 {
			// Another driver, a mock say, names no types.
			if typ, ok := c.types.TypeForValue(dst.Interface()); ok {
				oid = typ.OID
			}
		}
		if dst.Kind() == reflect.Array && dst.Type().Elem().Kind() == reflect.Uint8 {
			oid = pgtype.UUIDOID
		}
	}
	if oid == pgtype.XMLArrayOID && c.known.Has(c.index) && dst.Type().Elem().Kind() == reflect.Slice { // pgtype reads the inner slices as documents
		return c.known.Assign(c.index, dst, text)
	}
	if err := c.types.Scan(oid, pgtype.TextFormatCode, text, dst.Addr().Interface()); err != nil {
		return c.assignOtherArray(dst, text, err)
	}
	showTimes(dst.Addr().Interface())
	return nil
}

// assignOtherArray reads what pgtype refuses with an error: elements or dimensions that it has no plan for, and bytea in escape
// form. Where nobody can read it, the error is pgtype's.
func (c column) assignOtherArray(dst reflect.Value, text []byte, err error) error {
	if c.known.Has(c.index) && c.known.Assign(c.index, dst, text) == nil {
		return nil
	}
	dst.SetZero()
	return err
}

// showTimes puts timestamps with time zone into the local zone, as single ones are.
func showTimes(dest any) {
	switch d := dest.(type) {
	case *[]time.Time:
		for i, t := range *d {
			if t.Location() != time.UTC {
				(*d)[i] = t.Local()
			}
		}
	case *[]*time.Time:
		for _, t := range *d {
			if t != nil && t.Location() != time.UTC {
				*t = t.Local()
			}
		}
	}
}

func assignHstore(dst reflect.Value, text []byte) (done bool, err error) {
	if len(text) > 0 && text[0] != '"' {
		return false, nil
	}
	var h pgtype.Hstore
	switch m := dst.Addr().Interface().(type) {
	case *map[string]*string:
		err = h.Scan(string(text))
		*m = h
	case *map[string]string:
		err = h.Scan(string(text))
		*m = make(map[string]string, len(h))
		for key, value := range h {
			if value == nil {
				return true, fmt.Errorf("the value of hstore key %q is NULL: use a map[string]*string", key)
			}
			(*m)[key] = *value
		}
	default:
		return false, nil
	}
	return true, err
}

var errMonths = errors.New("an interval with months has no fixed length: read it as pgtype.Interval or a string")

// assignDuration reads an interval, a time of day, or a number of nanoseconds.
func assignDuration(dst reflect.Value, text []byte) error {
	var i pgtype.Interval
	if err := i.Scan(string(text)); err != nil {
		return err
	}
	if i.Months != 0 {
		return errMonths
	}
	day := 24 * time.Hour
	const most = int64(1<<63-1) / int64(time.Microsecond)
	if days := int64(i.Days); days > most/day.Microseconds()-1 || days < -(most/day.Microseconds()-1) || i.Microseconds > most-days*day.Microseconds() || i.Microseconds < -most-days*day.Microseconds() {
		return fmt.Errorf("interval %s does not fit a time.Duration", text)
	}
	dst.SetInt(int64(i.Days)*int64(day) + i.Microseconds*int64(time.Microsecond))
	return nil
}
