package driver

import (
	"bytes"
	sqldriver "database/sql/driver"
	"encoding/hex"
	"fmt"

	"github.com/pycopg/pycopg/internal/pgtext"
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

// HexByteas is the text of an array of bytea with its elements in hex form, whatever bytea_output was when the server wrote it.
func HexByteas(text string) (string, error) {
	items, dims, err := pgtext.ParseArray(text, ',')
	if err != nil {
		return "", err
	}
	for i, item := range items {
		if item.Null {
			continue
		}
		b, err := decodeByteaText(nil, []byte(item.Text))
		if err != nil {
			return "", fmt.Errorf("array element %d: %w", i, err)
		}
		items[i].Text = string(appendHex(nil, b.([]byte)))
	}
	hexed, err := pgtext.AppendArray(nil, items, dims, ',')
	return string(hexed), err
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
