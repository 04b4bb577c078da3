package timescale

import (
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// Order is a column by which compressed rows are ordered.
type Order struct {
	Column     string
	Desc       bool
	NullsFirst *bool // nil: PostgreSQL's default, first where Desc is set
}

// ParseOrder reads columns as ORDER BY takes them: "ts DESC, device", "\"odd, name\" asc nulls first". A name takes no part of
// an expression; quotes protect it, and its case is kept with and without them.
func ParseOrder(text string) ([]Order, error) {
	var all []Order
	for rest := text; ; {
		name, after, err := cutName(strings.TrimLeft(rest, " \t\n"))
		if err == nil {
			err = ext.CheckName(name)
		}
		if err != nil {
			return nil, fmt.Errorf("timescale: order %q: %w", text, err)
		}
		words, next, more := strings.Cut(after, ",")
		o := Order{Column: name}
		if err := o.direction(strings.Fields(strings.ToLower(words))); err != nil {
			return nil, fmt.Errorf("timescale: order %q: column %q: %w", text, name, err)
		}
		all = append(all, o)
		if !more {
			return all, nil
		}
		rest = next
	}
}

// cutName takes a column's name off the text: in double quotes, or up to a space or comma.
func cutName(text string) (name, after string, err error) {
	if !strings.HasPrefix(text, `"`) {
		i := strings.IndexAny(text, " \t\n,")
		if i < 0 {
			i = len(text)
		}
		if strings.ContainsAny(text[:i], `"()`) {
			return "", "", fmt.Errorf("%q is not a column's name", text[:i])
		}
		return text[:i], text[i:], nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), text[i+1:], nil
	}
	return "", "", fmt.Errorf("an open quote")
}

// direction reads what follows a column's name.
func (o *Order) direction(words []string) error {
	if len(words) > 0 && (words[0] == "asc" || words[0] == "desc") {
		o.Desc, words = words[0] == "desc", words[1:]
	}
	if len(words) == 2 && words[0] == "nulls" && (words[1] == "first" || words[1] == "last") {
		first := words[1] == "first"
		o.NullsFirst, words = &first, nil
	}
	if len(words) > 0 {
		return fmt.Errorf("%q is not ASC, DESC, NULLS FIRST or NULLS LAST", strings.Join(words, " "))
	}
	return nil
}

// String is the order for SQL text.
func (o Order) String() string {
	s := ext.QuoteName(o.Column)
	if o.Desc {
		s += " desc"
	}
	if o.NullsFirst != nil {
		if *o.NullsFirst {
			return s + " nulls first"
		}
		return s + " nulls last"
	}
	return s
}
