package admin

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// qualified makes the operators of a catalog query those of pg_catalog: a search_path with a schema ahead of pg_catalog, or an
// operator of public whose types fit better, must not change what the query means. Operators stand between blanks. They all
// bind alike then, weaker than IS and stronger than NOT, so operations inside others stand in parentheses. IN, LIKE, BETWEEN,
// NULLIF and IS DISTINCT FROM take operators from the search path and are not used; functions and types are written with their
// schema where the query is.
func qualified(query string) string { return operators.Replace(query) }

var operators = func() *strings.Replacer {
	var pairs []string
	for _, op := range []string{"=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "||", "&", "~", "!~", "->>"} {
		pairs = append(pairs, " "+op+" ", " operator(pg_catalog."+op+") ")
	}
	return strings.NewReplacer(pairs...)
}()

// query runs a catalog query for structs. Its placeholders are $n whatever the pool's setting says. A mock may leave columns out.
func query[T any](ctx context.Context, q ext.Querier, sql string, args ...any) ([]T, error) {
	rows, err := ext.Query[ext.Lax[T]](driver.WithHelperOptions(ctx), q, sql, args...)
	if err != nil || rows == nil {
		return nil, bare(err)
	}
	all := make([]T, len(rows))
	for i, row := range rows {
		all[i] = row.Row
	}
	return all, nil
}

// value is query for one value. Without a row, which is a mock's answer, it is the zero value.
func value[T any](ctx context.Context, q ext.Querier, query string, args ...any) (T, error) {
	v, err := ext.QueryVal[T](driver.WithHelperOptions(ctx), q, query, args...)
	if err == sql.ErrNoRows {
		return v, nil
	}
	return v, bare(err)
}

// bare takes the prefix of package ext off an error: the function of this package puts its own before it.
func bare(err error) error {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "ext: ") {
		return inner
	}
	return err
}
