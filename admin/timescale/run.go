package timescale

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// action is a statement that depends on the version of the extension.
type action struct {
	what    string                    // what it does, for errors: create hypertable
	on      string                    // the table, view or chunk that it does it to, as the caller wrote it; "" for none
	id      int64                     // the job that it does it to; 0 for none
	outside bool                      // it cannot run inside a transaction
	axis    bool                      // build needs the type of the table's axis
	build   func(extension) statement // pure
}

// run runs the action on the connection of q and returns the first value of its first row as a count: the id of a job, 1 for
// true. A mock sees the statement as the newest version takes it, and its result is the count.
func (a action) run(ctx context.Context, q ext.Querier) (int64, error) {
	n, _, err := a.rows(ctx, q)
	return n, err
}

// rows runs the action and returns its rows too: none under a mock.
func (a action) rows(ctx context.Context, q ext.Querier) (n int64, rows [][]any, err error) {
	n, err = driver.Do(ctx, q, a.build(newest).sql, func(ctx context.Context, c *driver.Conn) (int64, error) {
		if a.outside && c.TxStatus() != 'I' {
			return 0, ext.ErrInTransaction
		}
		e, err := lookUp(ctx, c)
		if err == nil && a.axis {
			e.axis, err = axisOf(ctx, c, a.on)
		}
		if err != nil {
			return 0, err
		}
		s := a.build(e)
		if rows, err = ext.Catalog(ctx, c, s.sql, s.args...); err != nil {
			return 0, err
		}
		return count(rows), nil
	})
	if err != nil {
		return 0, nil, a.fail(explain(ctx, q, err))
	}
	return n, rows, nil
}

// fail wraps an error with what was done and to what.
func (a action) fail(err error) error {
	switch {
	case a.on != "":
		return fmt.Errorf("timescale: %s %q: %w", a.what, a.on, err)
	case a.id != 0:
		return fmt.Errorf("timescale: %s %d: %w", a.what, a.id, err)
	}
	return fmt.Errorf("timescale: %s: %w", a.what, err)
}

// count is the first value of the first row as a number.
func count(rows [][]any) int64 {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return 0
	}
	switch v := rows[0][0].(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

// axisOf is the type of the first dimension of a hypertable or continuous aggregate, "" where it is neither: the statement
// says so then.
func axisOf(ctx context.Context, c *driver.Conn, table string) (string, error) {
	name, err := ext.ParseName(table)
	if err != nil {
		return "", err
	}
	rows, err := ext.Catalog(ctx, c, `
		select d.column_type::text
		from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace
		left join timescaledb_information.continuous_aggregates a on (a.view_schema, a.view_name) = (n.nspname, r.relname)
		join timescaledb_information.dimensions d
		on (d.hypertable_schema, d.hypertable_name) = (coalesce(a.materialization_hypertable_schema, n.nspname), coalesce(a.materialization_hypertable_name, r.relname))
		where r.oid = $1::regclass and d.dimension_number = 1`, name.String())
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return text(rows[0][0]), nil
}
