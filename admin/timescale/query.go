package timescale

import (
	"context"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// query runs a query of the extension's views and functions, and explains its failure.
func query[T any](ctx context.Context, q ext.Querier, a action, sql string, args ...any) ([]T, error) {
	all, err := ext.Query[T](driver.WithHelperOptions(ctx), q, sql, args...)
	if err != nil {
		return nil, a.fail(explain(ctx, q, err))
	}
	return all, nil
}

// queryTable is query about a table, whose name is the query's first argument.
func queryTable[T any](ctx context.Context, q ext.Querier, a action, sql string, args ...any) ([]T, error) {
	name, err := ext.ParseName(a.on)
	if err != nil {
		return nil, a.fail(err)
	}
	return query[T](ctx, q, a, sql, append([]any{name.String()}, args...)...)
}
