package ext

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SQL composes a statement, or a piece of one, from text and values. In the text, {} takes the next value, {0} a value by its
// place, {name} one that was given as sql.Named; {{ and }} are braces. What a value becomes is its own affair, or said behind
// a colon:
//
//	{}    an argument; a Fragment its text and arguments, a Name quoted, a Default "default"
//	{:i}  a name: a string, quoted; a []string, its parts quoted and dotted
//	{:l}  a literal in the text, for statements that take no arguments
//	{:q}  a Fragment, and nothing else
//
//	SQL("select {:i} from {} where {:i} = {}", "name", Ident("app", "users"), "id", 7)
//
// The text itself is not checked: what comes from outside belongs into the values. Mistakes (a value too few or too many, an
// unknown form, each with the byte where it stands) are the error of [Fragment.Build].
func SQL(format string, values ...any) Fragment {
	c := composer{format: format, values: values, used: make([]bool, len(values))}
	f, err := c.compose()
	if err != nil {
		return Fragment{err: err}
	}
	return f
}

type composer struct {
	format string
	values []any
	used   []bool
	next   int // value of the next {}
}

func (c *composer) compose() (Fragment, error) {
	var f Fragment
	for at := 0; at < len(c.format); {
		i := strings.IndexAny(c.format[at:], "{}")
		if i < 0 {
			f.add(verbatim(c.format[at:]))
			break
		}
		f.add(verbatim(c.format[at : at+i]))
		at += i
		if strings.HasPrefix(c.format[at:], "{{") || strings.HasPrefix(c.format[at:], "}}") {
			f.add(verbatim(c.format[at : at+1]))
			at += 2
			continue
		}
		end := strings.IndexByte(c.format[at:], '}')
		if c.format[at] == '}' || end < 0 {
			return f, fmt.Errorf("byte %d: a brace of its own is written twice", at)
		}
		g, err := c.field(c.format[at+1 : at+end])
		if err != nil {
			return f, fmt.Errorf("byte %d: {%s}: %w", at, c.format[at+1:at+end], err)
		}
		f.add(g)
		at += end + 1
	}
	for i, used := range c.used {
		if !used {
			return f, fmt.Errorf("value %d has no place in the text", i)
		}
	}
	return f, f.err
}

func (c *composer) field(field string) (Fragment, error) {
	which, form, _ := strings.Cut(field, ":")
	v, err := c.value(which)
	if err != nil {
		return Fragment{}, err
	}
	become, ok := forms[form]
	if !ok {
		return Fragment{}, fmt.Errorf("there is no form %q", form)
	}
	return become(v)
}

// value finds the value of a field: the next, one by its place, or one by its name.
func (c *composer) value(which string) (any, error) {
	i := c.next
	if which == "" {
		c.next++
	} else if n, err := strconv.Atoi(which); err == nil {
		i = n
	} else if i = c.named(which); i < 0 {
		return nil, errors.New("there is no value of this name")
	}
	if i < 0 || i >= len(c.values) {
		return nil, fmt.Errorf("there are %d values", len(c.values))
	}
	c.used[i] = true
	if named, ok := c.values[i].(sql.NamedArg); ok {
		return named.Value, nil
	}
	return c.values[i], nil
}

func (c *composer) named(name string) int {
	for i, v := range c.values {
		if named, ok := v.(sql.NamedArg); ok && named.Name == name {
			return i
		}
	}
	return -1
}

// forms say what a value becomes.
var forms = map[string]func(any) (Fragment, error){
	"": func(v any) (Fragment, error) {
		switch v := v.(type) {
		case Fragment:
			return v, v.err
		case Name:
			return verbatim(v.String()), nil
		case Default:
			return verbatim("default"), nil
		}
		return Arg(v), nil
	},
	"i": func(v any) (Fragment, error) {
		var f Fragment
		switch v := v.(type) {
		case string:
			f = Ident(v)
		case []string:
			f = Ident(v...)
		default:
			return f, fmt.Errorf("a name is a string or a []string, not %T", v)
		}
		return f, f.err
	},
	"l": func(v any) (Fragment, error) {
		f := Literal(v)
		return f, f.err
	},
	"q": func(v any) (Fragment, error) {
		if f, ok := v.(Fragment); ok {
			return f, f.err
		}
		return Fragment{}, fmt.Errorf("it takes a Fragment, not %T", v)
	},
}
