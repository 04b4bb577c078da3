package admin

import (
	"errors"
	"fmt"
	"strings"
)

// Types, expressions and conditions are SQL of the caller's. A fragment is checked so that it stays in its place: it closes its
// quotes, parentheses and comments (one that ends with its line ends before the fragment does), and holds no semicolon. It is no
// place for a text that a user of the program has written: that belongs in a parameter of a statement.

// expression checks SQL that stands in parentheses or at the end of a clause.
func expression(what, sql string) error {
	_, err := split(what, sql)
	return err
}

// single checks SQL that stands in a list: commas belong in parentheses.
func single(what, sql string) error {
	parts, err := split(what, sql)
	if err == nil && len(parts) > 1 {
		return fmt.Errorf("%s %q: a comma outside of parentheses", what, sql)
	}
	return err
}

// split checks a fragment and splits it at the commas outside of parentheses and quotes.
func split(what, sql string) (parts []string, err error) {
	fail := func(format string, args ...any) ([]string, error) {
		return nil, fmt.Errorf("%s %q: %w", what, sql, fmt.Errorf(format, args...))
	}
	if strings.TrimSpace(sql) == "" {
		return fail("it is empty")
	}
	if strings.IndexByte(sql, 0) >= 0 {
		return fail("%w", errNUL)
	}
	var open []byte // the closing brackets that are due
	start := 0
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '(':
			open = append(open, ')')
		case c == '[':
			open = append(open, ']')
		case c == ')' || c == ']':
			if len(open) == 0 || open[len(open)-1] != c {
				return fail("%q closes nothing", c)
			}
			open = open[:len(open)-1]
		case c == ';':
			return fail("a semicolon")
		case strings.HasPrefix(sql[i:], "--"), strings.HasPrefix(sql[i:], "/*"):
			n := commentEnd(sql[i:])
			if n == 0 {
				return fail("an open comment")
			}
			i += n
			continue
		case c == ',' && len(open) == 0:
			parts = append(parts, strings.TrimSpace(sql[start:i]))
			start = i + 1
		case c == '\'' || c == '"' || c == '$' || nameByte(c):
			n, err := tokenEnd(sql[i:])
			if err != nil {
				return fail("%w", err)
			}
			i += n
			continue
		}
		i++
	}
	if len(open) > 0 {
		return fail("an open %q", map[byte]byte{')': '(', ']': '['}[open[len(open)-1]])
	}
	return append(parts, strings.TrimSpace(sql[start:])), nil
}

// nameByte reports whether a byte can be part of a name or number outside of quotes.
func nameByte(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// tokenEnd is the length of the word or the quoted text at the beginning of sql.
func tokenEnd(sql string) (int, error) {
	switch sql[0] {
	case '\'', '"':
		return quotedEnd(sql, false)
	case '$':
		return dollarEnd(sql)
	}
	n := 1
	for n < len(sql) && (nameByte(sql[n]) || sql[n] == '$') {
		n++
	}
	if word := sql[:n]; n < len(sql) && sql[n] == '\'' && (word == "e" || word == "E") {
		end, err := quotedEnd(sql[n:], true)
		if err == nil && strings.HasPrefix(strings.TrimSpace(sql[n+end:]), "'") {
			err = errContinued
		}
		return n + end, err
	}
	return n, nil
}

var (
	errOpenQuote = errors.New("an open quote")
	errContinued = errors.New("a text that goes on behind an E'…' text: write it as one")
)

// quotedEnd is the length of the quoted text that sql begins with. A doubled quote is two texts side by side.
func quotedEnd(sql string, backslashes bool) (int, error) {
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\' && backslashes:
			i++
		case sql[i] == sql[0]:
			if backslashes && i+1 < len(sql) && sql[i+1] == sql[0] {
				i++
				continue
			}
			return i + 1, nil
		}
	}
	return 0, errOpenQuote
}

// dollarEnd is the length of the dollar-quoted text that sql begins with, or of the dollar sign alone.
func dollarEnd(sql string) (int, error) {
	tag := 1
	for tag < len(sql) && nameByte(sql[tag]) {
		tag++
	}
	if tag == len(sql) || sql[tag] != '$' || '0' <= sql[1] && sql[1] <= '9' {
		return 1, nil
	}
	delimiter := sql[:tag+1]
	end := strings.Index(sql[len(delimiter):], delimiter)
	if end < 0 {
		return 0, errOpenQuote
	}
	return len(delimiter) + end + len(delimiter), nil
}

// commentEnd is the length of the comment that sql begins with, 0 where it does not end. Comments in /* */ nest.
func commentEnd(sql string) int {
	if sql[0] == '-' {
		return strings.IndexAny(sql, "\n\r") + 1
	}
	depth := 0
	for i := 0; i+1 < len(sql); {
		switch sql[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return 0
}
