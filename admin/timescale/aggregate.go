package timescale

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// AggregateOptions say how a continuous aggregate is made. The zero value makes one without data, which a refresh or a refresh
// policy fills.
type AggregateOptions struct {
	IfNotExists    bool
	WithData       bool  // filled at once: not inside a transaction
	RealTime       *bool // queries add the rows that are not materialized yet; nil: the extension's default
	NoGroupIndexes bool  // no indexes on the columns that it groups by
}

// CreateContinuousAggregate makes a continuous aggregate of a query that groups the rows of a hypertable by time_bucket, and
// reports whether it did: false where a relation of that name exists and o.IfNotExists is set. The query is SQL text, without
// parameters.
func CreateContinuousAggregate(ctx context.Context, q ext.Querier, view, query string, o AggregateOptions) (bool, error) {
	a := action{what: "create continuous aggregate", on: view, outside: o.WithData}
	name, err := ext.ParseName(view)
	if err == nil && strings.TrimSpace(query) == "" {
		err = errors.New("no query")
	}
	if err != nil {
		return false, a.fail(err)
	}
	s := createAggregate(name, query, o)
	n, err := driver.Do(ctx, q, s, func(ctx context.Context, c *driver.Conn) (int64, error) {
		if a.outside && c.TxStatus() != 'I' {
			return 0, ext.ErrInTransaction
		}
		if _, err := lookUp(ctx, c); err != nil {
			return 0, err
		}
		if o.IfNotExists {
			rows, err := ext.Catalog(ctx, c, "select where pg_catalog.to_regclass($1) is not null", name.String())
			if err != nil || len(rows) > 0 {
				return 0, err
			}
		}
		_, err := ext.Catalog(ctx, c, s)
		return 1, err
	})
	if err != nil {
		return false, a.fail(explain(ctx, q, err))
	}
	return n > 0, nil
}

func createAggregate(view ext.Name, query string, o AggregateOptions) string {
	with := []string{"timescaledb.continuous"}
	if o.RealTime != nil {
		with = append(with, "timescaledb.materialized_only = "+strconv.FormatBool(!*o.RealTime))
	}
	if o.NoGroupIndexes {
		with = append(with, "timescaledb.create_group_indexes = false")
	}
	create, data := "create materialized view ", "with no data"
	if o.IfNotExists {
		create += "if not exists "
	}
	if o.WithData {
		data = "with data"
	}
	query = strings.TrimRight(query, "; \t\r\n")
	return create + view.String() + " with (" + strings.Join(with, ", ") + ") as\n" + query + "\n" + data
}

// isAggregate has a row where a relation is a continuous aggregate.
const isAggregate = `select from timescaledb_information.continuous_aggregates
	where pg_catalog.to_regclass($1) = pg_catalog.to_regclass(pg_catalog.format('%I.%I', view_schema, view_name))`

// DropContinuousAggregate drops a continuous aggregate, and reports whether there was one. An ordinary materialized view is
// [ErrNotHypertable], and stays.
func DropContinuousAggregate(ctx context.Context, q ext.Querier, view string, o admin.DropOptions) (bool, error) {
	a := action{what: "drop continuous aggregate", on: view}
	name, err := ext.ParseName(view)
	if err != nil {
		return false, a.fail(err)
	}
	s := "drop materialized view if exists " + name.String()
	if o.Cascade {
		s += " cascade"
	}
	n, err := driver.Do(ctx, q, s, func(ctx context.Context, c *driver.Conn) (int64, error) {
		rows, err := ext.Catalog(ctx, c, "select where pg_catalog.to_regclass($1) is not null", name.String())
		if err != nil || len(rows) == 0 {
			return 0, err
		}
		if rows, err = ext.Catalog(ctx, c, isAggregate, name.String()); err == nil && len(rows) == 0 {
			err = ErrNotHypertable
		}
		if err == nil {
			_, err = ext.Catalog(ctx, c, s)
		}
		return 1, err
	})
	if err != nil {
		return false, a.fail(explain(ctx, q, err))
	}
	return n > 0, nil
}

// RefreshContinuousAggregate brings a continuous aggregate up to date in the buckets that lie wholly between two bounds: zero
// ones for all there are. It commits as it goes, so it does not run inside a transaction.
func RefreshContinuousAggregate(ctx context.Context, q ext.OutsideTx, view string, from, to Bound) error {
	a := action{what: "refresh continuous aggregate", on: view, outside: true, axis: true}
	name, err := ext.ParseName(view)
	if err == nil {
		err = errors.Join(from.err, to.err)
	}
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		edge := func(b Bound) string {
			switch {
			case b.IsZero():
				return "null"
			case b.cast == "interval": // the procedure takes places only
				return "(now() - " + s.bound(b, "") + ")::" + orTimestamp(e.axis)
			}
			return s.bound(b, e.axis)
		}
		s.sql = "call " + call(e.fn("refresh_continuous_aggregate"), s.relation(name), edge(from), edge(to))
		return s
	}
	_, err = a.run(ctx, q)
	return err
}

func orTimestamp(axis string) string {
	if axis == "" {
		return "timestamptz"
	}
	return axis
}

// AddRefreshPolicy has a continuous aggregate refreshed regularly in the buckets between two ages, and returns the id of the job
// that does it. from is the older one; a zero span is no bound. o.Schedule must be given.
func AddRefreshPolicy(ctx context.Context, q ext.Querier, view string, from, to Span, o PolicyOptions) (int64, error) {
	a := action{what: "add a refresh policy to", on: view}
	name, err := ext.ParseName(view)
	if err == nil {
		err = errors.Join(from.err, to.err, o.Schedule.required("the schedule"), o.check())
	}
	if err != nil {
		return 0, a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		offset := func(v Span) string {
			if v.IsZero() {
				return "null"
			}
			return s.span(v)
		}
		args := append([]string{s.relation(name), named("start_offset", offset(from)), named("end_offset", offset(to))}, o.args(&s)...)
		s.sql = "select " + call(e.fn("add_continuous_aggregate_policy"), args...)
		return s
	}
	return a.run(ctx, q)
}

// RemoveRefreshPolicy removes the refresh policy of a continuous aggregate, and reports whether there was one.
func RemoveRefreshPolicy(ctx context.Context, q ext.Querier, view string) (bool, error) {
	return removePolicy(ctx, q, "refresh policy", view, "policy_refresh_continuous_aggregate", "remove_continuous_aggregate_policy")
}

// ContinuousAggregate is what the extension knows of a continuous aggregate.
type ContinuousAggregate struct {
	Schema      string
	Name        string
	Owner       string
	Source      string // the hypertable that it aggregates, with its schema and quoted where needed
	RealTime    bool   // queries add the rows that are not materialized yet
	Compression bool
	Definition  string // its query
}

// ContinuousAggregates lists the continuous aggregates of the database, by schema and name.
func ContinuousAggregates(ctx context.Context, q ext.Querier) ([]ContinuousAggregate, error) {
	return query[ContinuousAggregate](ctx, q, action{what: "continuous aggregates"}, `
		select view_schema as schema, view_name as name, view_owner as owner,
		       format('%I.%I', hypertable_schema, hypertable_name) as source, not materialized_only as real_time,
		       compression_enabled as compression, view_definition as definition
		from timescaledb_information.continuous_aggregates order by 1, 2`)
}
