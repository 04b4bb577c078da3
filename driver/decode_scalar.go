package driver

import (
	sqldriver "database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"unsafe"
)

func decodeString(c *codecs, src []byte) (sqldriver.Value, error) { return c.box.string(src), nil }

func decodeBytes(_ *codecs, src []byte) (sqldriver.Value, error) { return copied(src), nil }

// copied is never nil: nil is NULL.
func copied(src []byte) []byte {
	dst := make([]byte, len(src))
	copy(dst, src)
	return dst
}

// borrowed is src as a string, only while src does not change: for parsers that keep nothing.
func borrowed(src []byte) string { return unsafe.String(unsafe.SliceData(src), len(src)) }

// malformed is the error for bytes that no server sends for the type.
func malformed(what string, src []byte) error {
	const limit = 64
	if len(src) > limit {
		return fmt.Errorf("malformed %s of %d bytes: %q…", what, len(src), src[:limit])
	}
	return fmt.Errorf("malformed %s: %q", what, src)
}

func decodeBoolText(_ *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) == 1 && (src[0] == 't' || src[0] == 'f') {
		return src[0] == 't', nil
	}
	return nil, malformed("bool", src)
}

func decodeBoolBinary(_ *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 1 {
		return nil, malformed("binary bool", src)
	}
	return src[0] != 0, nil
}

func decodeIntText(c *codecs, src []byte) (sqldriver.Value, error) {
	n, err := strconv.ParseInt(borrowed(src), 10, 64)
	if err != nil {
		return nil, malformed("integer", src)
	}
	return c.box.int(n), nil
}

func decodeInt2Binary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 2 {
		return nil, malformed("binary int2", src)
	}
	return c.box.int(int64(int16(binary.BigEndian.Uint16(src)))), nil
}

func decodeInt4Binary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 4 {
		return nil, malformed("binary int4", src)
	}
	return c.box.int(int64(int32(binary.BigEndian.Uint32(src)))), nil
}

func decodeInt8Binary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 8 {
		return nil, malformed("binary int8", src)
	}
	return c.box.int(int64(binary.BigEndian.Uint64(src))), nil
}

func decodeUint4Binary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 4 {
		return nil, malformed("binary oid", src)
	}
	return c.box.int(int64(binary.BigEndian.Uint32(src))), nil
}

func decodeUint4Digits(_ *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 4 {
		return nil, malformed("binary oid", src)
	}
	return strconv.AppendUint(nil, uint64(binary.BigEndian.Uint32(src)), 10), nil
}

// decodeFloat4Text reads 32 bits, so that text gives the value that binary gives.
func decodeFloat4Text(c *codecs, src []byte) (sqldriver.Value, error) {
	f, err := strconv.ParseFloat(borrowed(src), 32)
	if err != nil {
		return nil, malformed("float4", src)
	}
	return c.box.float(f), nil
}

func decodeFloat4Binary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 4 {
		return nil, malformed("binary float4", src)
	}
	return c.box.float(float64(math.Float32frombits(binary.BigEndian.Uint32(src)))), nil
}

// decodeFloat4Widened gives 1.1 for 1.1::float4, the value that lib/pq reads from its text.
func decodeFloat4Widened(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 4 {
		return nil, malformed("binary float4", src)
	}
	var digits [32]byte
	f32 := math.Float32frombits(binary.BigEndian.Uint32(src))
	return decodeFloat8Text(c, strconv.AppendFloat(digits[:0], float64(f32), 'g', -1, 32))
}

func decodeFloat8Text(c *codecs, src []byte) (sqldriver.Value, error) {
	f, err := strconv.ParseFloat(borrowed(src), 64)
	if err != nil {
		return nil, malformed("float8", src)
	}
	return c.box.float(f), nil
}

func decodeFloat8Binary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 8 {
		return nil, malformed("binary float8", src)
	}
	return c.box.float(math.Float64frombits(binary.BigEndian.Uint64(src))), nil
}

func decodeUUIDBinary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 16 {
		return nil, malformed("binary uuid", src)
	}
	var text [36]byte
	dst := appendUUID(text[:0], [16]byte(src))
	if c.isPq() {
		return copied(dst), nil
	}
	return c.box.string(dst), nil
}

// appendUUID appends the canonical text of a uuid.
func appendUUID(dst []byte, id [16]byte) []byte {
	for i, group := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}
