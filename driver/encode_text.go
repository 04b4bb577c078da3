package driver

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// appendPlainText appends the text form of a scalar for a type that is not known. ok is false for other values.
func (c *codecs) appendPlainText(dst []byte, arg any) (_ []byte, ok bool, err error) {
	switch v := arg.(type) {
	case string:
		dst, err = appendString(dst, v, "string")
		return dst, true, err
	case bool:
		return strconv.AppendBool(dst, v), true, nil
	case float64:
		return appendFloat(dst, v), true, nil
	case time.Time:
		return c.appendTimeText(dst, 0, v), true, nil
	case netip.Addr:
		return v.AppendTo(dst), true, nil
	case netip.Prefix:
		return v.AppendTo(dst), true, nil
	}
	if n, unsigned, ok := integer(arg); ok {
		if unsigned {
			return strconv.AppendUint(dst, uint64(n), 10), true, nil
		}
		return strconv.AppendInt(dst, n, 10), true, nil
	}
	return dst, false, nil
}

// integer is the value of any predeclared integer type. unsigned says that n holds the bits of a uint64 above MaxInt64.
func integer(arg any) (n int64, unsigned, ok bool) {
	switch v := arg.(type) {
	case int64:
		return v, false, true
	case int:
		return int64(v), false, true
	case int32:
		return int64(v), false, true
	case int16:
		return int64(v), false, true
	case int8:
		return int64(v), false, true
	case uint8:
		return int64(v), false, true
	case uint16:
		return int64(v), false, true
	case uint32:
		return int64(v), false, true
	case uint64:
		return int64(v), v > math.MaxInt64, true
	case uint:
		return int64(v), uint64(v) > math.MaxInt64, true
	}
	return 0, false, false
}

// appendString appends text that the server can store. goType is the argument's type, for the error.
func appendString(dst []byte, s, goType string) ([]byte, error) {
	if err := checkText(s, goType); err != nil {
		return dst, err
	}
	return append(dst, s...), nil
}

// checkText refuses what no text of PostgreSQL can hold.
func checkText(s, goType string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return refuseValue(codeNotInRepertoire, "%s holds a NUL byte at offset %d, which PostgreSQL cannot store in text", goType, i)
	}
	if !utf8.ValidString(s) {
		return refuseValue(codeNotInRepertoire, "%s is not valid UTF-8, as text must be: only []byte for a bytea parameter may hold any bytes", goType)
	}
	return nil
}

// appendFloat appends digits without an exponent: integer types and numeric read them too.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}
