package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// CopyQuery is query with its arguments in the place of $1, $2, …, as literals of the types that the server has for them:
// COPY (query) takes no parameters. With [PlaceholderFormat] a query without $1 has %s or %(name)s instead. args are as
// [ConvertArgs] gives them. It is for functions of [Do].
func (c *Conn) CopyQuery(ctx context.Context, query string, args []any) (string, error) {
	standard := c.engine.standardStrings()
	if len(args) > 0 && c.cfg.Placeholder == PlaceholderFormat && !queryOptions(ctx).NativePlaceholders && countPlaceholders(query, standard) == 0 {
		f, err := formatPlaceholders(query)
		if err != nil {
			return "", err
		}
		if args, err = f.bind(args, make([]string, len(args))); err != nil {
			return "", err
		}
		query = f.sql
	}
	if n := countPlaceholders(query, standard); n != len(args) {
		return "", fmt.Errorf("driver: the query takes %d arguments, %d were given", n, len(args))
	}
	query, one := oneStatement(query, standard)
	if !one {
		return "", errors.New("driver: COPY takes one query")
	}
	if len(args) == 0 {
		return query, nil
	}
	d, err := c.Describe(ctx, query)
	if err != nil {
		return "", err
	}
	if len(d.Params) != len(args) {
		return "", fmt.Errorf("driver: the server sees %d parameters in the query, %d arguments were given", len(d.Params), len(args))
	}
	cc, err := c.CopyCodec(ctx, d.Params)
	if err != nil {
		return "", err
	}
	literals := make([]string, len(args))
	for i, v := range args {
		typ, err := c.sqlType(ctx, d.Params[i])
		if err != nil {
			return "", err
		}
		text, null, err := cc.AppendText(nil, d.Params[i], v)
		if err != nil {
			return "", fmt.Errorf("driver: argument $%d: %w", i+1, err)
		}
		literals[i] = typedLiteral(string(text), null, typ)
	}
	return replacePlaceholders(query, standard, literals), nil
}

// oneStatement is a statement without the semicolon that ends it, and what follows that. ok is false for several.
func oneStatement(query string, standard bool) (_ string, ok bool) {
	l := lexer{sql: query, standard: standard}
	end := len(query)
	for t := l.next(); t.kind != 0; t = l.next() {
		switch {
		case t.kind != ';' && end < len(query):
			return query, false
		case t.kind == ';':
			end = min(end, t.start)
		}
	}
	return query[:end], true
}

// typedLiteral is a value as SQL text, in parentheses.
func typedLiteral(text string, null bool, typ string) string {
	switch {
	case null:
		return "(null::" + typ + ")"
	case strings.Contains(text, `\`):
		text = "E'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", "''") + "'"
	default:
		text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return "(" + text + "::" + typ + ")"
}

// replacePlaceholders puts a text in the place of each $n outside of strings, names and comments.
func replacePlaceholders(query string, standard bool, texts []string) string {
	var b strings.Builder
	l := lexer{sql: query, standard: standard}
	from := 0
	for t := l.next(); t.kind != 0; t = l.next() {
		if t.kind != 'p' {
			continue
		}
		n, err := strconv.Atoi(t.text[1:])
		if err != nil || n < 1 || n > len(texts) {
			continue
		}
		b.WriteString(query[from:t.start])
		b.WriteString(texts[n-1])
		from = t.start + len(t.text)
	}
	b.WriteString(query[from:])
	return b.String()
}

// sqlType is the name of a type for SQL text.
func (c *Conn) sqlType(ctx context.Context, oid uint32) (string, error) {
	if name, ok := builtinTypeName(oid); ok {
		return `pg_catalog."` + strings.ToLower(name) + `"`, nil
	}
	const query = `select quote_ident(n.nspname) || '.' || quote_ident(t.typname)
		from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.oid = $1::int8::oid`
	rows, err := c.QueryContext(WithNativePlaceholders(ctx), query, []sqldriver.NamedValue{{Ordinal: 1, Value: int64(oid)}})
	if err != nil {
		return "", err
	}
	row := make([]sqldriver.Value, 1)
	err = rows.Next(row)
	if cerr := rows.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", fmt.Errorf("driver: the name of the type with OID %d: %w", oid, err)
	}
	return fmt.Sprintf("%s", row[0]), nil
}
