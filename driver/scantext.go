package driver

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"reflect"
	"sync"

	"github.com/jackc/pgx/v5/pgtype"
)

// builtinMap is pgtype's map of the built-in types, for look-ups only.
var builtinMap = sync.OnceValue(pgtype.NewMap)

// offline is a codec without a connection that serves one call.
func offline() *codecs {
	c := newCodecs(builtinMap(), CompatPgx, InfinityError, nil)
	c.byGoType = true
	c.set = &typeSet{}
	c.set.state.Store(&noTypes)
	return c
}

// ScanText stores what a Scanner gets in dest, a pointer, without knowing its PostgreSQL type: by the Go type alone. Slices are
// read from arrays, structs from records by the order of their fields, and so on inside of these. Values of goType, where it is
// not nil, are made by decode. It is for Scanners.
func ScanText(dest any, src any, goType reflect.Type, decode func(text string) (any, error)) error {
	rv := reflect.ValueOf(dest)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return fmt.Errorf("driver: the destination is no pointer, but %T", dest)
	}
	if s, ok := dest.(sql.Scanner); ok && goType == nil && !isSQLNull(rv.Type().Elem()) {
		return s.Scan(src)
	}
	c := offline()
	if goType != nil {
		c.set.state.Store(&typeState{adapters: map[reflect.Type]*typeAdapter{goType: {decode: decode}}})
	}
	text, err := c.scannedText(src, 0)
	if err != nil {
		return err
	}
	return c.assign(rv.Elem(), 0, text)
}

// ScanItem is ScanText for an element of an array or a bound of a range, where the bytes of a bytea are in its text form.
func ScanItem(dest any, text string) error {
	c, rv := offline(), reflect.ValueOf(dest).Elem()
	return c.assign(rv, c.partFrom(0, rv.Type(), []byte(text)), []byte(text))
}

// partFrom is the type of a part of an array or record that is read into a Go type. Where it is not known, what has the hex form
// of a bytea is one for []byte.
func (c *codecs) partFrom(oid uint32, t reflect.Type, text []byte) uint32 {
	if oid != 0 || !isBytes(t) {
		return oid
	}
	digits, ok := bytes.CutPrefix(text, []byte(`\x`))
	if _, err := hex.DecodeString(string(digits)); !ok || err != nil {
		return 0
	}
	return pgtype.ByteaOID
}

// partOf is the type of a part that a Go type gives: of []byte a bytea, where nothing is known of it.
func (c *codecs) partOf(oid uint32, t reflect.Type) uint32 {
	if oid == 0 && c.byGoType && isBytes(t) {
		return pgtype.ByteaOID
	}
	return oid
}

// isBytes reports whether a type is []byte, a pointer to it or a sql.Null of it, and not another one of that kind: these may be a
// text (a json.RawMessage).
func isBytes(t reflect.Type) bool {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t == reflect.TypeFor[[]byte]() || t == reflect.TypeFor[sql.Null[[]byte]]()
}

// TextOf is the text of a value for a parameter whose type is not known. null says that it is NULL. It is for Valuers.
func TextOf(v any) (text string, null bool, err error) {
	arg, err := checkArg(v)
	if err != nil {
		return "", false, err
	}
	c := offline()
	b, null, err := c.appendText(nil, c.partOf(0, reflect.TypeOf(v)), arg)
	return string(b), null, err
}

// RecordText is the text of a composite whose fields are those of a struct, in its order.
func RecordText(v any) (string, error) {
	rv := reflect.Indirect(reflect.ValueOf(v))
	if rv.Kind() != reflect.Struct {
		return "", fmt.Errorf("driver: %T is no struct", v)
	}
	b, err := offline().appendComposite(nil, nil, rv)
	return string(b), err
}
