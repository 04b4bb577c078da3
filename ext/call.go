package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// CallFunc calls a function of the database, "app.f", and returns its rows, read as [Query] does: one for a function that
// returns a single value. Its OUT parameters are columns. Arguments are positional, or named: sql.Named("a", 1) is passed
// for the parameter a; behind a named argument all must be. Where several functions have the name, and the arguments fit
// more than one, the error is the server's 42725: write the call out, with casts, for [Query] then.
func CallFunc[T any](ctx context.Context, q Querier, name string, args ...any) ([]T, error) {
	text, values, err := callText("select * from ", name, args)
	if err != nil {
		return nil, fmt.Errorf("ext: call %q: %w", name, err)
	}
	rows, err := Query[T](native(ctx), q, text, values...)
	if err != nil {
		return nil, fmt.Errorf("ext: call %q: %w", name, err)
	}
	return rows, nil
}

// CallProc calls a procedure of the database. The arguments are those of [CallFunc]; for its OUT and INOUT parameters they are
// sql.Out: sql.Out{Dest: &total} gets a value, sql.Out{Dest: &total, In: true} passes one and gets another. Where their
// number is not that of the procedure's, the error comes when it has run. A procedure that commits needs a handle outside
// of a transaction.
func CallProc(ctx context.Context, q Querier, name string, args ...any) error {
	if err := callProc(native(ctx), q, name, args); err != nil {
		return fmt.Errorf("ext: call %q: %w", name, err)
	}
	return nil
}

func callProc(ctx context.Context, q Querier, name string, args []any) error {
	if err := nilhandle.Check(q); err != nil {
		return err
	}
	outs, args, err := takeOuts(args)
	if err != nil {
		return err
	}
	text, values, err := callText("call ", name, args)
	if err != nil {
		return err
	}
	if len(outs) == 0 {
		_, err := q.ExecContext(ctx, text, values...)
		return err
	}
	rows, err := q.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	return fillOuts(rows, outs)
}

// callText is the text of a call, whose named arguments have lost their names.
func callText(verb, name string, args []any) (string, []any, error) {
	parsed, err := ParseName(name)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	b.WriteString(verb + parsed.String() + "(")
	values := make([]any, len(args))
	isNamed := false
	for i, arg := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		named, ok := arg.(sql.NamedArg)
		if isNamed = isNamed || ok; isNamed {
			if !ok {
				return "", nil, fmt.Errorf("argument %d has no name, but one ahead of it has", i+1)
			}
			if err := CheckName(named.Name); err != nil {
				return "", nil, fmt.Errorf("argument %d: name %q: %w", i+1, named.Name, err)
			}
			b.WriteString(QuoteName(named.Name) + " => ")
			arg = named.Value
		}
		b.WriteString("$" + strconv.Itoa(i+1))
		values[i] = arg
	}
	return b.String() + ")", values, nil
}

// native says that the placeholders are those of this package's own texts.
func native(ctx context.Context) context.Context { return driver.WithNativePlaceholders(ctx) }

// output is an OUT or INOUT parameter of a procedure.
type output struct {
	name string // "" where it is positional
	dest any
}

// takeOuts takes the destinations out of the arguments, and puts what they pass in their place.
func takeOuts(args []any) (outs []output, values []any, err error) {
	values = make([]any, len(args))
	for i, arg := range args {
		named, isNamed := arg.(sql.NamedArg)
		if isNamed {
			arg = named.Value
		}
		if out, ok := arg.(sql.Out); ok {
			dest := reflect.ValueOf(out.Dest)
			if dest.Kind() != reflect.Pointer || dest.IsNil() {
				return nil, nil, fmt.Errorf("argument %d: the Dest of a sql.Out is a pointer, not %T", i+1, out.Dest)
			}
			outs = append(outs, output{name: named.Name, dest: out.Dest})
			arg = nil
			if out.In {
				arg = dest.Elem().Interface()
			}
		}
		values[i] = arg
		if isNamed {
			values[i] = sql.Named(named.Name, arg)
		}
	}
	return outs, values, nil
}

// fillOuts scans the one row of a procedure.
func fillOuts(rows *sql.Rows, outs []output) (err error) {
	defer closeRows(rows, &err)
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	dests, ok := matchOuts(columns, outs)
	if !ok {
		return fmt.Errorf("it has run, and returned the values %s, which the %d sql.Out do not match", quoteNames(columns), len(outs))
	}
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return errors.New("it has run, and returned no values")
	}
	return rows.Scan(dests...)
}

// matchOuts puts the destinations in the order of the columns: named ones by name, behind the positional ones.
func matchOuts(columns []string, outs []output) (dests []any, ok bool) {
	if len(columns) != len(outs) {
		return nil, false
	}
	dests = make([]any, len(columns))
	for i, out := range outs {
		if out.name != "" {
			i = slices.Index(columns, out.name)
		}
		if i < 0 || dests[i] != nil {
			return nil, false
		}
		dests[i] = out.dest
	}
	return dests, true
}
