package driver

import (
	"errors"
	"fmt"
	"strings"
)

// copyStatement is what the driver reads in the text of a COPY that exchanges data with the client.
type copyStatement struct {
	in      bool     // COPY … FROM STDIN; else COPY … TO STDOUT
	table   string   // the table as written, without blanks; "" for a query
	columns []string // the column list, nil where there is none or where it cannot be read
	options []string // the words and strings behind STDIN, in lower case, up to a WHERE
}

// parseCopy reads sql. ok is false when it is no COPY from or to the client. STDIN and STDOUT mean the same to the
// server: FROM and TO decide.
func parseCopy(sql string, standard bool) (cs copyStatement, ok bool) {
	l := lexer{sql: sql, standard: standard}
	if !l.copyHead(&cs) {
		return cs, false
	}
	for t := l.next(); t.kind != 0 && !t.is("where"); t = l.next() {
		switch t.kind {
		case 'w':
			cs.options = append(cs.options, strings.ToLower(t.text))
		case 'q':
			cs.options = append(cs.options, strings.ToLower(strings.Trim(t.text, `'"`)))
		}
	}
	return cs, true
}

// copyHead reads a COPY up to STDIN or STDOUT.
func (l *lexer) copyHead(cs *copyStatement) (ok bool) {
	if !l.next().is("copy") {
		return false
	}
	var table strings.Builder
	t := l.next()
	if t.is("binary") {
		cs.options = append(cs.options, "binary")
		t = l.next()
	}
	for ; t.kind != 0 && !t.is("from") && !t.is("to"); t = l.next() {
		if t.kind != '(' {
			table.WriteString(t.text)
			continue
		}
		cs.columns = l.columnList()
		if table.Len() == 0 {
			cs.columns = nil // a query
		}
	}
	cs.in, cs.table = t.is("from"), table.String()
	t = l.next()
	return t.is("stdin") || t.is("stdout")
}

// is reports whether t is the unquoted word, which is given in lower case.
func (t token) is(word string) bool { return t.kind == 'w' && strings.EqualFold(t.text, word) }

// columnList reads up to the parenthesis that closes the one before pos, and returns the names inside. It returns nil
// where there is anything but names.
func (l *lexer) columnList() []string {
	names, plain, depth := []string{}, true, 1
	for {
		t := l.next()
		switch {
		case t.kind == 0:
			return nil
		case t.kind == '(':
			depth++
		case t.kind == ')':
			if depth--; depth == 0 {
				if !plain {
					return nil
				}
				return names
			}
		case t.kind == ',':
			continue
		case t.kind == 'w':
			names = append(names, strings.Map(lowerASCII, t.text))
			continue
		case t.kind == 'q' && t.text[0] == '"' && len(t.text) > 1:
			names = append(names, strings.ReplaceAll(t.text[1:len(t.text)-1], `""`, `"`))
			continue
		}
		plain = false
	}
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// checkCopy refuses a text that is not one COPY in the direction.
func checkCopy(sql string, in, standard bool) error {
	if err := checkSQL(sql); err != nil {
		return err
	}
	cs, ok := parseCopy(sql, standard)
	switch {
	case ok && cs.in && !in:
		return fmt.Errorf("driver: this COPY reads from the client, CopyOut needs one TO STDOUT: %s", abbreviate(sql))
	case ok && !cs.in && in:
		return fmt.Errorf("driver: this COPY writes to the client, CopyIn needs one FROM STDIN: %s", abbreviate(sql))
	case !ok:
		return fmt.Errorf("driver: not a COPY FROM STDIN or COPY TO STDOUT: %s", abbreviate(sql))
	case severalStatements(sql, standard):
		return errors.New("driver: COPY must be the only statement of its text")
	}
	return nil
}

// valueOptions are the options of COPY FROM that change how values are written, or which lines count.
var valueOptions = map[string]bool{
	"csv": true, "binary": true, "delimiter": true, "delimiters": true, "null": true, "default": true, "header": true,
	"encoding": true, "quote": true, "escape": true,
}

// plainText reports whether rows of values can be written: the COPY is in the text format as it is by default.
// otherwise is the option that says not.
func (cs copyStatement) plainText() (otherwise string, plain bool) {
	for _, o := range cs.options {
		if valueOptions[o] {
			return o, false
		}
	}
	return "", true
}
