package ext

import (
	"context"

	"github.com/pycopg/pycopg/driver"
)

// Catalog runs a query of a helper in a function of driver.Do, and returns its rows as the driver gives them. The options and
// hooks that the context carries are left out: they are for the caller's own statement.
func Catalog(ctx context.Context, c *driver.Conn, query string, args ...any) ([][]any, error) {
	rows, err := catalog(ctx, c, query, args...)
	if err != nil {
		return nil, err
	}
	all := make([][]any, len(rows))
	for i, row := range rows {
		all[i] = make([]any, len(row))
		for n, v := range row {
			all[i][n] = v
		}
	}
	return all, nil
}

// NoTable is the error of a table that does not exist, with SQLSTATE 42P01, and says when one does whose name is written in
// lower case. It is for functions of driver.Do.
func NoTable(ctx context.Context, c *driver.Conn, table Name) error { return noTable(ctx, c, table) }
