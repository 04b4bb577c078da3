package timescale_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin/timescale"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func TestCompression(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	table := metrics(t, db, 3)
	ctx := t.Context()

	order, err := timescale.ParseOrder("ts desc nulls last, temperature")
	if err != nil {
		t.Fatal(err)
	}
	o := timescale.CompressionOptions{SegmentBy: []string{"Device"}, OrderBy: order, ChunkInterval: timescale.Interval("2 days")}
	if err := timescale.EnableCompression(ctx, db, table, o); err != nil {
		t.Fatal(err)
	}
	if h, err := timescale.GetHypertable(ctx, db, table); err != nil || !h.Compression {
		t.Errorf("hypertable = %+v, %v", h, err)
	}
	got := value[string](t, db, `select string_agg(concat_ws(' ', attname, segmentby_column_index, orderby_column_index, orderby_asc, orderby_nullsfirst), ', ' order by attname)
		from timescaledb_information.compression_settings where hypertable_name = 'odd metrics'`)
	if want := "Device 1, temperature 2 t f, ts 1 f f"; got != want {
		t.Errorf("settings = %s, want %s", got, want)
	}

	chunks, err := timescale.Chunks(ctx, db, table, timescale.ChunkRange{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing is left to do
		if err := timescale.CompressChunk(ctx, db, chunks[0].Name); err != nil {
			t.Fatal(err)
		}
	}
	chunks, err = timescale.Chunks(ctx, db, table, timescale.ChunkRange{})
	if err != nil || !chunks[0].Compressed || chunks[1].Compressed {
		t.Errorf("chunks = %+v, %v", chunks, err)
	}
	stats, err := timescale.GetCompressionStats(ctx, db, table)
	if err != nil || stats.Chunks != 3 || stats.CompressedChunks != 1 || stats.Before <= 0 || stats.After <= 0 {
		t.Errorf("stats = %+v, %v", stats, err)
	}
	if n := value[int](t, db, `select count(*) from app."odd metrics"`); n != 72 {
		t.Errorf("%d rows, want 72", n)
	}
	if err := timescale.DisableCompression(ctx, db, table); err == nil {
		t.Error("compression was disabled with a compressed chunk")
	}
	for range 2 {
		if err := timescale.DecompressChunk(ctx, db, chunks[0].Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := timescale.DisableCompression(ctx, db, table); err != nil {
		t.Error(err)
	}
	if h, err := timescale.GetHypertable(ctx, db, table); err != nil || h.Compression {
		t.Errorf("hypertable = %+v, %v", h, err)
	}
	if stats, err := timescale.GetCompressionStats(ctx, db, table); err != nil || stats != (timescale.CompressionStats{}) {
		t.Errorf("stats = %+v, %v, want zeros", stats, err)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	table := metrics(t, db, 3)
	ctx := t.Context()
	if err := timescale.EnableCompression(ctx, db, table, timescale.CompressionOptions{}); err != nil {
		t.Fatal(err)
	}
	week, month := timescale.Every(7*24*time.Hour), timescale.Interval("1 month")
	add := func(o timescale.PolicyOptions) (ids [3]int64, err error) {
		var errs [3]error
		ids[0], errs[0] = timescale.AddCompressionPolicy(ctx, db, table, week, o)
		ids[1], errs[1] = timescale.AddRetentionPolicy(ctx, db, table, month, o)
		o.Schedule = timescale.Span{}
		ids[2], errs[2] = timescale.AddReorderPolicy(ctx, db, table, "odd metrics_ts_idx", o)
		return ids, errors.Join(errs[:]...)
	}
	at := time.Date(2100, 1, 1, 3, 0, 0, 0, time.UTC)
	ids, err := add(timescale.PolicyOptions{Schedule: timescale.Interval("12 hours"), InitialStart: at, TimeZone: "Europe/Berlin"})
	if err != nil || ids[0] <= 0 || ids[1] <= 0 || ids[2] <= 0 {
		t.Fatalf("ids = %v, %v", ids, err)
	}
	if again, err := add(timescale.PolicyOptions{IfNotExists: true, Schedule: timescale.Interval("12 hours"), InitialStart: at}); err != nil || again != [3]int64{-1, -1, -1} {
		t.Errorf("again: %v, %v", again, err)
	}
	if _, err := timescale.AddRetentionPolicy(ctx, db, table, month, timescale.PolicyOptions{}); err == nil {
		t.Error("again, strictly: no error")
	}
	jobs, err := timescale.Jobs(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	found := map[int64]timescale.Job{}
	for _, job := range jobs {
		found[job.ID] = job
	}
	retention := found[ids[1]]
	if retention.Hypertable != `app."odd metrics"` || retention.Schedule != "12:00:00" || !retention.Scheduled || retention.Runs != 0 {
		t.Errorf("retention job = %+v", retention)
	}

	err = ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
		conn := oneConn(t, db)
		mustExec(t, conn, "begin")
		defer mustExec(t, conn, "rollback")
		return timescale.RunJob(ctx, conn, ids[1])
	})
	if !errors.Is(err, driver.ErrInTransaction) {
		t.Errorf("run inside a transaction: %v", err)
	}
	if err := timescale.RunJob(ctx, db, ids[0]); err != nil {
		t.Error(err)
	}
	if chunks, err := timescale.Chunks(ctx, db, table, timescale.ChunkRange{}); err != nil || !chunks[0].Compressed {
		t.Errorf("the job compressed nothing: %+v, %v", chunks, err)
	}

	for name, remove := range map[string]func() (bool, error){
		"compression": func() (bool, error) { return timescale.RemoveCompressionPolicy(ctx, db, table) },
		"retention":   func() (bool, error) { return timescale.RemoveRetentionPolicy(ctx, db, table) },
		"reorder":     func() (bool, error) { return timescale.RemoveReorderPolicy(ctx, db, table) },
	} {
		if removed, err := remove(); err != nil || !removed {
			t.Errorf("%s: removed = %t, %v", name, removed, err)
		}
		if removed, err := remove(); err != nil || removed {
			t.Errorf("%s again: removed = %t, %v", name, removed, err)
		}
	}
}

func TestReorderChunk(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	table := metrics(t, db, 1)
	chunks, err := timescale.Chunks(t.Context(), db, table, timescale.ChunkRange{})
	if err != nil {
		t.Fatal(err)
	}
	if err := timescale.ReorderChunk(t.Context(), db, chunks[0].Name, `app."odd metrics_ts_idx"`); err != nil {
		t.Error(err)
	}
	if err := timescale.ReorderChunk(t.Context(), db, chunks[0].Name, ""); err != nil {
		t.Error("by the last index:", err)
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	ctx := t.Context()
	mustExec(t, db, `create table runs (job int, config jsonb)`, `create procedure "Odd job"(job int, config jsonb) language sql as 'insert into runs values ($1, $2)'`)
	id, err := timescale.AddJob(ctx, db, "Odd job", timescale.Interval("1 day"), timescale.JobOptions{
		Config: map[string]any{"keep": 3}, InitialStart: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), Paused: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	retries, on := 2, true
	next := time.Date(2101, 2, 3, 4, 0, 0, 0, time.UTC)
	change := timescale.JobChange{
		Schedule: timescale.Interval("2 days"), MaxRuntime: timescale.Every(time.Minute), MaxRetries: &retries,
		RetryPeriod: timescale.Interval("5 minutes"), Scheduled: &on, Config: map[string]any{"keep": 4}, NextStart: next,
	}
	if err := timescale.AlterJob(ctx, db, id, change); err != nil {
		t.Fatal(err)
	}
	if err := timescale.RunJob(ctx, db, id); err != nil {
		t.Fatal(err)
	}
	if got := value[string](t, db, "select config::text from runs where job = $1", id); got != `{"keep": 4}` {
		t.Errorf("the job ran with %s", got)
	}
	jobs, err := timescale.Jobs(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.ID != id {
			continue
		}
		if job.Procedure != `public."Odd job"` || job.Schedule != "2 days" || job.MaxRuntime != "00:01:00" || job.MaxRetries != 2 ||
			job.RetryPeriod != "00:05:00" || !job.Scheduled || string(job.Config) != `{"keep": 4}` || job.NextStart == nil || !job.NextStart.Equal(next) {
			t.Errorf("job = %+v", job)
		}
	}
	if err := timescale.DeleteJob(ctx, db, id); err != nil {
		t.Error(err)
	}
	if err := timescale.DeleteJob(ctx, db, id); err == nil {
		t.Error("a job that is gone was deleted")
	}
}
