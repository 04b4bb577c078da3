package driver

import (
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

// TextOf is the text of a value for a parameter whose type is not known. null says that it is NULL. It is for Valuers.
func TextOf(v any) (text string, null bool, err error) {
	arg, err := checkArg(v)
	if err != nil {
		return "", false, err
	}
	b, null, err := offline().appendText(nil, 0, arg)
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
