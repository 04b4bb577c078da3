package mock_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/admin/timescale"
)

var timescaleCases = map[string]plainCall{
	"timescale.Version": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_extension`).WillReturnRows(sqlmock.NewRows([]string{"version"}).AddRow("2.19.3"))
		version, err := timescale.Version(ctx, db)
		return want(version, err, "2.19.3")
	},
	"timescale.CreateHypertable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select created from create_hypertable\(\$1::regclass, by_range\(\$2::name, \$3::interval\)\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := timescale.CreateHypertable(ctx, db, "temperature", timescale.ByRange("at", timescale.Every(24*time.Hour)), timescale.HypertableOptions{})
		return want(created, err, true)
	},
	"timescale.AddDimension": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select created from add_dimension\(\$1::regclass, by_hash\(\$2::name, \$3::integer\)\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		added, err := timescale.AddDimension(ctx, db, "temperature", timescale.ByHash("device", 4), timescale.DimensionOptions{})
		return want(added, err, true)
	},
	"timescale.SetChunkInterval": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select from set_chunk_time_interval\(\$1::regclass, \$2::interval, dimension_name => \$3::name\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.SetChunkInterval(ctx, db, "temperature", "at", timescale.Every(time.Hour))
	},
	"timescale.Hypertables": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`timescaledb_information.hypertables`).WillReturnRows(sqlmock.NewRows([]string{
			"schema", "name", "owner", "dimensions", "chunks", "compression", "tablespaces",
		}).AddRow("public", "temperature", "app", 1, 3, false, nil))
		all, err := timescale.Hypertables(ctx, db)
		return want(head(all).Chunks, err, 3)
	},
	"timescale.GetHypertable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`timescaledb_information.hypertables`).WillReturnRows(sqlmock.NewRows([]string{
			"schema", "name", "owner", "dimensions", "chunks", "compression", "tablespaces",
		}).AddRow("public", "temperature", "app", 1, 3, false, nil))
		h, err := timescale.GetHypertable(ctx, db, "temperature")
		return want(h.Chunks, err, 3)
	},
	"timescale.Dimensions": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`timescaledb_information.dimensions`).WillReturnRows(sqlmock.NewRows([]string{
			"number", "column", "type", "interval", "width", "partitions",
		}).AddRow(1, "at", "timestamp with time zone", "1 day", 0, 0))
		dimensions, err := timescale.Dimensions(ctx, db, "temperature")
		return want(head(dimensions).Column, err, "at")
	},
	"timescale.Chunks": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`timescaledb_information.chunks`).WillReturnRows(sqlmock.NewRows([]string{
			"name", "start", "end", "start_integer", "end_integer", "compressed", "tablespace",
		}).AddRow("_timescaledb_internal._hyper_1_1_chunk", time.Unix(0, 0), time.Unix(3600, 0), nil, nil, false, ""))
		chunks, err := timescale.Chunks(ctx, db, "temperature", timescale.ChunkRange{})
		return want(head(chunks).Compressed, err, false)
	},
	"timescale.DropChunks": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop_chunks`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := timescale.DropChunks(ctx, db, "temperature", timescale.ChunkRange{OlderThan: timescale.Ago(timescale.Every(24 * time.Hour))})
		return want(len(dropped), err, 0) // a mock has no names of chunks
	},
	"timescale.ReorderChunk": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select from reorder_chunk\(\$1::regclass, \$2::regclass\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.ReorderChunk(ctx, db, "_timescaledb_internal._hyper_1_1_chunk", "temperature_at_idx")
	},
	"timescale.GetSize": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`hypertable_detailed_size`).WillReturnRows(sqlmock.NewRows([]string{"table", "indexes", "toast", "total"}).AddRow(8192, 8192, 0, 16384))
		size, err := timescale.GetSize(ctx, db, "temperature")
		return want(size.Total, err, 16384)
	},
	"timescale.ApproximateRowCount": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`approximate_row_count`).WillReturnRows(sqlmock.NewRows([]string{"n"}).AddRow(7))
		n, err := timescale.ApproximateRowCount(ctx, db, "temperature")
		return want(n, err, 7)
	},
	"timescale.TimeBucket": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		q := timescale.BucketQuery{Time: "at", Width: timescale.Every(time.Hour), Select: []timescale.Aggregate{timescale.Avg("celsius")}}
		m.ExpectQuery(`time_bucket`).WillReturnRows(sqlmock.NewRows([]string{"bucket", "avg"}).AddRow(time.Unix(0, 0), 21.5))
		hours, err := timescale.TimeBucket[map[string]any](ctx, db, "temperature", q)
		return want(head(hours)["avg"].(float64), err, 21.5)
	},
	"timescale.EnableCompression": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "temperature" set \(timescaledb.enable_columnstore, timescaledb.segmentby = '"device"'\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.EnableCompression(ctx, db, "temperature", timescale.CompressionOptions{SegmentBy: []string{"device"}})
	},
	"timescale.DisableCompression": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "temperature" set \(timescaledb.enable_columnstore = false\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.DisableCompression(ctx, db, "temperature")
	},
	"timescale.CompressChunk": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select from compress_chunk\(\$1::regclass, if_not_compressed => true\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.CompressChunk(ctx, db, "_timescaledb_internal._hyper_1_1_chunk")
	},
	"timescale.DecompressChunk": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select from decompress_chunk\(\$1::regclass, if_compressed => true\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.DecompressChunk(ctx, db, "_timescaledb_internal._hyper_1_1_chunk")
	},
	"timescale.GetCompressionStats": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`compression_stats`).WillReturnRows(sqlmock.NewRows([]string{"total_chunks", "number_compressed_chunks", "before", "after"}).AddRow(3, 2, 65536, 8192))
		stats, err := timescale.GetCompressionStats(ctx, db, "temperature")
		return want(stats.After, err, 8192)
	},
	"timescale.AddCompressionPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`add_compression_policy`).WillReturnResult(sqlmock.NewResult(0, 1000))
		job, err := timescale.AddCompressionPolicy(ctx, db, "temperature", timescale.Every(24*time.Hour), timescale.PolicyOptions{})
		return want(job, err, 1000)
	},
	"timescale.RemoveCompressionPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`with policy as materialized \( select count\(\*\) as jobs from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace left join timescaledb_information.continuous_aggregates a on a.view_schema = n.nspname and a.view_name = r.relname join timescaledb_information.jobs j on \(j.hypertable_schema, j.hypertable_name\) in \(\(n.nspname, r.relname\), \(a.materialization_hypertable_schema, a.materialization_hypertable_name\)\) where r.oid = \$1::regclass and j.proc_name = \$2::name \), removed as materialized \(select remove_compression_policy\(\$1, if_exists => true\)::text from policy\) select jobs from policy, removed`).WillReturnResult(sqlmock.NewResult(0, 1))
		removed, err := timescale.RemoveCompressionPolicy(ctx, db, "temperature")
		return want(removed, err, true)
	},
	"timescale.AddRetentionPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`add_retention_policy`).WillReturnResult(sqlmock.NewResult(0, 1000))
		job, err := timescale.AddRetentionPolicy(ctx, db, "temperature", timescale.Every(24*time.Hour), timescale.PolicyOptions{})
		return want(job, err, 1000)
	},
	"timescale.RemoveRetentionPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`with policy as materialized \( select count\(\*\) as jobs from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace left join timescaledb_information.continuous_aggregates a on a.view_schema = n.nspname and a.view_name = r.relname join timescaledb_information.jobs j on \(j.hypertable_schema, j.hypertable_name\) in \(\(n.nspname, r.relname\), \(a.materialization_hypertable_schema, a.materialization_hypertable_name\)\) where r.oid = \$1::regclass and j.proc_name = \$2::name \), removed as materialized \(select remove_retention_policy\(\$1, if_exists => true\)::text from policy\) select jobs from policy, removed`).WillReturnResult(sqlmock.NewResult(0, 1))
		removed, err := timescale.RemoveRetentionPolicy(ctx, db, "temperature")
		return want(removed, err, true)
	},
	"timescale.AddReorderPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`add_reorder_policy`).WillReturnResult(sqlmock.NewResult(0, 1000))
		job, err := timescale.AddReorderPolicy(ctx, db, "temperature", "temperature_at_idx", timescale.PolicyOptions{})
		return want(job, err, 1000)
	},
	"timescale.RemoveReorderPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`with policy as materialized \( select count\(\*\) as jobs from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace left join timescaledb_information.continuous_aggregates a on a.view_schema = n.nspname and a.view_name = r.relname join timescaledb_information.jobs j on \(j.hypertable_schema, j.hypertable_name\) in \(\(n.nspname, r.relname\), \(a.materialization_hypertable_schema, a.materialization_hypertable_name\)\) where r.oid = \$1::regclass and j.proc_name = \$2::name \), removed as materialized \(select remove_reorder_policy\(\$1, if_exists => true\)::text from policy\) select jobs from policy, removed`).WillReturnResult(sqlmock.NewResult(0, 1))
		removed, err := timescale.RemoveReorderPolicy(ctx, db, "temperature")
		return want(removed, err, true)
	},
	"timescale.CreateContinuousAggregate": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create materialized view "hourly" with \(timescaledb.continuous\) as select time_bucket\('1 hour', at\) as hour, avg\(celsius\) from temperature group by 1 with no data`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := timescale.CreateContinuousAggregate(ctx, db, "hourly", "select time_bucket('1 hour', at) as hour, avg(celsius) from temperature group by 1", timescale.AggregateOptions{})
		return want(created, err, true)
	},
	"timescale.ContinuousAggregates": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`timescaledb_information.continuous_aggregates`).WillReturnRows(sqlmock.NewRows([]string{
			"schema", "name", "owner", "source", "real_time", "compression", "definition",
		}).AddRow("public", "hourly", "app", "public.temperature", false, false, "select …"))
		all, err := timescale.ContinuousAggregates(ctx, db)
		return want(head(all).Source, err, "public.temperature")
	},
	"timescale.RefreshContinuousAggregate": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`call refresh_continuous_aggregate\(\$1::regclass, \(now\(\) - \$2::interval\)::timestamptz, null\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.RefreshContinuousAggregate(ctx, db, "hourly", timescale.Ago(timescale.Every(2*time.Hour)), timescale.Bound{})
	},
	"timescale.AddRefreshPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`add_continuous_aggregate_policy`).WillReturnResult(sqlmock.NewResult(0, 1000))
		job, err := timescale.AddRefreshPolicy(ctx, db, "hourly", timescale.Every(3*time.Hour), timescale.Every(time.Hour), timescale.PolicyOptions{Schedule: timescale.Every(time.Hour)})
		return want(job, err, 1000)
	},
	"timescale.RemoveRefreshPolicy": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`with policy as materialized \( select count\(\*\) as jobs from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace left join timescaledb_information.continuous_aggregates a on a.view_schema = n.nspname and a.view_name = r.relname join timescaledb_information.jobs j on \(j.hypertable_schema, j.hypertable_name\) in \(\(n.nspname, r.relname\), \(a.materialization_hypertable_schema, a.materialization_hypertable_name\)\) where r.oid = \$1::regclass and j.proc_name = \$2::name \), removed as materialized \(select remove_continuous_aggregate_policy\(\$1, if_exists => true\)::text from policy\) select jobs from policy, removed`).WillReturnResult(sqlmock.NewResult(0, 1))
		removed, err := timescale.RemoveRefreshPolicy(ctx, db, "hourly")
		return want(removed, err, true)
	},
	"timescale.DropContinuousAggregate": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop materialized view if exists "hourly"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := timescale.DropContinuousAggregate(ctx, db, "hourly", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"timescale.AddJob": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`add_job`).WillReturnResult(sqlmock.NewResult(0, 1000))
		job, err := timescale.AddJob(ctx, db, "clean_up", timescale.Every(time.Hour), timescale.JobOptions{})
		return want(job, err, 1000)
	},
	"timescale.AlterJob": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select job_id from alter_job\(\$1::integer, schedule_interval => \$2::interval\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.AlterJob(ctx, db, 1000, timescale.JobChange{Schedule: timescale.Every(2 * time.Hour)})
	},
	"timescale.RunJob": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`call run_job\(\$1::integer\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.RunJob(ctx, db, 1000)
	},
	"timescale.DeleteJob": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`select from delete_job\(\$1::integer\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return timescale.DeleteJob(ctx, db, 1000)
	},
	"timescale.Jobs": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`timescaledb_information.jobs`).WillReturnRows(sqlmock.NewRows([]string{
			"id", "application", "procedure", "owner", "hypertable", "schedule", "max_runtime", "max_retries", "retry_period", "scheduled",
			"config", "next_start", "last_start", "last_success", "last_status", "status", "runs", "failures",
		}).AddRow(1000, "User-Defined Action", "public.clean_up", "app", "", "01:00:00", "00:00:00", -1, "00:05:00", true,
			[]byte("null"), nil, nil, nil, "Success", "Scheduled", 4, 0))
		jobs, err := timescale.Jobs(ctx, db)
		return want(head(jobs).Runs, err, 4)
	},
}
