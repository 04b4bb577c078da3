package ext

import (
	sqldriver "database/sql/driver"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Numeric is a value of type numeric with each of its digits: of any size, 1.50 with its zero, NaN and the infinities. Its zero
// value is 0. Two that are written alike are equal by ==; 1.5 and 1.50 are not. NULL needs a *Numeric or a sql.Null.
type Numeric struct{ text string } // "" is 0

// ParseNumeric reads decimal digits with or without a point and an exponent, NaN, Infinity and -Infinity.
func ParseNumeric(text string) (Numeric, error) {
	switch text {
	case "NaN", "Infinity", "-Infinity":
		return Numeric{text}, nil
	}
	if !isDecimal(text) {
		return Numeric{}, fmt.Errorf("ext: numeric %q: not a number", text)
	}
	return Numeric{strings.TrimPrefix(text, "+")}, nil
}

// isDecimal reports whether a text is digits with a sign, a point or an exponent.
func isDecimal(text string) bool {
	mantissa, exponent, has := strings.Cut(strings.ToLower(text), "e")
	if has {
		if _, err := strconv.ParseInt(exponent, 10, 32); err != nil {
			return false
		}
	}
	mantissa = strings.TrimLeft(mantissa, "+-")
	if len(text)-len(mantissa) > 1 && strings.Trim(text[:2], "+-") == "" {
		return false
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// String is the number as it was written.
func (n Numeric) String() string {
	if n.text == "" {
		return "0"
	}
	return n.text
}

// IsNaN reports whether it is no number.
func (n Numeric) IsNaN() bool { return n.text == "NaN" }

// IsInf reports whether it is infinite, by a positive sign, a negative sign, or either with 0.
func (n Numeric) IsInf(sign int) bool {
	return sign >= 0 && n.text == "Infinity" || sign <= 0 && n.text == "-Infinity"
}

// Rat is the exact value; ok is false for NaN, the infinities and exponents beyond all use.
func (n Numeric) Rat() (r *big.Rat, ok bool) {
	if n.IsNaN() || n.IsInf(0) {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

// Float64 is the nearest float64, infinite beyond its range.
func (n Numeric) Float64() float64 {
	f, _ := strconv.ParseFloat(n.String(), 64)
	return f
}

// Scan implements [database/sql.Scanner].
func (n *Numeric) Scan(src any) (err error) {
	var text string
	switch src := src.(type) {
	case int64:
		text = strconv.FormatInt(src, 10)
	case float64:
		text = strings.Replace(strconv.FormatFloat(src, 'f', -1, 64), "Inf", "Infinity", 1)
		text = strings.TrimPrefix(text, "+")
	default:
		if text, err = notNull("numeric", src); err != nil {
			return err
		}
	}
	parsed, err := ParseNumeric(text)
	if err != nil {
		return err
	}
	*n = parsed
	return nil
}

// Value implements [sqldriver.Valuer].
func (n Numeric) Value() (sqldriver.Value, error) { return n.String(), nil }

// MarshalText implements [encoding.TextMarshaler].
func (n Numeric) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (n *Numeric) UnmarshalText(text []byte) error { return n.Scan(string(text)) }
