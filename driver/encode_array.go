package driver

import (
	"reflect"
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"
)

// appendArray appends a slice or Go array of any depth as the text of a PostgreSQL array.
func (c *codecs) appendArray(dst []byte, oid uint32, rv reflect.Value) ([]byte, error) {
	elem, delim, known := c.element(oid)
	if !known && oid >= firstUserOID && mayBeComposite(rv.Interface()) {
		c.set.resolve(oid)
		elem, delim, _ = c.element(oid)
	}
	if rv.Kind() == reflect.Slice && rv.Type().NumMethod() == 0 && delim == ',' {
		if dst, ok := appendIntegers(dst, rv.Interface()); ok {
			return dst, nil
		}
	}
	return c.appendElements(dst, c.base(elem), delim, rv)
}

// appendIntegers appends the usual slices of numbers, which need neither quotes nor their element's type.
func appendIntegers(dst []byte, slice any) (_ []byte, ok bool) {
	switch v := slice.(type) {
	case []int64:
		return appendInts(dst, v), true
	case []int32:
		return appendInts(dst, v), true
	case []int:
		return appendInts(dst, v), true
	}
	return dst, false
}

func appendInts[T int | int32 | int64](dst []byte, v []T) []byte {
	dst = append(dst, '{')
	for i, n := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return append(dst, '}')
}

func (c *codecs) appendElements(dst []byte, elem uint32, delim byte, rv reflect.Value) (_ []byte, err error) {
	dst = append(dst, '{')
	for i := range rv.Len() {
		if i > 0 {
			dst = append(dst, delim)
		}
		if dst, err = c.appendElement(dst, elem, delim, rv.Index(i)); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (c *codecs) appendElement(dst []byte, elem uint32, delim byte, rv reflect.Value) ([]byte, error) {
	arg, err := checkArg(rv.Interface())
	if err != nil {
		return dst, err
	}
	if inner := reflect.ValueOf(arg); c.isNested(elem, inner, arg) {
		return c.appendElements(dst, elem, delim, inner)
	}
	if plain, ok := plainKind(reflect.ValueOf(arg)); ok && c.isPq() && c.set.adapter(reflect.TypeOf(arg), 0) == nil {
		arg = plain
	}
	switch v := arg.(type) {
	case bool:
		if !isJSON(elem) {
			return append(dst, strconv.FormatBool(v)[0]), nil // as PostgreSQL writes it in arrays
		}
	case float32:
		if !isNumber(elem) {
			elem = pgtype.Float4OID // the shortest text
		}
	}
	start := len(dst)
	dst, null, err := c.appendText(dst, c.partOf(elem, rv.Type()), arg)
	switch {
	case err != nil:
		return dst, err
	case null:
		return append(dst, "NULL"...), nil
	case isBare(arg):
		return dst, nil
	}
	return quoteTail(dst, start), nil
}

// isNested tells whether an element is a further dimension.
func (c *codecs) isNested(elem uint32, rv reflect.Value, arg any) bool {
	if isJSON(elem) || arg == nil || c.set.adapter(rv.Type(), 0) != nil {
		return false
	}
	if holdsFields(rv.Type()) && c.compositeInfo(elem) != nil {
		return false
	}
	switch rv.Kind() {
	case reflect.Slice:
		return !isByteSlice(rv)
	case reflect.Array:
		_, isBytes := fixedBytes(arg)
		return !isBytes
	}
	return false
}

// isBare tells whether an element needs no quotes.
func isBare(arg any) bool {
	switch arg.(type) {
	case bool, float64, float32:
		return true
	}
	_, _, ok := integer(arg)
	return ok
}

// quoteTail puts double quotes around dst[start:], and backslashes before the quotes and backslashes in it.
func quoteTail(dst []byte, start int) []byte {
	extra := 2
	for _, b := range dst[start:] {
		if b == '"' || b == '\\' {
			extra++
		}
	}
	from := len(dst) - 1
	for range extra {
		dst = append(dst, '"')
	}
	to := len(dst) - 2
	for ; from >= start; from-- {
		b := dst[from]
		dst[to] = b
		to--
		if b == '"' || b == '\\' {
			dst[to] = '\\'
			to--
		}
	}
	dst[start] = '"'
	return dst
}
