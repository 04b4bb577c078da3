package ext

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
)

// Fragment is a piece of SQL with its arguments, made by [SQL], [Ident], [Literal], [Arg] and [Join]. Fragments nest; Build
// numbers the arguments of the whole. The zero value is empty text. It is not changed once it is made, and may be used often
// and from any goroutine.
type Fragment struct {
	parts []part
	err   error
}

// part is text, or an argument.
type part struct {
	text  string
	arg   any
	isArg bool
}

// Ident is a quoted name: Ident("app", "users") is "app"."users". Each part is taken literally.
func Ident(parts ...string) Fragment {
	if len(parts) == 0 {
		return Fragment{err: errors.New("an identifier without a name")}
	}
	for _, name := range parts {
		if err := CheckName(name); err != nil {
			return Fragment{err: fmt.Errorf("identifier %q: %w", name, err)}
		}
	}
	return verbatim(QuoteName(parts...))
}

// Literal is a value in the text: for statements that take no arguments, as CREATE and ALTER do.
func Literal(v any) Fragment {
	literal, err := driver.Literal(v)
	if err != nil {
		return Fragment{err: fmt.Errorf("literal: %w", err)}
	}
	if strings.HasPrefix(literal, "-") {
		literal = " " + literal // two of them would begin a comment
	}
	return verbatim(literal)
}

// Arg is a value that travels as an argument: $n.
func Arg(v any) Fragment { return Fragment{parts: []part{{arg: v, isArg: true}}} }

func verbatim(sql string) Fragment { return Fragment{parts: []part{{text: sql}}} }

// Join puts sep, which is SQL text, between fragments.
func Join(sep string, fragments ...Fragment) Fragment {
	var all Fragment
	for i, f := range fragments {
		if i > 0 {
			all.add(verbatim(sep))
		}
		all.add(f)
	}
	return all
}

// add appends other to f, which is being made.
func (f *Fragment) add(other Fragment) {
	if f.err == nil {
		f.err = other.err
	}
	f.parts = append(f.parts, other.parts...)
}

// Build returns the text, with $1, $2, … where arguments go, and the arguments, for every function that takes a statement
// and args. Its error is the first mistake of any part. With placeholder=format, run the statement under a context of
// [driver.WithNativePlaceholders].
func (f Fragment) Build() (sql string, args []any, err error) {
	if f.err != nil {
		return "", nil, fmt.Errorf("ext: compose: %w", f.err)
	}
	var b strings.Builder
	for _, p := range f.parts {
		if !p.isArg {
			b.WriteString(p.text)
			continue
		}
		args = append(args, p.arg)
		b.WriteString("$" + strconv.Itoa(len(args)))
	}
	return b.String(), args, nil
}

// String is the text with the arguments as literals, for people to read; of a fragment with a mistake it is the mistake.
func (f Fragment) String() string {
	sql, args, err := f.Build()
	if err == nil {
		sql, err = Mogrify(sql, args...)
	}
	if err != nil {
		return err.Error()
	}
	return sql
}
