package copyformat

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// CSV are the characters of a CSV file. The zero value is PostgreSQL's default: commas, double quotes, NULL as nothing.
type CSV struct {
	Delimiter byte   // 0 is a comma
	Quote     byte   // 0 is a double quote
	Escape    byte   // 0 is the quote: it is doubled
	Null      string // what stands for NULL, without quotes
}

// Normal is c with the defaults filled in, or an error where the server would refuse it.
func (c CSV) Normal() (CSV, error) {
	if c.Delimiter == 0 {
		c.Delimiter = ','
	}
	if c.Quote == 0 {
		c.Quote = '"'
	}
	if c.Escape == 0 {
		c.Escape = c.Quote
	}
	for _, ch := range []byte{c.Delimiter, c.Quote, c.Escape} {
		if ch == '\n' || ch == '\r' || ch >= 0x80 {
			return c, fmt.Errorf("%q cannot be the delimiter, quote or escape of CSV: it takes a single ASCII character", ch)
		}
	}
	switch {
	case c.Delimiter == c.Quote:
		return c, fmt.Errorf("delimiter and quote of CSV are both %q", c.Quote)
	case strings.ContainsAny(c.Null, "\r\n"):
		return c, errors.New("the text for NULL holds a line end")
	case strings.IndexByte(c.Null, c.Delimiter) >= 0 || strings.IndexByte(c.Null, c.Quote) >= 0:
		return c, fmt.Errorf("the text %q for NULL holds the delimiter or the quote", c.Null)
	}
	return c, nil
}

// Options are the options of a COPY statement that reads or writes c, which is normal: "format csv, …".
func (c CSV) Options() []string {
	options := []string{"format csv"}
	for _, o := range []struct {
		name       string
		value, def byte
	}{{"delimiter", c.Delimiter, ','}, {"quote", c.Quote, '"'}, {"escape", c.Escape, c.Quote}} {
		if o.value != o.def {
			options = append(options, o.name+" "+Literal(string(o.value)))
		}
	}
	if c.Null != "" {
		options = append(options, "null "+Literal(c.Null))
	}
	return options
}

// Literal is a text as an SQL literal that means the same whatever the session's settings.
func Literal(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// AppendField appends a field, in quotes where it needs them. c is normal.
func (c CSV) AppendField(dst, field []byte) []byte {
	if field == nil {
		return append(dst, c.Null...)
	}
	if !c.needsQuotes(field) {
		return append(dst, field...)
	}
	dst = append(dst, c.Quote)
	for _, b := range field {
		if b == c.Quote || b == c.Escape {
			dst = append(dst, c.Escape)
		}
		dst = append(dst, b)
	}
	return append(dst, c.Quote)
}

// needsQuotes reports whether a field would be read as something else: another text, NULL, or the end of the data.
func (c CSV) needsQuotes(field []byte) bool {
	if string(field) == c.Null || string(field) == `\.` {
		return true
	}
	for _, b := range field {
		if b == c.Delimiter || b == c.Quote || b == '\n' || b == '\r' {
			return true
		}
	}
	return false
}

// AppendRow appends a line.
func (c CSV) AppendRow(dst []byte, fields [][]byte) []byte {
	for i, field := range fields {
		if i > 0 {
			dst = append(dst, c.Delimiter)
		}
		dst = c.AppendField(dst, field)
	}
	return append(dst, '\n')
}

// ErrOpenQuote is the error of data that ends inside of quotes.
var ErrOpenQuote = errors.New("unterminated quoted field")

// split appends the fields of a whole record, without its line end, to fields; their bytes are appended to buf.
func (c CSV) split(record []byte, fields [][]byte, buf []byte) ([][]byte, []byte) {
	if cap(buf)-len(buf) <= len(record) { // what fields refer to must not move
		buf = make([]byte, 0, 2*len(record)+1)
	}
	for more := true; more; {
		start, quoted := len(buf), false
		buf, record, quoted, more = c.field(buf, record)
		if !quoted && string(buf[start:]) == c.Null {
			fields = append(fields, nil)
			continue
		}
		fields = append(fields, buf[start:len(buf):len(buf)])
	}
	return fields, buf
}

// field reads one field of a record onto buf. more says that a delimiter ended it.
func (c CSV) field(buf, rest []byte) (_, _ []byte, quoted, more bool) {
	inside := false
	for i := 0; i < len(rest); i++ {
		b := rest[i]
		switch {
		case inside && b == c.Escape && i+1 < len(rest) && (rest[i+1] == c.Quote || rest[i+1] == c.Escape):
			i++
			buf = append(buf, rest[i])
		case b == c.Quote:
			inside, quoted = !inside, true
		case b == c.Delimiter && !inside:
			return buf, rest[i+1:], quoted, true
		default:
			buf = append(buf, b)
		}
	}
	return buf, nil, quoted, false
}

// openAfter reports whether the line ends inside of quotes, where it began inside of them or not.
func (c CSV) openAfter(line []byte, inside bool) bool {
	if c.Escape == c.Quote {
		return inside != (bytes.Count(line, []byte{c.Quote})%2 == 1)
	}
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case inside && b == c.Escape && i+1 < len(line) && (line[i+1] == c.Quote || line[i+1] == c.Escape):
			i++
		case b == c.Quote:
			inside = !inside
		}
	}
	return inside
}
