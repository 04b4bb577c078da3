package timescale

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// PolicyOptions say when the job of a policy runs. The zero value takes the extension's defaults.
type PolicyOptions struct {
	IfNotExists  bool      // a policy of the same kind that is there already is left as it is: the job's id is -1 then
	Schedule     Span      // between the starts of two runs
	InitialStart time.Time // of the first run; zero: at once
	TimeZone     string    // whose daylight saving the schedule follows: "Europe/Berlin"
}

// args are the options as arguments.
func (o PolicyOptions) args(s *statement) []string {
	var args []string
	if !o.Schedule.IsZero() {
		args = append(args, named("schedule_interval", s.span(o.Schedule)))
	}
	if !o.InitialStart.IsZero() {
		args = append(args, named("initial_start", s.arg(o.InitialStart, "timestamptz")))
	}
	if o.TimeZone != "" {
		args = append(args, named("timezone", s.arg(o.TimeZone, "text")))
	}
	return append(args, flag("if_not_exists", o.IfNotExists))
}

func (o PolicyOptions) check() error {
	if o.Schedule.cast == "bigint" {
		return errors.New("the schedule is an interval of time, not an integer")
	}
	return o.Schedule.err
}

// AddCompressionPolicy has the chunks of a hypertable or continuous aggregate compressed when all of their rows are older than
// a span, and returns the id of the job that does it. [EnableCompression] comes first.
func AddCompressionPolicy(ctx context.Context, q ext.Querier, table string, after Span, o PolicyOptions) (int64, error) {
	return addPolicy(ctx, q, "compression policy", table, after, o, "add_compression_policy")
}

// AddRetentionPolicy has the chunks of a hypertable or continuous aggregate dropped when all of their rows are older than a
// span, and returns the id of the job that does it.
func AddRetentionPolicy(ctx context.Context, q ext.Querier, table string, after Span, o PolicyOptions) (int64, error) {
	return addPolicy(ctx, q, "retention policy", table, after, o, "add_retention_policy")
}

// addPolicy adds a policy that does something to chunks of an age. The columnstore's names for the function of compression
// are procedures that return no job id, over the same code.
func addPolicy(ctx context.Context, q ext.Querier, what, table string, after Span, o PolicyOptions, function string) (int64, error) {
	a := action{what: "add a " + what + " to", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = after.required("the age")
	}
	if err == nil {
		err = o.check()
	}
	if err != nil {
		return 0, a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		args := append([]string{s.relation(name), s.span(after)}, o.args(&s)...)
		s.sql = "select " + call(e.fn(function), args...)
		return s
	}
	return a.run(ctx, q)
}

// AddReorderPolicy has the rows of chunks that are no longer written to put in the order of one of the hypertable's indexes,
// and returns the id of the job that does it. o.Schedule is not taken: the job's interval follows the width of the chunks.
func AddReorderPolicy(ctx context.Context, q ext.Querier, table, index string, o PolicyOptions) (int64, error) {
	a := action{what: "add a reorder policy to", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = ext.CheckName(index)
	}
	if err == nil && !o.Schedule.IsZero() {
		err = errors.New("a reorder policy takes no schedule: it follows the width of the chunks")
	}
	if err != nil {
		return 0, a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		args := append([]string{s.relation(name), s.arg(index, "name")}, o.args(&s)...)
		s.sql = "select " + call(e.fn("add_reorder_policy"), args...)
		return s
	}
	return a.run(ctx, q)
}

// RemoveCompressionPolicy removes a table's compression policy, and reports whether there was one.
func RemoveCompressionPolicy(ctx context.Context, q ext.Querier, table string) (bool, error) {
	return removePolicy(ctx, q, "compression policy", table, "policy_compression", "remove_compression_policy")
}

// RemoveRetentionPolicy removes a table's retention policy, and reports whether there was one.
func RemoveRetentionPolicy(ctx context.Context, q ext.Querier, table string) (bool, error) {
	return removePolicy(ctx, q, "retention policy", table, "policy_retention", "remove_retention_policy")
}

// RemoveReorderPolicy removes a table's reorder policy, and reports whether there was one.
func RemoveReorderPolicy(ctx context.Context, q ext.Querier, table string) (bool, error) {
	return removePolicy(ctx, q, "reorder policy", table, "policy_reorder", "remove_reorder_policy")
}

// removePolicy removes a policy. The job that it is before says whether there was one: not all of the functions do.
func removePolicy(ctx context.Context, q ext.Querier, what, table, procedure, function string) (bool, error) {
	a := action{what: "remove the " + what + " of", on: table}
	name, err := ext.ParseName(table)
	if err != nil {
		return false, a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		s.sql = fmt.Sprintf(`
			with policy as materialized (
				select count(*) as jobs
				from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace
				left join timescaledb_information.continuous_aggregates a on a.view_schema = n.nspname and a.view_name = r.relname
				join timescaledb_information.jobs j on (j.hypertable_schema, j.hypertable_name) in
					((n.nspname, r.relname), (a.materialization_hypertable_schema, a.materialization_hypertable_name))
				where r.oid = %s and j.proc_name = %s
			), removed as materialized (select %s::text from policy)
			select jobs from policy, removed`,
			s.relation(name), s.arg(procedure, "name"), call(e.fn(function), "$1", "if_exists => true"))
		return s
	}
	n, err := a.run(ctx, q)
	return n > 0, err
}
