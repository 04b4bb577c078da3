package driver

import (
	"iter"
	"strings"
)

// Statements yields the statements of a SQL text that holds several, each with the offset of its first byte: without the
// semicolon, and without blanks and comments around it. Semicolons in strings, comments, parentheses and the bodies of
// SQL-standard functions (begin atomic … end) separate nothing. Plain strings are read as standard_conforming_strings=on
// has them. psql's own commands (\connect, the data of a COPY) are not understood.
func Statements(sql string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		l := lexer{sql: sql, standard: true}
		var body atomicBody
		start, end, depth := -1, 0, 0
		for {
			t := l.next()
			ends := t.kind == 0 || t.kind == ';' && depth <= 0 && !body.open()
			switch {
			case ends && start >= 0:
				if !yield(start, sql[start:end]) {
					return
				}
				start, depth, body = -1, 0, atomicBody{}
			case !ends && start < 0:
				start = t.start
			}
			if t.kind == 0 {
				return
			}
			switch t.kind {
			case '(':
				depth++
			case ')':
				depth--
			case 'w':
				body.word(t.text)
			}
			end = l.pos
		}
	}
}

// atomicBody follows the words of a statement through the body of a SQL-standard function, in which semicolons end
// statements of the body: from "begin atomic" to its end. A case has an end too.
type atomicBody struct {
	last  string // word, in lower case
	depth int
}

func (b *atomicBody) open() bool { return b.depth > 0 }

func (b *atomicBody) word(text string) {
	word := strings.ToLower(text)
	switch {
	case word == "atomic" && b.last == "begin":
		b.depth++
	case word == "case" && b.depth > 0:
		b.depth++
	case word == "end" && b.depth > 0:
		b.depth--
	}
	b.last = word
}

// LineComments yields the "--" comments of a SQL text that are comments indeed, not parts of strings or of other comments,
// each with the offset of its first byte, and without the line's end.
func LineComments(sql string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		l := lexer{sql: sql, standard: true}
		for {
			blank := lexer{sql: sql, pos: l.pos}
			l.skipBlank()
			for blank.pos < l.pos {
				rest := sql[blank.pos:l.pos]
				switch {
				case strings.HasPrefix(rest, "--"):
					start := blank.pos
					blank.pos += lineLen(rest)
					if !yield(start, sql[start:blank.pos]) {
						return
					}
				case strings.HasPrefix(rest, "/*"):
					blank.skipBlockComment()
				default:
					blank.pos++
				}
			}
			if l.next().kind == 0 {
				return
			}
		}
	}
}

// lineLen is the length of the line that text begins with, without its end.
func lineLen(text string) int {
	if i := strings.IndexAny(text, "\n\r"); i >= 0 {
		return i
	}
	return len(text)
}
