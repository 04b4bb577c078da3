// Package pgtext takes apart, and puts together, the text forms of PostgreSQL's values that hold others: arrays, composites,
// ranges, multiranges and hstores. It knows nothing of the types of what they hold, and does no I/O.
package pgtext

import (
	"fmt"
	"strings"
)

// Item is an element, a field or a bound.
type Item struct {
	Text string
	Null bool
}

// AppendQuoted appends s in double quotes, as all of these forms take it.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return append(append(dst, s...), '"')
		}
		dst = append(append(dst, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
}

// reader reads a text from left to right.
type reader struct {
	kind string // for errors
	text string
	at   int
}

func (r *reader) fail(why string) error {
	return fmt.Errorf("%s at byte %d of the text of %s", why, r.at, r.kind)
}

// peek is the next byte, 0 at the end.
func (r *reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

// take consumes b if it comes next.
func (r *reader) take(b byte) bool {
	if r.at == len(r.text) || r.text[r.at] != b {
		return false
	}
	r.at++
	return true
}

func (r *reader) expect(b byte) error {
	if !r.take(b) {
		return r.fail(fmt.Sprintf("no %q", b))
	}
	return nil
}

func (r *reader) skipSpace() {
	for r.at < len(r.text) && strings.IndexByte(" \t\n\r\v\f", r.text[r.at]) >= 0 {
		r.at++
	}
}

// end makes sure that nothing is left.
func (r *reader) end() error {
	if r.at < len(r.text) {
		return r.fail("something follows the end")
	}
	return nil
}

// quoted reads what is left of a text in double quotes. A backslash protects the next byte; where doubled is set, two quotes
// are one.
func (r *reader) quoted(doubled bool) (string, error) {
	if i := strings.IndexAny(r.text[r.at:], `"\`); i >= 0 && r.text[r.at+i] == '"' && !(doubled && strings.HasPrefix(r.text[r.at+i+1:], `"`)) {
		s := r.text[r.at : r.at+i]
		r.at += i + 1
		return s, nil
	}
	var b strings.Builder
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"' && doubled && r.take('"'):
			b.WriteByte('"')
		case c == '"':
			return b.String(), nil
		case c == '\\' && r.at < len(r.text):
			b.WriteByte(r.text[r.at])
			r.at++
		default:
			b.WriteByte(c)
		}
	}
	return "", r.fail("an open quote")
}

// bare reads up to a byte of ends, with parts of it in quotes. wasQuoted says that there were quotes.
func (r *reader) bare(ends string) (text string, wasQuoted bool, err error) {
	if i := strings.IndexAny(r.text[r.at:], ends+`"\`); i >= 0 && r.text[r.at+i] != '"' && r.text[r.at+i] != '\\' {
		text = r.text[r.at : r.at+i]
		r.at += i
		return text, false, nil
	}
	var b strings.Builder
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			part, err := r.quoted(true)
			if err != nil {
				return "", false, err
			}
			b.WriteString(part)
			wasQuoted = true
		case c == '\\' && r.at+1 < len(r.text):
			b.WriteByte(r.text[r.at+1])
			r.at += 2
		case strings.IndexByte(ends, c) >= 0:
			return b.String(), wasQuoted, nil
		default:
			b.WriteByte(c)
			r.at++
		}
	}
	return "", false, r.fail("the text breaks off")
}
