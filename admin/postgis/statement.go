package postgis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// statement is SQL text in the making, with its arguments.
type statement struct {
	sql  string
	args []any
}

// arg adds an argument and returns its placeholder, cast to a type where one is given.
func (s *statement) arg(v any, cast string) string {
	s.args = append(s.args, v)
	placeholder := "$" + strconv.Itoa(len(s.args))
	if cast != "" {
		placeholder += "::" + cast
	}
	return placeholder
}

// query runs a query, whose placeholders are $n whatever the pool's setting says. on is what it asks about, for errors.
func query[T any](ctx context.Context, q ext.Querier, what, on string, s statement) ([]T, error) {
	all, err := ext.Query[T](driver.WithHelperOptions(ctx), q, s.sql, s.args...)
	if err != nil {
		return nil, fail(what, on, explain(ctx, q, err))
	}
	return all, nil
}

// fail wraps an error with what was done and to what.
func fail(what, on string, err error) error {
	if on == "" {
		return fmt.Errorf("postgis: %s: %w", what, err)
	}
	return fmt.Errorf("postgis: %s %q: %w", what, on, err)
}

// explain looks whether a statement failed because the database lacks the extension.
func explain(ctx context.Context, q ext.Querier, err error) error {
	switch driver.SQLState(err) {
	case "42883", "42704", "42P01": // no such function, type or view
		if missing := admin.RequireExtension(ctx, q, "postgis"); errors.Is(missing, admin.ErrExtensionNotAvailable) {
			return fmt.Errorf("%w: %w", missing, err)
		}
	}
	return err
}
