package copyformat

import (
	"bytes"
	"io"
)

// TextReader reads the rows of COPY's text format, as it is by default: tabs, and \N for NULL.
type TextReader struct {
	lines  *lineReader
	fields [][]byte
	buf    []byte
	Line   int64 // the last one read, from 1
}

// NewTextReader reads the text format from r.
func NewTextReader(r io.Reader) *TextReader { return &TextReader{lines: newLineReader(r)} }

// Next returns the fields of the next row, valid until the next call, and io.EOF behind the last. A line that is \. ends the
// data.
func (r *TextReader) Next() ([][]byte, error) {
	line, _, err := r.lines.next()
	if err != nil {
		return nil, err
	}
	for endsInEscape(line) { // a line end that a backslash makes plain
		whole := append(bytes.Clone(line), r.lines.end...)
		more, _, err := r.lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line = append(whole, more...)
	}
	r.Line++
	if string(line) == `\.` {
		return nil, io.EOF
	}
	r.fields, r.buf = SplitText(line, r.fields[:0], r.buf[:0])
	return r.fields, nil
}

// endsInEscape reports whether the last byte of a line is a backslash that escapes what follows.
func endsInEscape(line []byte) bool {
	n := len(line) - len(bytes.TrimRight(line, `\`))
	return n%2 == 1
}

// SplitText appends the fields of a line of the text format to fields; their bytes are appended to buf.
func SplitText(line []byte, fields [][]byte, buf []byte) ([][]byte, []byte) {
	if cap(buf)-len(buf) <= len(line) { // what fields refer to must not move
		buf = make([]byte, 0, 2*len(line)+1)
	}
	for {
		field, rest, more := cutField(line)
		if string(field) == `\N` {
			fields = append(fields, nil)
		} else {
			start := len(buf)
			buf = appendUnescaped(buf, field)
			fields = append(fields, buf[start:len(buf):len(buf)])
		}
		if !more {
			return fields, buf
		}
		line = rest
	}
}

// cutField cuts at the first tab that no backslash escapes.
func cutField(line []byte) (field, rest []byte, more bool) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '\t':
			return line[:i], line[i+1:], true
		}
	}
	return line, nil, false
}

// unescapes are what letters behind a backslash stand for.
var unescapes = [256]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

func appendUnescaped(dst, field []byte) []byte {
	for i := 0; i < len(field); i++ {
		b := field[i]
		if b != '\\' || i+1 == len(field) {
			dst = append(dst, b)
			continue
		}
		i++
		switch b = field[i]; {
		case unescapes[b] != 0:
			dst = append(dst, unescapes[b])
		case b >= '0' && b <= '7':
			value, n := digits(field[i:], 3, 8)
			dst = append(dst, value)
			i += n - 1
		case b == 'x':
			if value, n := digits(field[i+1:], 2, 16); n > 0 {
				dst = append(dst, value)
				i += n
				continue
			}
			dst = append(dst, b)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// digits reads up to most digits of a byte's number.
func digits(src []byte, most int, base byte) (value byte, n int) {
	for n < most && n < len(src) {
		d := byte(255)
		switch b := src[n]; {
		case b >= '0' && b <= '9':
			d = b - '0'
		case b >= 'a' && b <= 'f':
			d = b - 'a' + 10
		case b >= 'A' && b <= 'F':
			d = b - 'A' + 10
		}
		if d >= base {
			break
		}
		value = value*base + d
		n++
	}
	return value, n
}
