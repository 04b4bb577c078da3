package driver

import "reflect"

// AppendElement appends v as one element of a PostgreSQL array of the type elem, in text: NULL, or the value with the quotes
// that it needs. A helper that moves many rows in one argument for each column builds those so. v is as [ConvertArgs]
// gives it. On an error dst is returned as it was.
func (c *Conn) AppendElement(dst []byte, elem uint32, v any) ([]byte, error) {
	if v == nil {
		return append(dst, "NULL"...), nil
	}
	codecs := c.engine.codecs
	out, err := codecs.appendElement(dst, codecs.base(elem), ',', reflect.ValueOf(v))
	if err != nil {
		return dst, err
	}
	return out, nil
}
