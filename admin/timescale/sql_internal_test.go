package timescale

import (
	"slices"
	"testing"
	"time"

	"github.com/pycopg/pycopg/ext"
)

func TestStatementsByVersion(t *testing.T) {
	t.Parallel()
	table := ext.Name{Schema: "app", Name: "m"}
	release := func(major, minor int) extension { return extension{schema: "ts", major: major, minor: minor} }
	hour := Every(time.Hour)
	no := false
	for _, test := range []struct {
		got  statement
		want string
	}{
		{
			createHypertable(newest, table, ByRange("ts", hour), HypertableOptions{}),
			`select created from create_hypertable($1::regclass, by_range($2::name, $3::interval))`,
		},
		{
			createHypertable(release(2, 13), table, ByRange("ts", Span{}).Using("app.f"), HypertableOptions{IfNotExists: true}),
			`select created from "ts".create_hypertable($1::regclass, "ts".by_range($2::name, partition_func => $3::regproc), if_not_exists => true)`,
		},
		{
			createHypertable(release(2, 12), table, ByRange("ts", hour).Using("app.f"), HypertableOptions{MigrateData: true, NoDefaultIndexes: true}),
			`select created from "ts".create_hypertable($1::regclass, $2::name, chunk_time_interval => $3::interval, time_partitioning_func => $4::regproc, create_default_indexes => false, migrate_data => true)`,
		},
		{
			addDimension(release(2, 28), table, ByHash("device", 4), DimensionOptions{IfNotExists: true}),
			`select created from "ts".add_dimension($1::regclass, "ts".by_hash($2::name, $3::integer), if_not_exists => true)`,
		},
		{
			addDimension(release(2, 9), table, ByHash("device", 4).Using("f"), DimensionOptions{}),
			`select created from "ts".add_dimension($1::regclass, $2::name, number_partitions => $3::integer, partitioning_func => $4::regproc)`,
		},
		{
			enableCompression(release(2, 18), table, CompressionOptions{SegmentBy: []string{"a b", `q"'`}, OrderBy: []Order{{Column: "ts", Desc: true, NullsFirst: &no}}}),
			`alter table "app"."m" set (timescaledb.enable_columnstore, timescaledb.segmentby = '"a b", "q""''"', timescaledb.orderby = '"ts" desc nulls last')`,
		},
		{
			enableCompression(release(2, 17), table, CompressionOptions{SegmentBy: []string{`back\slash`}, ChunkInterval: Interval("1 day")}),
			`alter table "app"."m" set (timescaledb.compress, timescaledb.compress_segmentby =  E'"back\\slash"', timescaledb.compress_chunk_time_interval = '1 day')`,
		},
		{
			alterJob(newest, 7, JobChange{Scheduled: &no, Schedule: hour}, nil),
			`select job_id from alter_job($1::integer, schedule_interval => $2::interval, scheduled => $3::boolean)`,
		},
		{BucketQuery{
			Time: "ts", Width: hour, By: []string{"d"}, Select: []Aggregate{Avg("v").Filled(FillBetween)}, Gapfill: true, Where: "d = $1", Args: []any{1},
			From: Ago(hour), To: At(time.Unix(0, 0)), TimeZone: "UTC", Desc: true, Limit: 5,
		}.statement(table), `select time_bucket_gapfill($2::interval, "ts", $3::text) as bucket, "d", interpolate(avg("v")) as "v"
from "app"."m"
where (d = $1
) and "ts" >= now() - $4::interval and "ts" < $5::timestamptz
group by 1, 2
order by 1 desc, 2
limit 5`},
		{
			statement{sql: createAggregate(table, "select 1 ; \n", AggregateOptions{})},
			"create materialized view \"app\".\"m\" with (timescaledb.continuous) as\nselect 1\nwith no data",
		},
		{
			statement{sql: createAggregate(table, "select 1 -- all", AggregateOptions{IfNotExists: true, WithData: true, RealTime: &no, NoGroupIndexes: true})},
			"create materialized view if not exists \"app\".\"m\" with (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) as\nselect 1 -- all\nwith data",
		},
	} {
		if test.got.sql != test.want {
			t.Errorf("got  %s\nwant %s", test.got.sql, test.want)
		}
	}
}

func TestSpansAsArguments(t *testing.T) {
	t.Parallel()
	var s statement
	got := []string{s.span(Every(90 * time.Second)), s.span(Interval("1 month")), s.span(Integer(5)), s.bound(At(time.Unix(5, 0)), "date"), s.bound(AtInteger(-3), "")}
	if want := []string{"$1::interval", "$2::interval", "$3::bigint", "$4::timestamptz::date", "$5::bigint"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if s.args[0] != "90000000 microseconds" || s.args[1] != "1 month" || s.args[2] != int64(5) || s.args[4] != int64(-3) {
		t.Errorf("arguments = %v", s.args)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int{"2.28.3": {2, 28}, "2.30.0-dev": {2, 30}, "3": {3, 0}, "": {0, 0}} {
		if major, minor := parseVersion(text); [2]int{major, minor} != want {
			t.Errorf("%q is %d.%d", text, major, minor)
		}
	}
}
