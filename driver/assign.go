package driver

import (
	"bytes"
	"database/sql"
	"encoding"
	"encoding/json"
	"fmt"
	"net"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/internal/pgtext"
)

var (
	scannerType      = reflect.TypeFor[sql.Scanner]()
	goTimeType       = reflect.TypeFor[time.Time]()
	durationType     = reflect.TypeFor[time.Duration]()
	hardwareAddrType = reflect.TypeFor[net.HardwareAddr]()
)

// assign stores the text of a value of the type oid, 0 where it is not known, in dst: what registered types, composites and
// arrays of these need, and whatever such hold. text is nil for NULL. Nothing is kept of it.
func (c *codecs) assign(dst reflect.Value, oid uint32, text []byte) error {
	t := dst.Type()
	if text != nil && isPredeclared(t) && oid < firstUserOID {
		return c.assignScalar(dst, oid, text)
	}
	if a := c.set.adapter(t, oid); a != nil {
		if text == nil {
			return nullDoesNotFit(dst)
		}
		return a.assign(dst, string(text))
	}
	switch {
	case isSQLNull(t):
		dst.SetZero()
		if text == nil {
			return nil
		}
		if err := c.assign(dst.FieldByName("V"), oid, text); err != nil {
			return err
		}
		dst.FieldByName("Valid").SetBool(true)
		return nil
	case t.Kind() == reflect.Pointer:
		dst.SetZero()
		if text == nil {
			return nil
		}
		p := reflect.New(t.Elem())
		if err := c.assign(p.Elem(), oid, text); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	case reflect.PointerTo(t).Implements(scannerType):
		return c.assignScanner(dst.Addr().Interface().(sql.Scanner), oid, text)
	case text == nil:
		return assignNull(dst)
	}
	return c.assignKind(dst, oid, text)
}

// isPredeclared reports whether a type is a string, bool or number without a name of its own.
func isPredeclared(t reflect.Type) bool {
	k := t.Kind()
	return (k == reflect.String || k >= reflect.Bool && k <= reflect.Float64) && t.PkgPath() == ""
}

func (a *typeAdapter) assign(dst reflect.Value, text string) error {
	v, err := a.decode(text)
	if err != nil {
		return err
	}
	dst.Set(reflect.ValueOf(v))
	return nil
}

// assignScanner gives a Scanner what a column of the type does.
func (c *codecs) assignScanner(s sql.Scanner, oid uint32, text []byte) error {
	if text == nil {
		return s.Scan(nil)
	}
	v, err := c.decoder(oid, textFormat)(c, text)
	if err != nil {
		return err
	}
	return s.Scan(v)
}

func assignNull(dst reflect.Value) error {
	switch dst.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface, reflect.Pointer:
		dst.SetZero()
		return nil
	}
	return nullDoesNotFit(dst)
}

func nullDoesNotFit(dst reflect.Value) error {
	return fmt.Errorf("NULL does not fit %s: use a pointer or a sql.Null", dst.Type())
}

// assignKind goes by the type's and the Go type's kind.
func (c *codecs) assignKind(dst reflect.Value, oid uint32, text []byte) error {
	t := dst.Type()
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		v, err := c.anyOf(oid, text, decodeJSON)
		if err == nil && v != nil {
			dst.Set(reflect.ValueOf(v))
		}
		return err
	}
	if isJSON(c.base(oid)) {
		return json.Unmarshal(text, dst.Addr().Interface())
	}
	if info := c.compositeInfo(oid); info != nil && holdsFields(t) {
		return c.assignComposite(dst, info, text)
	}
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok && t != goTimeType {
		return u.UnmarshalText(bytes.Clone(text))
	}
	switch {
	case t == goTimeType, t == durationType:
		return c.assignTime(dst, oid, text)
	case t == hardwareAddrType && c.base(oid) != pgtype.ByteaOID:
		return assignHardwareAddr(dst, text)
	case isByteSlice(dst):
		return c.assignBytes(dst, oid, text)
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array && !(t.Elem().Kind() == reflect.Uint8 && t.Len() == 16):
		return c.assignArray(dst, oid, text)
	case t.Kind() == reflect.Array:
		return assignUUID(dst, text)
	case t.Kind() == reflect.Map:
		return assignHstore(dst, text)
	case t.Kind() == reflect.Struct && (oid == 0 || oid == pgtype.RecordOID):
		return c.assignRecord(dst, text)
	}
	return c.assignScalar(dst, oid, text)
}

func decodeJSON(text []byte) (v any, err error) {
	err = json.Unmarshal(text, &v)
	return v, err
}

// assignArray fills a slice or Go array, of as many dimensions as the value has.
func (c *codecs) assignArray(dst reflect.Value, oid uint32, text []byte) error {
	elem, delim, _ := c.element(c.base(oid))
	items, dims, err := pgtext.ParseArray(string(text), delim)
	if err != nil {
		return err
	}
	if len(dims) == 0 {
		if dst.Kind() == reflect.Array && dst.Len() > 0 {
			return fmt.Errorf("an empty array does not fit %s", dst.Type())
		}
		if dst.Kind() == reflect.Slice {
			dst.Set(reflect.MakeSlice(dst.Type(), 0, 0))
		}
		return nil
	}
	_, err = c.assignItems(dst, elem, items, dims)
	return err
}

func (c *codecs) assignItems(dst reflect.Value, elem uint32, items []pgtext.Item, dims []pgtext.Dim) (rest []pgtext.Item, err error) {
	n := dims[0].Length
	switch dst.Kind() {
	case reflect.Array:
		if dst.Len() != n {
			return nil, fmt.Errorf("an array of %d elements does not fit %s", n, dst.Type())
		}
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(dst.Type(), n, n))
	default:
		return nil, fmt.Errorf("an array of more dimensions does not fit: %s is no slice", dst.Type())
	}
	for i := range n {
		if len(dims) > 1 {
			if items, err = c.assignItems(dst.Index(i), elem, items, dims[1:]); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.assign(dst.Index(i), c.partFrom(elem, dst.Index(i).Type(), textOf(items[0])), textOf(items[0])); err != nil {
			return nil, fmt.Errorf("array element %d: %w", i, err)
		}
		items = items[1:]
	}
	return items, nil
}

// textOf is the text of an item, nil for NULL. It is not to be changed.
func textOf(item pgtext.Item) []byte {
	switch {
	case item.Null:
		return nil
	case item.Text == "":
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(item.Text), len(item.Text))
}

// ScanPlainArray fills the usual slices from the text of an array of one dimension without NULLs, whose type's OID is given. ok is
// false, and dest is as it was, for all else. Texts share the memory of text.
func ScanPlainArray(dest any, oid uint32, text string) (ok bool) {
	switch d := dest.(type) {
	case *[]string:
		if oid == pgtype.TextArrayOID || oid == pgtype.VarcharArrayOID {
			return keep(d, pgtext.ParseStrings, text)
		}
	case *[]int:
		return isIntArray(oid) && keep(d, pgtext.ParseInts[int], text)
	case *[]int32:
		return isIntArray(oid) && keep(d, pgtext.ParseInts[int32], text)
	case *[]int64:
		return isIntArray(oid) && keep(d, pgtext.ParseInts[int64], text)
	case *[]float64:
		return oid == pgtype.Float8ArrayOID && keep(d, pgtext.ParseFloats, text)
	}
	return false
}

func isIntArray(oid uint32) bool {
	return oid == pgtype.Int8ArrayOID || oid == pgtype.Int4ArrayOID || oid == pgtype.Int2ArrayOID
}

// keep stores what parse gives, where it gives anything.
func keep[T any](d *[]T, parse func(string) ([]T, bool), text string) bool {
	all, ok := parse(text)
	if ok {
		*d = all
	}
	return ok
}

func assignHardwareAddr(dst reflect.Value, text []byte) error {
	addr, err := net.ParseMAC(string(text))
	if err != nil {
		return malformed("macaddr", text)
	}
	dst.SetBytes(addr)
	return nil
}

func assignUUID(dst reflect.Value, text []byte) error {
	b, err := parseUUID(nil, string(text))
	if err != nil {
		return malformed("uuid", text)
	}
	reflect.Copy(dst, reflect.ValueOf(b))
	return nil
}

// assignHstore fills a map from an hstore; a nil pointer stands for NULL.
func assignHstore(dst reflect.Value, text []byte) error {
	t := dst.Type()
	isText := t.Key().Kind() == reflect.String
	value := t.Elem()
	pointer := value.Kind() == reflect.Pointer
	if pointer {
		value = value.Elem()
	}
	if !isText || value.Kind() != reflect.String {
		return fmt.Errorf("cannot read %s from text", t)
	}
	pairs, err := pgtext.ParseHstore(string(text))
	if err != nil {
		return err
	}
	m := reflect.MakeMapWithSize(t, len(pairs))
	for _, p := range pairs {
		v := reflect.New(value)
		v.Elem().SetString(p.Value.Text)
		switch {
		case p.Value.Null && pointer:
			v = reflect.Zero(t.Elem())
		case p.Value.Null:
			return fmt.Errorf("the value of hstore key %q is NULL: use a map[string]*string", p.Key)
		case !pointer:
			v = v.Elem()
		}
		m.SetMapIndex(reflect.ValueOf(p.Key).Convert(t.Key()), v)
	}
	dst.Set(m)
	return nil
}

// anyOf is the value of a type as an any, like those of docs/types.md. asJSON decodes JSON.
func (c *codecs) anyOf(oid uint32, text []byte, asJSON func([]byte) (any, error)) (any, error) {
	if text == nil {
		return nil, nil
	}
	if a := c.anyAdapter(oid); a != nil {
		return a.decode(string(text))
	}
	if info := c.loadedInfo(oid); info != nil {
		switch {
		case info.Kind == CompositeType:
			return c.anyComposite(info, text, asJSON)
		case info.Name == "hstore" && info.Kind == BaseType:
			m := make(map[string]*string)
			return m, assignHstore(reflect.ValueOf(&m).Elem(), text)
		}
	}
	if elem, delim, ok := c.element(oid); ok {
		items, dims, err := pgtext.ParseArray(string(text), delim)
		if err != nil {
			return nil, err
		}
		return c.anyArray(elem, &items, dims, asJSON)
	}
	base := c.base(oid)
	if isJSON(base) {
		return asJSON(text)
	}
	v, err := c.decoder(base, textFormat)(c, text)
	if b, ok := v.([]byte); ok && base != pgtype.ByteaOID {
		return string(b), err
	}
	return v, err
}

func (c *codecs) anyArray(elem uint32, items *[]pgtext.Item, dims []pgtext.Dim, asJSON func([]byte) (any, error)) (any, error) {
	values := []any{}
	for i := 0; len(dims) > 0 && i < dims[0].Length; i++ {
		var v any
		var err error
		if len(dims) > 1 {
			v, err = c.anyArray(elem, items, dims[1:], asJSON)
		} else {
			v, err = c.anyOf(elem, textOf((*items)[0]), asJSON)
			*items = (*items)[1:]
		}
		if err != nil {
			return nil, fmt.Errorf("array element %d: %w", i, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// anyAdapter is the Go type that stands for a type in an any.
func (c *codecs) anyAdapter(oid uint32) *typeAdapter {
	st := c.set.current()
	if len(st.byName) == 0 {
		return nil
	}
	if name, ok := builtinTypeName(oid); ok {
		return st.byName[typeKey{"pg_catalog", strings.ToLower(name)}]
	}
	if t := c.set.info(oid); t != nil {
		return st.byName[typeKey{t.Schema, t.Name}]
	}
	return nil
}

// loadedInfo describes a type that LoadTypes was asked for.
func (c *codecs) loadedInfo(oid uint32) *TypeInfo {
	st := c.set.current()
	if len(st.loaded) == 0 {
		return nil
	}
	if t := c.set.info(oid); t != nil && st.loaded[typeKey{t.Schema, t.Name}] {
		return t
	}
	return nil
}
