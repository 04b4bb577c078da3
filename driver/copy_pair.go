package driver

import (
	"fmt"
	"strings"
)

// CheckCopyPair returns an error where the texts of two statements show that the second, a COPY … FROM STDIN, would take the
// stream of the first, a COPY … TO STDOUT, for something else: it is in another format, has a header or not, or other
// delimiters, quotes or NULLs. A difference that cannot be read in the texts passes.
func CheckCopyPair(to, from string) error {
	if err := checkCopy(to, false, true); err != nil {
		return err
	}
	if err := checkCopy(from, true, true); err != nil {
		return err
	}
	out, in := readCopyForm(to), readCopyForm(from)
	for _, o := range copyForm {
		if a, b := out.value(o.name), in.value(o.name); a != b && a != unreadable && b != unreadable {
			return fmt.Errorf("driver: the COPY TO has %s %s, the COPY FROM %s %s", o.name, a, o.name, b)
		}
	}
	return nil
}

// copyForm are the options that a stream's form depends on, with their values in the text format and in CSV.
var copyForm = []struct{ name, text, csv string }{
	{"format", "text", "csv"},
	{"delimiter", "'\t'", "','"},
	{"null", `'\N'`, "''"},
	{"quote", "", `'"'`},
	{"escape", "", unreadable},
	{"header", "false", "false"},
}

// unreadable is a value that may be written in several ways.
const unreadable = "?"

// copyOptions are those of copyForm that a text has.
type copyOptions map[string]string

func (o copyOptions) value(name string) string {
	if v, ok := o[name]; ok {
		return v
	}
	for _, f := range copyForm {
		switch {
		case f.name != name:
		case name != "format" && o["format"] == "csv":
			return f.csv
		default:
			return f.text
		}
	}
	return unreadable
}

// readCopyForm reads the options of a COPY, in parentheses or in the older form without.
func readCopyForm(sql string) copyOptions {
	options := copyOptions{}
	l := lexer{sql: sql, standard: true}
	var cs copyStatement
	if l.copyHead(&cs); len(cs.options) > 0 {
		options["format"] = "binary"
	}
	depth := 0
	for t := l.next(); t.kind != 0 && !t.is("where"); {
		name := strings.ToLower(t.text)
		isName := t.kind == 'w' && depth <= 1
		switch t.kind {
		case '(':
			depth++
		case ')':
			depth--
		}
		t = l.next()
		if !isName {
			continue
		}
		switch name {
		case "csv", "binary":
			options["format"] = name
		case "delimiters":
			name = "delimiter"
		case "force": // of the older form: names of columns follow, and further options
			for _, o := range copyForm[1:] {
				options[o.name] = unreadable
			}
			return options
		}
		if t.is("as") {
			t = l.next()
		}
		switch name {
		case "format":
			options[name] = strings.ToLower(strings.Trim(t.text, `'"`))
			t = l.next()
		case "delimiter", "null", "quote", "escape":
			if options[name] = unreadable; t.kind == 'q' && t.text[0] == '\'' {
				options[name] = t.text
			}
			t = l.next()
		case "header":
			options[name] = "true"
			switch {
			case t.is("false") || t.is("off") || t.text == "0":
				options[name] = "false"
			case t.kind == 'q':
				options[name] = unreadable
			}
		}
	}
	return options
}
