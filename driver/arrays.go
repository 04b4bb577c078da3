package driver

import (
	"reflect"
	"time"
)

// AppendElement appends v as one element of a PostgreSQL array of the type elem, in text: NULL, or the value with the quotes
// that it needs. A helper that moves many rows in one argument for each column builds those so. v is as [ConvertArgs]
// gives it. On an error dst is returned as it was.
func (c *Conn) AppendElement(dst []byte, elem uint32, v any) ([]byte, error) {
	if v == nil {
		return append(dst, "NULL"...), nil
	}
	codecs := c.engine.codecs
	elem = codecs.base(elem)
	var out []byte
	var err error
	switch v.(type) {
	case string, []byte, time.Time: // never a further dimension
		if out, _, err = codecs.appendText(dst, elem, v); err == nil {
			return quoteTail(out, len(dst)), nil
		}
	default:
		if out, err = codecs.appendElement(dst, elem, ',', reflect.ValueOf(v)); err == nil {
			return out, nil
		}
	}
	return dst, err
}
