package driver

import (
	"fmt"
)

// appendCopyRow appends a row in COPY's text format: values by tabs, a newline behind them, NULL as \N. oids are the types
// of the columns, 0 for one that is not known.
func (c *codecs) appendCopyRow(dst []byte, oids []uint32, values []any) ([]byte, error) {
	start := len(dst)
	for i, v := range values {
		if i > 0 {
			dst = append(dst, '\t')
		}
		var err error
		if dst, err = c.appendCopyValue(dst, oids[i], v); err != nil {
			return dst[:start], fmt.Errorf("value %d: %w", i+1, err)
		}
	}
	return append(dst, '\n'), nil
}

func (c *codecs) appendCopyValue(dst []byte, oid uint32, v any) (_ []byte, err error) {
	start, null := len(dst), false
	switch v := v.(type) {
	case string: // whatever the type: lib/pq sends it as it is
		dst, err = appendString(dst, v, "string")
	case []byte:
		if null = v == nil; !null && oid == 0 { // lib/pq's guess
			dst = appendHex(dst, v)
			break
		}
		dst, null, err = c.appendText(dst, c.base(oid), v)
	default:
		dst, null, err = c.appendText(dst, c.base(oid), v)
	}
	switch {
	case err != nil:
		return dst[:start], err
	case null:
		return append(dst[:start], `\N`...), nil
	}
	return escapeCopy(dst, start), nil
}

// copyEscapes are the letters behind a backslash that stand for what COPY's text format cannot hold.
var copyEscapes = [256]byte{'\\': '\\', '\t': 't', '\n': 'n', '\r': 'r'}

// escapeCopy escapes dst[start:] where it is.
func escapeCopy(dst []byte, start int) []byte {
	extra := 0
	for _, b := range dst[start:] {
		if copyEscapes[b] != 0 {
			extra++
		}
	}
	if extra == 0 {
		return dst
	}
	from := len(dst) - 1
	for range extra {
		dst = append(dst, 0)
	}
	for to := len(dst) - 1; from >= start; from-- {
		b := dst[from]
		if e := copyEscapes[b]; e != 0 {
			dst[to], dst[to-1] = e, '\\'
			to -= 2
			continue
		}
		dst[to] = b
		to--
	}
	return dst
}
