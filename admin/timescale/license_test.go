package timescale_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin/timescale"
)

func TestTheApacheLicenceLacksFeatures(t *testing.T) {
	t.Parallel()
	db := openApache(t)
	table := metrics(t, db, 1)
	ctx := t.Context()
	day := timescale.Interval("1 day")
	chunks, err := timescale.Chunks(ctx, db, table, timescale.ChunkRange{})
	if err != nil || len(chunks) != 1 {
		t.Fatal(chunks, err)
	}
	_, compressionErr := timescale.AddCompressionPolicy(ctx, db, table, day, timescale.PolicyOptions{})
	_, retentionErr := timescale.AddRetentionPolicy(ctx, db, table, day, timescale.PolicyOptions{})
	_, reorderErr := timescale.AddReorderPolicy(ctx, db, table, "odd metrics_ts_idx", timescale.PolicyOptions{})
	_, aggregateErr := timescale.CreateContinuousAggregate(ctx, db, "daily",
		`select time_bucket('1 day', ts) as day, avg(temperature) from app."odd metrics" group by 1`, timescale.AggregateOptions{})
	_, jobErr := timescale.AddJob(ctx, db, "now", day, timescale.JobOptions{})
	gaps := timescale.BucketQuery{
		Time: "ts", Width: day, Select: []timescale.Aggregate{timescale.Avg("temperature").Filled(timescale.FillLast)},
		Gapfill: true, From: timescale.Ago(day), To: timescale.Ago(timescale.Interval("1 hour")),
	}
	_, noRowsErr := timescale.TimeBucket[map[string]any](ctx, db, table, gaps)
	gaps.From = timescale.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	_, fillErr := timescale.TimeBucket[map[string]any](ctx, db, table, gaps)
	for _, test := range []struct {
		err  error
		says string
	}{
		{timescale.EnableCompression(ctx, db, table, timescale.CompressionOptions{}), "enable compression"},
		{timescale.CompressChunk(ctx, db, chunks[0].Name), "compress chunk"},
		{timescale.ReorderChunk(ctx, db, chunks[0].Name, `app."odd metrics_ts_idx"`), "reorder chunk"},
		{compressionErr, "compression policy"},
		{retentionErr, "retention policy"},
		{reorderErr, "reorder policy"},
		{aggregateErr, "continuous aggregate"},
		{jobErr, "add job"},
		{fillErr, "buckets"},
		{noRowsErr, "buckets"},
	} {
		if !errors.Is(test.err, timescale.ErrLicense) || !strings.Contains(test.err.Error(), test.says) {
			t.Errorf("%v, want ErrLicense that says %q", test.err, test.says)
		}
	}
	if n := value[int](t, db, "select count(*) from app.\"odd metrics\""); n != 24 {
		t.Errorf("%d rows", n)
	}
}
