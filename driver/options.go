package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// QueryOptions are settings of one call. They are the first of its arguments (db.QueryContext(ctx, sql,
// driver.QueryOptions{…}, args...)), or come with the context by [WithQueryOptions]; an argument wins.
type QueryOptions struct {
	// Prepare decides whether the statement is prepared on the server: true at once, false not at all, nil by
	// prepare_threshold.
	Prepare *bool

	// Simple runs the text with the simple query protocol. It takes no arguments then. Some proxies (PgBouncer's admin
	// console) understand nothing else.
	Simple bool

	// NativePlaceholders says that the statement's placeholders are $1, $2, … whatever placeholder= says. It is for helpers
	// that run statements of their own on the pools of others.
	NativePlaceholders bool

	// Tag, where it is not nil, gets the statement's command tag ("INSERT 0 3") when it has ended: when Exec returns, or
	// when the rows are closed or read to their end. After an error, on another driver or under a mock it stays as it was.
	Tag *string

	// Columns, where it is not nil, gets what the driver knows of the result's columns when the query returns. On another driver
	// or under a mock it stays as it was.
	Columns *Columns
}

type optionsKey struct{}

// WithQueryOptions returns a context whose statements run with o, in place of what ctx held.
func WithQueryOptions(ctx context.Context, o QueryOptions) context.Context {
	return context.WithValue(ctx, optionsKey{}, o)
}

// WithCommandTag returns a context whose statements write their command tags to tag, as [QueryOptions].Tag says. Other
// options that ctx holds stay. A context passes through wrapping drivers that know nothing of arguments of other types.
func WithCommandTag(ctx context.Context, tag *string) context.Context {
	o := queryOptions(ctx)
	o.Tag = tag
	return WithQueryOptions(ctx, o)
}

// WithColumns returns a context whose queries describe their columns to k, as [QueryOptions].Columns says. Other options that
// ctx holds stay.
func WithColumns(ctx context.Context, k *Columns) context.Context {
	o := queryOptions(ctx)
	o.Columns = k
	return WithQueryOptions(ctx, o)
}

// WithNativePlaceholders returns a context whose statements have the placeholders $1, $2, …, as
// [QueryOptions].NativePlaceholders says. Other options that ctx holds stay.
func WithNativePlaceholders(ctx context.Context) context.Context {
	o := queryOptions(ctx)
	if o.NativePlaceholders {
		return ctx
	}
	o.NativePlaceholders = true
	return WithQueryOptions(ctx, o)
}

// WithHelperOptions returns a context for the statements that a helper runs for itself on the pools of others: their placeholders
// are $1, $2, …, and the options that ctx holds, which are meant for the caller's own statement (Prepare, Simple, Tag, Columns),
// do not count.
func WithHelperOptions(ctx context.Context) context.Context {
	return WithQueryOptions(ctx, QueryOptions{NativePlaceholders: true})
}

func queryOptions(ctx context.Context) QueryOptions {
	o, _ := ctx.Value(optionsKey{}).(QueryOptions)
	return o
}

func setTag(tag *string, value string) {
	if tag != nil && value != "" {
		*tag = value
	}
}

// call is what one Exec or Query runs.
type call struct {
	sql     string
	args    []any
	options QueryOptions
}

// newCall takes the options off the arguments, and turns named ones into numbered ones.
func (c *Conn) newCall(ctx context.Context, sql string, args []sqldriver.NamedValue) (call, error) {
	k := call{sql: sql, options: queryOptions(ctx)}
	k.args = c.argValues(args)
	rewritten, err := c.takeLeading(ctx, &k)
	if err != nil {
		return k, err
	}
	if len(k.args) > 0 && !rewritten {
		if err := c.number(&k, args[len(args)-len(k.args):]); err != nil {
			return k, err
		}
	}
	if k.options.Simple && len(k.args) > 0 {
		return k, fmt.Errorf("driver: the simple protocol takes no arguments, but %d were given", len(k.args))
	}
	return k, nil
}

// number turns the placeholders that are no $n into such. args are those of k, with their names.
func (c *Conn) number(k *call, args []sqldriver.NamedValue) (err error) {
	if c.cfg.Placeholder == PlaceholderFormat && !k.options.NativePlaceholders {
		f, err := formatPlaceholders(k.sql)
		if err != nil {
			return err
		}
		names := make([]string, len(args))
		for i := range args {
			names[i] = args[i].Name
		}
		k.sql = f.sql
		k.args, err = f.bind(k.args, names)
		return err
	}
	if slices.ContainsFunc(args, isNamed) {
		k.sql, k.args, err = numberNamed(k.sql, args, k.args, c.engine.standardStrings())
	}
	return err
}

// takeLeading takes the arguments that are settings: this driver's and pgx's. The result formats that pgx takes change
// no value here; its execution modes only whether the statement is prepared.
func (c *Conn) takeLeading(ctx context.Context, k *call) (rewritten bool, err error) {
	for len(k.args) > 0 && !isCommon(k.args[0]) {
		switch a := k.args[0].(type) {
		case QueryOptions:
			if a.Tag == nil {
				a.Tag = k.options.Tag
			}
			if a.Columns == nil {
				a.Columns = k.options.Columns
			}
			a.NativePlaceholders = a.NativePlaceholders || k.options.NativePlaceholders
			k.options = a
		case pgx.QueryExecMode:
			if a != pgx.QueryExecModeCacheStatement {
				k.options.Prepare = new(bool)
			}
		case pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		case pgx.QueryRewriter:
			sql, args, err := a.RewriteQuery(ctx, c.px, k.sql, slices.Clone(k.args[1:]))
			if err != nil {
				return true, fmt.Errorf("driver: rewrite query: %w", err)
			}
			k.sql, rewritten = sql, true
			if k.args, err = checkArgs(args); err != nil {
				return true, err
			}
			continue
		default:
			return rewritten, nil
		}
		k.args = k.args[1:]
	}
	return rewritten, nil
}

// isSetting reports whether v is a leading argument that is no value of the statement.
func isSetting(v any) bool {
	switch v.(type) {
	case QueryOptions, pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
		return true
	}
	return false
}

func checkArgs(args []any) ([]any, error) {
	checked := make([]any, len(args))
	for i, v := range args {
		nv := sqldriver.NamedValue{Ordinal: i + 1, Value: v}
		if err := checkNamedValue(&nv); err != nil {
			return nil, err
		}
		checked[i] = nv.Value
	}
	return checked, nil
}

func isNamed(a sqldriver.NamedValue) bool { return a.Name != "" }

// numberNamed turns @name into $n where name is that of a sql.Named argument. Where the statement names none of them
// they are positional, as lib/pq and pgx take them; where it names some, all must be named in it.
func numberNamed(sql string, args []sqldriver.NamedValue, values []any, standard bool) (string, []any, error) {
	numbers := make(map[string]int)
	for i := range args {
		if args[i].Name != "" {
			numbers[args[i].Name] = i + 1
		}
	}
	var b strings.Builder
	seen := make(map[string]bool)
	l := lexer{sql: sql, standard: standard}
	var before token
	from := 0
	for t := l.next(); t.kind != 0; before, t = t, l.next() {
		if t.kind != 'w' || before.kind != '@' || before.start != t.start-1 || before.start > 0 && isOperator(sql[before.start-1]) {
			continue
		}
		n, ok := numbers[t.text]
		if !ok {
			continue
		}
		seen[t.text] = true
		b.WriteString(sql[from:before.start])
		b.WriteString("$" + strconv.Itoa(n))
		from = t.start + len(t.text)
	}
	if len(seen) == 0 {
		return sql, values, nil
	}
	for name := range numbers {
		if !seen[name] {
			return "", nil, fmt.Errorf("driver: the statement has no @%s, but an argument of that name was given", name)
		}
	}
	b.WriteString(sql[from:])
	return b.String(), values, nil
}

// isOperator reports whether c can be part of an operator before an @ ("<@", "@@").
func isOperator(c byte) bool { return strings.IndexByte("+-*/<>=~!@#%^&|`?", c) >= 0 }
