package driver

import "strings"

// lexer splits SQL text into the tokens that matter to the driver: words, placeholders and punctuation outside of
// strings, quoted names, comments and dollar quotes ("Lexical Structure" in the PostgreSQL manual).
type lexer struct {
	sql      string
	pos      int
	standard bool // standard_conforming_strings: a backslash in a plain string is a backslash
}

// token is a piece of SQL text.
type token struct {
	kind  byte // 'w' word, 'p' placeholder $n, 'q' quoted string or name, or the punctuation itself; 0 at the end
	start int
	text  string
}

// next returns the next token, of kind 0 at the end.
func (l *lexer) next() token {
	l.skipBlank()
	if l.pos >= len(l.sql) {
		return token{start: len(l.sql)}
	}
	start, kind := l.pos, l.sql[l.pos]
	switch c := kind; {
	case c == '\'':
		l.skipString('\'', !l.standard)
		kind = 'q'
	case c == '"':
		l.skipString('"', false)
		kind = 'q'
	case c == '$':
		kind = l.dollar()
	case isWordStart(c):
		kind = l.word()
	case c >= '0' && c <= '9':
		l.skipWhile(isWordPart)
		kind = '0'
	default:
		l.pos++
	}
	return token{kind: kind, start: start, text: l.sql[start:l.pos]}
}

// word reads a word, or a string that a letter introduces (E'…', B'…', X'…', N'…', U&'…', U&"…").
func (l *lexer) word() byte {
	start := l.pos
	l.skipWhile(isWordPart)
	if l.pos >= len(l.sql) {
		return 'w'
	}
	prefix, next := l.sql[start:l.pos], l.sql[l.pos]
	switch {
	case len(prefix) == 1 && next == '\'' && strings.Contains("eEbBxXnN", prefix):
		l.skipString('\'', prefix == "e" || prefix == "E" || !l.standard)
		return 'q'
	case (prefix == "u" || prefix == "U") && next == '&' && l.pos+1 < len(l.sql) && (l.sql[l.pos+1] == '\'' || l.sql[l.pos+1] == '"'):
		l.pos++
		l.skipString(l.sql[l.pos], false)
		return 'q'
	}
	return 'w'
}

// dollar reads a placeholder ($1), a dollar-quoted string ($$…$$, $tag$…$tag$), or a lone dollar.
func (l *lexer) dollar() byte {
	start := l.pos
	l.pos++
	if l.pos < len(l.sql) && isDigit(l.sql[l.pos]) {
		l.skipWhile(isDigit)
		return 'p'
	}
	if l.pos < len(l.sql) && isWordStart(l.sql[l.pos]) {
		l.skipWhile(func(c byte) bool { return isWordStart(c) || isDigit(c) })
	}
	if l.pos >= len(l.sql) || l.sql[l.pos] != '$' {
		return '$'
	}
	l.pos++
	tag := l.sql[start:l.pos]
	if end := strings.Index(l.sql[l.pos:], tag); end >= 0 {
		l.pos += end + len(tag)
	} else {
		l.pos = len(l.sql)
	}
	return 'q'
}

// skipString skips a quoted string or name whose opening quote is at pos. A doubled quote is part of it.
func (l *lexer) skipString(quote byte, escapes bool) {
	for l.pos++; l.pos < len(l.sql); l.pos++ {
		switch c := l.sql[l.pos]; {
		case c == '\\' && escapes:
			l.pos++
		case c == quote:
			if l.pos+1 >= len(l.sql) || l.sql[l.pos+1] != quote {
				l.pos++
				return
			}
			l.pos++
		}
	}
	l.pos = len(l.sql)
}

// skipBlank skips white space and comments; block comments nest.
func (l *lexer) skipBlank() {
	for l.pos < len(l.sql) {
		switch rest := l.sql[l.pos:]; {
		case strings.IndexByte(" \t\n\r\v\f", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"):
			if end := strings.IndexAny(rest, "\n\r"); end >= 0 {
				l.pos += end
			} else {
				l.pos = len(l.sql)
			}
		case strings.HasPrefix(rest, "/*"):
			l.skipBlockComment()
		default:
			return
		}
	}
}

func (l *lexer) skipBlockComment() {
	depth := 0
	for l.pos < len(l.sql) {
		switch rest := l.sql[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return
			}
		default:
			l.pos++
		}
	}
}

func (l *lexer) skipWhile(in func(byte) bool) {
	for l.pos < len(l.sql) && in(l.sql[l.pos]) {
		l.pos++
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isWordPart(c byte) bool { return isWordStart(c) || isDigit(c) || c == '$' }

// severalStatements reports whether sql may hold more than one statement. In doubt (a SQL-standard function body) it does.
func severalStatements(sql string, standard bool) bool {
	several, doubt := scanStatements(sql, standard)
	return several || doubt
}

// surelySeveral reports whether sql holds more than one statement. In doubt it does not.
func surelySeveral(sql string, standard bool) bool {
	if strings.IndexByte(sql, ';') < 0 {
		return false
	}
	several, _ := scanStatements(sql, standard)
	return several
}

func scanStatements(sql string, standard bool) (several, doubt bool) {
	l := lexer{sql: sql, standard: standard}
	depth, ended := 0, false
	for {
		t := l.next()
		switch {
		case t.kind == 0:
			return false, false
		case t.kind == ';':
			ended = ended || depth <= 0
			continue
		case ended:
			return true, false
		case t.kind == 'w' && strings.EqualFold(t.text, "atomic"):
			return false, true
		case t.kind == '(':
			depth++
		case t.kind == ')':
			depth--
		}
	}
}

// countPlaceholders is the highest n of a $n in sql: the number of arguments that it takes.
func countPlaceholders(sql string, standard bool) int {
	if strings.IndexByte(sql, '$') < 0 {
		return 0
	}
	l := lexer{sql: sql, standard: standard}
	highest := 0
	for t := l.next(); t.kind != 0; t = l.next() {
		if t.kind != 'p' {
			continue
		}
		n := 0
		for _, c := range []byte(t.text[1:]) {
			n = min(n*10+int(c-'0'), maxParams+1)
		}
		highest = max(highest, n)
	}
	return highest
}

// refuseCopy refuses a COPY that reads from the client or writes to it: its data has no way through Exec and Query.
func refuseCopy(sql string, standard bool) error {
	if _, ok := parseCopy(sql, standard); ok {
		return errCopy
	}
	return nil
}
