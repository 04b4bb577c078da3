package timescale

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// Job is a background job: that of a policy, of the extension itself, or of a user.
type Job struct {
	ID          int64
	Application string // its name in pg_stat_activity
	Procedure   string // what it runs, with its schema and quoted where needed
	Owner       string
	Hypertable  string // or continuous aggregate that it is for, likewise; "" for none
	Schedule    string // between the starts of two runs, as PostgreSQL writes intervals
	MaxRuntime  string // likewise, zero for no limit
	MaxRetries  int64  // -1 for no limit
	RetryPeriod string
	Scheduled   bool            // false while it is paused
	Config      json.RawMessage // its argument; JSON's null where it has none
	NextStart   *time.Time      // nil for none, and before the first run
	LastStart   *time.Time      // nil before the first run
	LastSuccess *time.Time      // nil before the first
	LastStatus  string          // Success, Failed or ""
	Status      string          // Scheduled, Running, Paused or "", where it has no run yet
	Runs        int64
	Failures    int64
}

// Jobs lists the background jobs of the database, by id.
func Jobs(ctx context.Context, q ext.Querier) ([]Job, error) {
	return query[Job](ctx, q, action{what: "jobs"}, `
		select j.job_id::bigint as id, j.application_name as application, format('%I.%I', j.proc_schema, j.proc_name) as procedure,
		       j.owner::text as owner,
		       case when j.hypertable_name is null then '' else format('%I.%I', j.hypertable_schema, j.hypertable_name) end as hypertable,
		       j.schedule_interval::text as schedule, j.max_runtime::text as max_runtime, j.max_retries::bigint as max_retries,
		       j.retry_period::text as retry_period, j.scheduled, coalesce(j.config, 'null') as config,
		       case when isfinite(j.next_start) then j.next_start end as next_start,
		       case when isfinite(s.last_run_started_at) then s.last_run_started_at end as last_start,
		       case when isfinite(s.last_successful_finish) then s.last_successful_finish end as last_success,
		       coalesce(s.last_run_status, '') as last_status, coalesce(s.job_status, '') as status,
		       coalesce(s.total_runs, 0) as runs, coalesce(s.total_failures, 0) as failures
		from timescaledb_information.jobs j left join timescaledb_information.job_stats s on s.job_id = j.job_id
		order by 1`)
}

// JobOptions say how a job of AddJob runs. The zero value runs it from now on.
type JobOptions struct {
	Config       any // its argument, as JSON; nil: none
	InitialStart time.Time
	Paused       bool
	TimeZone     string // whose daylight saving the schedule follows
}

// AddJob has a function or procedure run regularly, and returns the job's id. It takes two arguments: the job's id and its config
// as jsonb.
func AddJob(ctx context.Context, q ext.Querier, procedure string, every Span, o JobOptions) (int64, error) {
	a := action{what: "add job", on: procedure}
	name, err := ext.ParseName(procedure)
	if err == nil {
		err = PolicyOptions{Schedule: every}.check()
	}
	if err == nil {
		err = every.required("the schedule")
	}
	config, configErr := toJSON(o.Config)
	if err = orElse(err, configErr); err != nil {
		return 0, a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		args := []string{s.arg(name.String(), "regproc"), s.span(every)}
		if config != nil {
			args = append(args, named("config", s.arg(string(config), "jsonb")))
		}
		if o.Paused {
			args = append(args, "scheduled => false")
		}
		args = append(args, PolicyOptions{InitialStart: o.InitialStart, TimeZone: o.TimeZone}.args(&s)...)
		s.sql = "select " + call(e.fn("add_job"), args...)
		return s
	}
	return a.run(ctx, q)
}

// toJSON encodes a config, nil for none.
func toJSON(config any) ([]byte, error) {
	if config == nil {
		return nil, nil
	}
	return json.Marshal(config)
}

// JobChange is what [AlterJob] changes: fields that are nil or zero stay as they are.
type JobChange struct {
	Schedule    Span
	MaxRuntime  Span
	MaxRetries  *int // -1 for no limit
	RetryPeriod Span
	Scheduled   *bool // false pauses the job
	Config      any   // as JSON
	NextStart   time.Time
}

// AlterJob changes when and how a job runs.
func AlterJob(ctx context.Context, q ext.Querier, id int64, change JobChange) error {
	a := action{what: "alter job", id: id}
	config, err := toJSON(change.Config)
	for _, span := range []Span{change.Schedule, change.MaxRuntime, change.RetryPeriod} {
		err = orElse(err, PolicyOptions{Schedule: span}.check())
	}
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) statement { return alterJob(e, id, change, config) }
	_, err = a.run(ctx, q)
	return err
}

func alterJob(e extension, id int64, change JobChange, config []byte) (s statement) {
	args := []string{s.arg(id, "integer")}
	add := func(name string, given bool, value any, cast string) {
		if given {
			args = append(args, named(name, s.arg(value, cast)))
		}
	}
	add("schedule_interval", !change.Schedule.IsZero(), change.Schedule.arg, "interval")
	add("max_runtime", !change.MaxRuntime.IsZero(), change.MaxRuntime.arg, "interval")
	add("max_retries", change.MaxRetries != nil, change.MaxRetries, "integer")
	add("retry_period", !change.RetryPeriod.IsZero(), change.RetryPeriod.arg, "interval")
	add("scheduled", change.Scheduled != nil, change.Scheduled, "boolean")
	add("config", config != nil, string(config), "jsonb")
	add("next_start", !change.NextStart.IsZero(), change.NextStart, "timestamptz")
	s.sql = "select job_id from " + call(e.fn("alter_job"), args...)
	return s
}

// RunJob runs a job now, on this connection, and returns when it has ended. The jobs of policies commit as they go, so it does
// not run inside a transaction.
func RunJob(ctx context.Context, q ext.OutsideTx, id int64) error {
	return onJob(ctx, q, action{what: "run job", id: id, outside: true}, func(e extension, job string) string {
		return "call " + call(e.fn("run_job"), job)
	})
}

// DeleteJob deletes a job: a policy's too.
func DeleteJob(ctx context.Context, q ext.Querier, id int64) error {
	return onJob(ctx, q, action{what: "delete job", id: id}, func(e extension, job string) string {
		return "select from " + call(e.fn("delete_job"), job)
	})
}

func onJob(ctx context.Context, q ext.Querier, a action, sql func(e extension, job string) string) error {
	if a.id <= 0 || a.id > 1<<31-1 {
		return action{what: a.what}.fail(fmt.Errorf("no job has the id %d", a.id))
	}
	a.build = func(e extension) (s statement) {
		s.sql = sql(e, s.arg(a.id, "integer"))
		return s
	}
	_, err := a.run(ctx, q)
	return err
}
