package driver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// maxParam is the longest value that the server takes: its messages stay below 1 GiB.
const maxParam = 1<<30 - 1024

// nullLength is the length that stands for NULL.
const nullLength = "\xff\xff\xff\xff"

// appendParam appends a parameter of Bind for the parameter type oid: an int32 length, -1 for NULL, and the bytes; format is
// the one they are in. The text of a value decides what is stored, and binary is used only where it stores the same, so that
// the server refuses what does not fit. Errors name the argument's Go type.
func (c *codecs) appendParam(dst []byte, oid uint32, arg any) (_ []byte, format int16, err error) {
	if dst, ok := appendBinaryScalar(dst, oid, arg); ok {
		return dst, binaryFormat, nil
	}
	if s, ok := arg.(string); ok && isTextual(oid) && len(s) <= maxParam {
		if err := checkText(s, "string"); err != nil {
			return dst, 0, err
		}
		return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...), textFormat, nil
	}
	if err := checkSize(arg); err != nil {
		return dst, 0, err
	}
	start := len(dst)
	dst, format, null, err := c.appendValue(append(dst, nullLength...), c.base(oid), arg)
	switch {
	case err != nil:
		return dst[:start], 0, err
	case null:
		return append(dst[:start], nullLength...), textFormat, nil
	}
	return setLength(dst, start, format, arg)
}

// appendTextParam is appendParam without knowing the type. ok is false when the argument's text depends on it.
func (c *codecs) appendTextParam(dst []byte, arg any) (_ []byte, ok bool, err error) {
	if arg == nil {
		return append(dst, nullLength...), true, nil
	}
	if !c.textSafe(arg) {
		return dst, false, nil
	}
	if err := checkSize(arg); err != nil {
		return dst, true, err
	}
	start := len(dst)
	dst, ok, err = c.appendPlainText(append(dst, nullLength...), arg)
	if err != nil || !ok {
		return dst[:start], ok, err
	}
	dst, _, err = setLength(dst, start, textFormat, arg)
	return dst, true, err
}

// textSafe tells whether a scalar has one text for every parameter type.
func (c *codecs) textSafe(arg any) bool {
	switch v := arg.(type) {
	case string:
		return !c.isPq() || !differsInBytea(v)
	case time.Time:
		year := v.Year()
		_, offset := v.Zone()
		return year >= 1 && year <= 9999 && offset <= maxOffset && offset >= -maxOffset
	case netip.Addr:
		return v.IsValid()
	case netip.Prefix:
		return v.IsValid()
	}
	return true
}

// checkSize refuses what is too long before it is copied.
func checkSize(arg any) error {
	n := 0
	switch v := arg.(type) {
	case string:
		n = len(v)
	case []byte:
		n = len(v)
	}
	if n > maxParam {
		return tooLong(arg, n)
	}
	return nil
}

func tooLong(arg any, n int) error {
	return fmt.Errorf("%T takes %d bytes on the wire: PostgreSQL's limit is 1 GiB", arg, n)
}

// setLength writes the length of the value appended after start.
func setLength(dst []byte, start int, format int16, arg any) ([]byte, int16, error) {
	n := len(dst) - start - 4
	if n > maxParam {
		return dst[:start], 0, tooLong(arg, n)
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, format, nil
}

// appendBinaryScalar appends, with its length, a number or bool whose type has the same binary value. ok is false otherwise.
func appendBinaryScalar(dst []byte, oid uint32, arg any) (_ []byte, ok bool) {
	switch oid {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		n, unsigned, ok := integer(arg)
		if !ok || unsigned {
			return dst, false
		}
		return appendInt(dst, oid, n)
	case pgtype.Float8OID:
		switch f := arg.(type) {
		case float64:
			return appendFloat8(dst, f), true
		case float32:
			return appendFloat8(dst, float64(f)), true
		}
	case pgtype.Float4OID:
		if f, ok := arg.(float32); ok && f == f {
			return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), math.Float32bits(f)), true
		}
	case pgtype.BoolOID:
		if b, ok := arg.(bool); ok {
			if b {
				return append(dst, 0, 0, 0, 1, 1), true
			}
			return append(dst, 0, 0, 0, 1, 0), true
		}
	}
	return dst, false
}

func appendInt(dst []byte, oid uint32, n int64) (_ []byte, ok bool) {
	switch {
	case oid == pgtype.Int8OID:
		return binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 8), uint64(n)), true
	case oid == pgtype.Int4OID && n == int64(int32(n)):
		return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), uint32(n)), true
	case oid == pgtype.Int2OID && n == int64(int16(n)):
		return binary.BigEndian.AppendUint16(append(dst, 0, 0, 0, 2), uint16(n)), true
	}
	return dst, false
}

// appendFloat8 appends every NaN as the one that the text NaN gives.
func appendFloat8(dst []byte, f float64) []byte {
	bits := math.Float64bits(f)
	if f != f {
		bits = 0x7ff8000000000000
	}
	return binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 8), bits)
}

// appendValue appends the bytes of one value, without its length, in the format that it returns.
func (c *codecs) appendValue(dst []byte, oid uint32, arg any) (_ []byte, format int16, null bool, err error) {
	switch v := arg.(type) {
	case nil:
		return dst, textFormat, true, nil
	case string:
		if c.isPq() && oid == pgtype.ByteaOID {
			return append(dst, v...), binaryFormat, false, nil
		}
	case []byte:
		if v != nil && c.bytesAreBinary(oid, v) {
			return append(dst, v...), binaryFormat, false, nil
		}
	case time.Time:
		if dst, ok := c.appendBinaryTime(dst, oid, v); ok {
			return dst, binaryFormat, false, nil
		}
	case time.Duration:
		if dst, ok := appendBinaryDuration(dst, oid, v); ok {
			return dst, binaryFormat, false, nil
		}
	default:
		if c.set.adapter(reflect.TypeOf(arg), 0) != nil {
			break
		}
		if oid == pgtype.UUIDOID || oid == pgtype.ByteaOID {
			if b, ok := fixedBytes(arg); ok && (len(b) == 16 || oid == pgtype.ByteaOID) {
				return append(dst, b...), binaryFormat, false, nil
			}
		}
	}
	start := len(dst)
	dst, null, err = c.appendText(dst, oid, arg)
	if errors.Is(err, errNoText) {
		if dst, null, ok, err := c.appendByMap(dst[:start], oid, binaryFormat, arg); ok {
			return dst, binaryFormat, null, err
		}
	}
	return dst, textFormat, null, err
}
