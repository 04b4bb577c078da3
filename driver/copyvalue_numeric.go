package driver

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// Signs of the binary form of numeric.
const (
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericPlusInf  = 0xD000
	numericMinusInf = 0xF000
)

// What a numeric holds: digits before and behind the decimal point.
const (
	maxNumericWhole = 131072
	maxNumericScale = 16383
)

var errNumericRange = errors.New("out of the range of numeric")

// appendNumeric appends the binary form of decimal text: digits of base 10000, with the scale that was written.
func appendNumeric(dst []byte, text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if sign, ok := specialNumeric(text); ok {
		dst = binary.BigEndian.AppendUint16(dst, 0)
		dst = binary.BigEndian.AppendUint16(dst, 0)
		dst = binary.BigEndian.AppendUint16(dst, sign)
		return binary.BigEndian.AppendUint16(dst, 0), nil
	}
	sign := uint16(0)
	switch {
	case strings.HasPrefix(text, "-"):
		sign, text = numericNegative, text[1:]
	case strings.HasPrefix(text, "+"):
		text = text[1:]
	}
	whole, fraction, err := splitDecimal(text)
	if err != nil {
		return dst, err
	}
	scale := len(fraction)
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > maxNumericWhole || scale > maxNumericScale {
		return dst, errNumericRange
	}
	digits := whole + fraction
	weight := (len(whole)+3)/4 - 1
	if pad := len(whole) % 4; pad != 0 {
		digits = "0000"[pad:] + digits
	}
	if pad := len(digits) % 4; pad != 0 {
		digits += "0000"[pad:]
	}
	for strings.HasPrefix(digits, "0000") {
		digits = digits[4:]
		weight--
	}
	for strings.HasSuffix(digits, "0000") {
		digits = digits[:len(digits)-4]
	}
	if digits == "" {
		weight, sign = 0, 0
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(digits)/4))
	dst = binary.BigEndian.AppendUint16(dst, uint16(int16(weight)))
	dst = binary.BigEndian.AppendUint16(dst, sign)
	dst = binary.BigEndian.AppendUint16(dst, uint16(scale))
	for ; digits != ""; digits = digits[4:] {
		n := 0
		for _, d := range []byte(digits[:4]) {
			n = n*10 + int(d-'0')
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	}
	return dst, nil
}

func specialNumeric(text string) (sign uint16, ok bool) {
	switch strings.ToLower(text) {
	case "nan":
		return numericNaN, true
	case "infinity", "+infinity", "inf", "+inf":
		return numericPlusInf, true
	case "-infinity", "-inf":
		return numericMinusInf, true
	}
	return 0, false
}

// splitDecimal splits digits at the decimal point, after moving it by the exponent.
func splitDecimal(text string) (whole, fraction string, err error) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		if exponent, err = strconv.Atoi(text[i+1:]); err != nil {
			return "", "", errNoValue
		}
		if exponent > 2*maxNumericWhole || exponent < -2*maxNumericWhole {
			return "", "", errNumericRange
		}
	}
	whole, fraction, _ = strings.Cut(mantissa, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return "", "", errNoValue
	}
	switch {
	case exponent > 0:
		if missing := exponent - len(fraction); missing > 0 {
			fraction += strings.Repeat("0", missing)
		}
		whole, fraction = whole+fraction[:exponent], fraction[exponent:]
	case exponent < 0:
		if missing := -exponent - len(whole); missing > 0 {
			whole = strings.Repeat("0", missing) + whole
		}
		whole, fraction = whole[:len(whole)+exponent], whole[len(whole)+exponent:]+fraction
	}
	return whole, fraction, nil
}
