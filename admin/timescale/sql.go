package timescale

import (
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// statement is SQL text in the making, with its arguments.
type statement struct {
	sql  string
	args []any
}

// arg adds an argument and returns its placeholder, cast to a type: the functions of the extension are overloaded.
func (s *statement) arg(v any, cast string) string {
	s.args = append(s.args, v)
	return "$" + strconv.Itoa(len(s.args)) + "::" + cast
}

// span adds a span as an argument.
func (s *statement) span(v Span) string { return s.arg(v.arg, v.cast) }

// bound adds a bound as an argument. A point in time is given in the type of the axis.
func (s *statement) bound(b Bound, axis string) string {
	if b.cast != "" {
		return s.arg(b.arg, b.cast)
	}
	placeholder := s.arg(b.arg, "timestamptz")
	if axis == "" || axis == "timestamp with time zone" {
		return placeholder
	}
	return placeholder + "::" + axis
}

// relation adds the name of a table, view or index as an argument.
func (s *statement) relation(name ext.Name) string { return s.arg(name.String(), "regclass") }

// call is a call of a function with what was given of its arguments: those that are "" are left out.
func call(function string, args ...string) string {
	given := args[:0:0]
	for _, arg := range args {
		if arg != "" {
			given = append(given, arg)
		}
	}
	return function + "(" + strings.Join(given, ", ") + ")"
}

// named is an argument by name, "" where it is not given.
func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " => " + value
}

// flag is a boolean argument by name, "" where it has the value that the function takes by default.
func flag(name string, value bool) string {
	if !value {
		return ""
	}
	return name + " => true"
}
