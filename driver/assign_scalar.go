package driver

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// assignScalar fills a string, a bool or a number.
func (c *codecs) assignScalar(dst reflect.Value, oid uint32, text []byte) (err error) {
	s := string(text)
	switch kind := dst.Kind(); {
	case kind == reflect.String:
		if oid == pgtype.ByteaOID {
			b, err := decodeByteaText(c, text)
			if err != nil {
				return err
			}
			s = string(b.([]byte))
		}
		dst.SetString(s)
		return nil
	case kind == reflect.Bool:
		var b bool
		switch s {
		case "t", "true":
			b = true
		case "f", "false":
		default:
			return malformed("bool", text)
		}
		dst.SetBool(b)
		return nil
	case dst.CanInt():
		var n int64
		if n, err = strconv.ParseInt(whole(s), 10, dst.Type().Bits()); err == nil {
			dst.SetInt(n)
		}
	case dst.CanUint():
		var n uint64
		if n, err = strconv.ParseUint(whole(s), 10, dst.Type().Bits()); err == nil {
			dst.SetUint(n)
		}
	case dst.CanFloat():
		var f float64
		if f, err = strconv.ParseFloat(s, dst.Type().Bits()); err == nil {
			dst.SetFloat(f)
		}
	default:
		return fmt.Errorf("cannot read %s from text", dst.Type())
	}
	if err != nil {
		return fmt.Errorf("%q does not fit %s: %w", abbreviate(s), dst.Type(), numError(err))
	}
	return nil
}

// whole is a number without a fraction of zeros.
func whole(s string) string {
	for i := range len(s) {
		if s[i] != '.' {
			continue
		}
		for _, digit := range s[i+1:] {
			if digit != '0' {
				return s
			}
		}
		return s[:i]
	}
	return s
}

// assignBytes fills a slice of bytes.
func (c *codecs) assignBytes(dst reflect.Value, oid uint32, text []byte) error {
	b := copied(text)
	if c.base(oid) == pgtype.ByteaOID {
		v, err := decodeByteaText(c, text)
		if err != nil {
			return err
		}
		b = v.([]byte)
	}
	dst.SetBytes(b)
	return nil
}

// assignTime fills a time.Time from a date, a timestamp or a time of day, or a time.Duration from an interval, a time of day or
// nanoseconds.
func (c *codecs) assignTime(dst reflect.Value, oid uint32, text []byte) error {
	if dst.Type() == durationType {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			dst.SetInt(n)
			return nil
		}
		var i pgtype.Interval
		if err := i.Scan(string(text)); err != nil {
			return err
		}
		const day = int64(24 * time.Hour)
		micros := i.Microseconds * 1000
		if i.Months != 0 || micros/1000 != i.Microseconds || int64(i.Days) > 1<<62/day || int64(i.Days) < -(1<<62/day) || micros > 1<<62 || micros < -1<<62 {
			return fmt.Errorf("interval %s does not fit a time.Duration", text)
		}
		dst.SetInt(int64(i.Days)*day + micros)
		return nil
	}
	t, ok := parseTimestamp(text)
	switch {
	case ok && (oid == pgtype.DateOID || oid == pgtype.TimestampOID):
		t = t.In(c.zoneless())
	case ok && oid == pgtype.TimestamptzOID, ok && hasOffset(text):
		t = t.In(c.location())
	case !ok:
		if t, ok = parseTimeOfDay(text); !ok {
			return malformed("time", text)
		}
	}
	dst.Set(reflect.ValueOf(t))
	return nil
}

// hasOffset reports whether the text of a timestamp ends with an offset from UTC.
func hasOffset(text []byte) bool {
	for i := len(text) - 1; i > 10; i-- { // behind the date
		if text[i] == '+' || text[i] == '-' {
			return true
		}
	}
	return false
}
