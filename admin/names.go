package admin

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pycopg/pycopg/ext"
)

// name checks a name that is taken literally (of a column, schema, role, database) and quotes it. what says in the error what it
// is the name of.
func name(what, text string) (string, error) {
	if err := checkName(text); err != nil {
		return "", fmt.Errorf("%s %q: %w", what, roleText(text), err)
	}
	return ext.QuoteName(text), nil
}

// names is name for several, joined with commas. None are an error.
func names(what string, texts []string) (string, error) {
	if len(texts) == 0 {
		return "", fmt.Errorf("no %s is named", what)
	}
	return list(texts, func(text string) (string, error) { return name(what, text) })
}

// relations reads and quotes names of tables and the like, joined with commas. None are an error.
func relations(what string, texts []string) (string, error) {
	if len(texts) == 0 {
		return "", fmt.Errorf("no %s is named", what)
	}
	return list(texts, relation)
}

// relation reads and quotes the name of a table, view, index, sequence or type.
func relation(text string) (string, error) {
	n, err := ext.ParseName(text)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

// list makes SQL text of each item, and joins the texts with commas.
func list[T any](items []T, sql func(T) (string, error)) (string, error) {
	texts := make([]string, len(items))
	for i, item := range items {
		text, err := sql(item)
		if err != nil {
			return "", err
		}
		texts[i] = text
	}
	return strings.Join(texts, ", "), nil
}

var (
	errNUL  = errors.New("a NUL byte")
	errUTF8 = errors.New("invalid UTF-8")
)

// literal quotes a text for statements that take no parameters, whatever standard_conforming_strings says.
func literal(text string) (string, error) {
	switch {
	case strings.IndexByte(text, 0) >= 0:
		return "", fmt.Errorf("text %q: %w", text, errNUL)
	case !utf8.ValidString(text):
		return "", fmt.Errorf("text %q: %w", text, errUTF8)
	}
	return strings.TrimLeft(ext.QuoteLiteral(text), " "), nil
}
