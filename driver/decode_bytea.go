package driver

import (
	"bytes"
	sqldriver "database/sql/driver"
	"encoding/hex"
)

// decodeByteaText reads both text forms of bytea: hex ("\x4142") and escape ("A\\102").
func decodeByteaText(_ *codecs, src []byte) (sqldriver.Value, error) {
	if digits, ok := bytes.CutPrefix(src, []byte(`\x`)); ok {
		dst := make([]byte, hex.DecodedLen(len(digits)))
		if _, err := hex.Decode(dst, digits); err != nil {
			return nil, malformed("bytea", src)
		}
		return dst, nil
	}
	dst := make([]byte, 0, len(src))
	for i := 0; i < len(src); {
		if src[i] != '\\' {
			dst = append(dst, src[i])
			i++
			continue
		}
		b, n := unescapeByte(src[i+1:])
		if n == 0 {
			return nil, malformed("bytea", src)
		}
		dst = append(dst, b)
		i += 1 + n
	}
	return dst, nil
}

// ParseBytea is the bytes of the text of a bytea, whatever bytea_output was when the server wrote it. It is for package ext.
func ParseBytea(text string) ([]byte, error) {
	v, err := decodeByteaText(nil, []byte(text))
	b, _ := v.([]byte)
	return b, err
}

// unescapeByte reads what follows a backslash: another one, or three octal digits. n is 0 for anything else.
func unescapeByte(src []byte) (b byte, n int) {
	if len(src) > 0 && src[0] == '\\' {
		return '\\', 1
	}
	if len(src) < 3 || src[0] > '3' {
		return 0, 0
	}
	for _, digit := range src[:3] {
		if digit < '0' || digit > '7' {
			return 0, 0
		}
		b = b<<3 | (digit - '0')
	}
	return b, 3
}
