package timescale

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// query runs a query of the extension's views and functions, and explains its failure.
func query[T any](ctx context.Context, q ext.Querier, what, on, sql string, args ...any) ([]T, error) {
	all, err := ext.Query[T](ctx, q, sql, args...)
	if err != nil {
		return nil, action{what: what, on: on}.fail(explainQuery(ctx, q, err))
	}
	return all, nil
}

// relation reads the name of a table, view or chunk as an argument of a query.
func relation(table string) (string, error) {
	name, err := ext.ParseName(table)
	return name.String(), err
}

// explainQuery looks whether a query failed because the database lacks the extension.
func explainQuery(ctx context.Context, q ext.Querier, err error) error {
	switch sqlState(err) {
	case "42P01", "42883", "3F000": // no such table, function or schema
	default:
		return err
	}
	_, missing := driver.Do(ctx, q, "look for the extension timescaledb", func(ctx context.Context, c *driver.Conn) (int64, error) {
		_, err := lookUp(ctx, c)
		return 0, err
	})
	switch {
	case errors.Is(missing, admin.ErrExtensionNotAvailable):
		return fmt.Errorf("%w: %w", missing, err)
	case missing != nil && strings.Contains(err.Error(), "timescaledb_information"): // in a failed transaction nothing can be asked
		return fmt.Errorf("%w: %w", admin.ErrExtensionNotAvailable, err)
	}
	return err
}
