package timescale_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/admin/timescale"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func TestHypertable(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	table := metrics(t, db, 3)

	got, err := timescale.GetHypertable(t.Context(), db, table)
	if err != nil || got.Schema != "app" || got.Name != "odd metrics" || got.Dimensions != 1 || got.Chunks != 3 || got.Compression {
		t.Errorf("hypertable = %+v, %v", got, err)
	}
	all, err := timescale.Hypertables(t.Context(), db)
	if err != nil || len(all) != 1 || all[0].Name != "odd metrics" {
		t.Errorf("hypertables = %+v, %v", all, err)
	}
	dimensions, err := timescale.Dimensions(t.Context(), db, table)
	want := timescale.DimensionInfo{Number: 1, Column: "ts", Type: "timestamp with time zone", Interval: "1 day"}
	if err != nil || len(dimensions) != 1 || dimensions[0] != want {
		t.Errorf("dimensions = %+v, %v", dimensions, err)
	}
	size, err := timescale.GetSize(t.Context(), db, table)
	if err != nil || size.Table <= 0 || size.Indexes <= 0 || size.Total < size.Table+size.Indexes {
		t.Errorf("size = %+v, %v", size, err)
	}
	mustExec(t, db, `analyze app."odd metrics"`)
	if n, err := timescale.ApproximateRowCount(t.Context(), db, table); err != nil || n != 72 {
		t.Errorf("row count = %d, %v, want 72", n, err)
	}
	if v, err := timescale.Version(t.Context(), db); err != nil || !strings.HasPrefix(v, "2.") {
		t.Errorf("version = %q, %v", v, err)
	}
}

func TestCreateHypertableTellsWhetherItDid(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	mustExec(t, db, "create table m (ts timestamptz not null, v int)", "insert into m values (now(), 1)")
	by := timescale.ByRange("ts", timescale.Every(36*time.Hour))

	if _, err := timescale.CreateHypertable(t.Context(), db, "m", by, timescale.HypertableOptions{}); err == nil {
		t.Error("a table with rows became a hypertable without MigrateData")
	}
	o := timescale.HypertableOptions{MigrateData: true, NoDefaultIndexes: true}
	if created, err := timescale.CreateHypertable(t.Context(), db, "m", by, o); err != nil || !created {
		t.Error(created, err)
	}
	if n := value[int](t, db, "select count(*) from pg_indexes where tablename = 'm'"); n != 0 {
		t.Errorf("%d indexes, want none", n)
	}
	if created, err := timescale.CreateHypertable(t.Context(), db, "m", by, timescale.HypertableOptions{IfNotExists: true}); err != nil || created {
		t.Error("again:", created, err)
	}
	if _, err := timescale.CreateHypertable(t.Context(), db, "m", by, timescale.HypertableOptions{}); err == nil {
		t.Error("again, strictly: no error")
	}
	dimensions, err := timescale.Dimensions(t.Context(), db, "m")
	if err != nil || dimensions[0].Interval != "1 day 12:00:00" && dimensions[0].Interval != "36:00:00" {
		t.Errorf("dimensions = %+v, %v", dimensions, err)
	}
	if err := timescale.SetChunkInterval(t.Context(), db, "m", "", timescale.Interval("2 hours")); err != nil {
		t.Error(err)
	}
	dimensions, err = timescale.Dimensions(t.Context(), db, "m")
	if err != nil || dimensions[0].Interval != "02:00:00" {
		t.Errorf("dimensions = %+v, %v", dimensions, err)
	}
}

func TestDimensions(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	mustExec(t, db, "create table m (n bigint not null, device text not null, site int not null)")
	if _, err := timescale.CreateHypertable(t.Context(), db, "m", timescale.ByRange("n", timescale.Integer(1000)), timescale.HypertableOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, by := range []timescale.Dimension{timescale.ByHash("device", 4), timescale.ByRange("site", timescale.Integer(10))} {
		if added, err := timescale.AddDimension(t.Context(), db, "m", by, timescale.DimensionOptions{}); err != nil || !added {
			t.Error(added, err)
		}
	}
	added, err := timescale.AddDimension(t.Context(), db, "m", timescale.ByHash("device", 4), timescale.DimensionOptions{IfNotExists: true})
	if err != nil || added {
		t.Error("again:", added, err)
	}
	got, err := timescale.Dimensions(t.Context(), db, "m")
	want := []timescale.DimensionInfo{
		{Number: 1, Column: "n", Type: "bigint", Width: 1000},
		{Number: 2, Column: "device", Type: "text", Partitions: 4},
		{Number: 3, Column: "site", Type: "integer", Width: 10},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("dimensions = %+v, %v", got, err)
	}
	if err := timescale.SetChunkInterval(t.Context(), db, "m", "site", timescale.Integer(20)); err != nil {
		t.Error(err)
	}
}

func TestATableThatIsNoHypertable(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	mustExec(t, db, "create table plain (ts timestamptz not null)")
	ctx := t.Context()
	_, getErr := timescale.GetHypertable(ctx, db, "plain")
	_, dimensionsErr := timescale.Dimensions(ctx, db, "plain")
	_, sizeErr := timescale.GetSize(ctx, db, "plain")
	_, chunksErr := timescale.Chunks(ctx, db, "plain", timescale.ChunkRange{})
	_, dropErr := timescale.DropChunks(ctx, db, "plain", timescale.ChunkRange{OlderThan: timescale.At(time.Now())})
	_, addErr := timescale.AddDimension(ctx, db, "plain", timescale.ByHash("ts", 2), timescale.DimensionOptions{})
	setErr := timescale.SetChunkInterval(ctx, db, "plain", "", timescale.Every(time.Hour))
	for i, err := range []error{getErr, dimensionsErr, sizeErr, chunksErr, dropErr, addErr, setErr} {
		if !errors.Is(err, timescale.ErrNotHypertable) || !strings.Contains(err.Error(), `"plain"`) {
			t.Errorf("%d: %v, want ErrNotHypertable and the table's name", i, err)
		}
	}
	_, err := timescale.CreateHypertable(ctx, db, "nope", timescale.ByRange("ts", timescale.Span{}), timescale.HypertableOptions{})
	if err == nil || !strings.Contains(err.Error(), "42P01") {
		t.Errorf("of a missing table: %v", err)
	}
}

func TestEveryVerbNamesATableThatIsNoHypertable(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	mustExec(t, db, "create table plain (ts timestamptz not null)")
	ctx, day := t.Context(), timescale.Interval("1 day")
	_, compressErr := timescale.AddCompressionPolicy(ctx, db, "plain", day, timescale.PolicyOptions{})
	_, refreshErr := timescale.AddRefreshPolicy(ctx, db, "plain", timescale.Interval("3 days"), day, timescale.PolicyOptions{Schedule: day})
	_, noCompressErr := timescale.RemoveCompressionPolicy(ctx, db, "plain")
	_, noRetentionErr := timescale.RemoveRetentionPolicy(ctx, db, "plain")
	_, noReorderErr := timescale.RemoveReorderPolicy(ctx, db, "plain")
	_, noRefreshErr := timescale.RemoveRefreshPolicy(ctx, db, "plain")
	for what, err := range map[string]error{
		"AddCompressionPolicy": compressErr, "AddRefreshPolicy": refreshErr, "RemoveCompressionPolicy": noCompressErr,
		"RemoveRetentionPolicy": noRetentionErr, "RemoveReorderPolicy": noReorderErr, "RemoveRefreshPolicy": noRefreshErr,
		"RefreshContinuousAggregate": timescale.RefreshContinuousAggregate(ctx, db, "plain", timescale.Bound{}, timescale.Bound{}),
		"EnableCompression":          timescale.EnableCompression(ctx, db, "plain", timescale.CompressionOptions{}),
		"DisableCompression":         timescale.DisableCompression(ctx, db, "plain"),
	} {
		if !errors.Is(err, timescale.ErrNotHypertable) || !strings.Contains(err.Error(), `"plain"`) {
			t.Errorf("%s: %v, want ErrNotHypertable and the table's name", what, err)
		}
	}
}

func TestADatabaseWithoutTheExtension(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	mustExec(t, db, "create table m (ts timestamptz not null)")
	ctx := t.Context()
	_, createErr := timescale.CreateHypertable(ctx, db, "m", timescale.ByRange("ts", timescale.Span{}), timescale.HypertableOptions{})
	_, listErr := timescale.Hypertables(ctx, db)
	_, sizeErr := timescale.GetSize(ctx, db, "m")
	_, aggregateErr := timescale.CreateContinuousAggregate(ctx, db, "c", "select 1", timescale.AggregateOptions{})
	_, bucketErr := timescale.TimeBucket[map[string]any](ctx, db, "m", timescale.BucketQuery{
		Time: "ts", Width: timescale.Interval("1 day"), Select: []timescale.Aggregate{timescale.Rows()},
	})
	says := "is not installed on the server"
	if value[bool](t, db, "select exists (select from pg_available_extensions where name = 'timescaledb')") {
		says = "create extension"
	}
	for i, err := range []error{createErr, listErr, sizeErr, aggregateErr, bucketErr} {
		if !errors.Is(err, admin.ErrExtensionNotAvailable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%d: %v, want ErrExtensionNotAvailable that says %q", i, err, says)
		}
	}
	if v, err := timescale.Version(ctx, db); v != "" || err != nil {
		t.Errorf("version = %q, %v", v, err)
	}
	err := ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
		_, err := timescale.Hypertables(ctx, tx)
		return err
	})
	if !errors.Is(err, admin.ErrExtensionNotAvailable) {
		t.Errorf("inside a transaction: %v", err)
	}
}

func TestBadInputIsRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	hypertable := func(table string, by timescale.Dimension) error {
		_, err := timescale.CreateHypertable(ctx, nil, table, by, timescale.HypertableOptions{})
		return err
	}
	dimension := func(by timescale.Dimension) error {
		_, err := timescale.AddDimension(ctx, nil, "m", by, timescale.DimensionOptions{})
		return err
	}
	drop := func(r timescale.ChunkRange) error {
		_, err := timescale.DropChunks(ctx, nil, "m", r)
		return err
	}
	policy := func(after timescale.Span, o timescale.PolicyOptions) error {
		_, err := timescale.AddRetentionPolicy(ctx, nil, "m", after, o)
		return err
	}
	bucket := func(b timescale.BucketQuery) error {
		_, err := timescale.TimeBucket[any](ctx, nil, "m", b)
		return err
	}
	day := timescale.Interval("1 day")
	average := []timescale.Aggregate{timescale.Avg("v")}
	for _, test := range []struct {
		err  error
		says string
	}{
		{hypertable("a.b.c", timescale.ByRange("ts", day)), "a.b.c"},
		{hypertable("m", timescale.ByRange("", day)), "an empty name"},
		{hypertable("m", timescale.ByRange("ts", timescale.Interval(" "))), `interval " "`},
		{hypertable("m", timescale.ByRange("ts", timescale.Every(0))), "at least a microsecond"},
		{hypertable("m", timescale.ByRange("ts", timescale.Integer(-5))), "-5"},
		{hypertable("m", timescale.ByHash("device", 4)), "one of ranges"},
		{dimension(timescale.ByHash("device", 0)), "0 partitions"},
		{dimension(timescale.ByHash("device", 40000)), "40000 partitions"},
		{dimension(timescale.ByRange("site", timescale.Span{})), "not given"},
		{drop(timescale.ChunkRange{}), "no bound"},
		{drop(timescale.ChunkRange{OlderThan: timescale.Ago(timescale.Integer(5))}), "AtInteger"},
		{drop(timescale.ChunkRange{NewerThan: timescale.Ago(timescale.Span{})}), "not given"},
		{policy(timescale.Span{}, timescale.PolicyOptions{}), "not given"},
		{policy(day, timescale.PolicyOptions{Schedule: timescale.Integer(3)}), "not an integer"},
		{timescale.SetChunkInterval(ctx, nil, "m", "\x00", day), "NUL"},
		{timescale.CompressChunk(ctx, nil, ""), "empty"},
		{timescale.EnableCompression(ctx, nil, "m", timescale.CompressionOptions{SegmentBy: []string{""}}), "segment by"},
		{timescale.EnableCompression(ctx, nil, "m", timescale.CompressionOptions{OrderBy: []timescale.Order{{}}}), "order by"},
		{timescale.DeleteJob(ctx, nil, -1), "-1"},
		{timescale.AlterJob(ctx, nil, 1000, timescale.JobChange{Config: func() {}}), "func()"},
		{bucket(timescale.BucketQuery{Width: day, Select: average}), "time column"},
		{bucket(timescale.BucketQuery{Time: "ts", Select: average}), "width"},
		{bucket(timescale.BucketQuery{Time: "ts", Width: day}), "nothing is selected"},
		{bucket(timescale.BucketQuery{Time: "ts", Width: day, Select: average, Gapfill: true}), "From and To"},
		{bucket(timescale.BucketQuery{Time: "ts", Width: day, Select: []timescale.Aggregate{timescale.Avg("v").Filled(timescale.FillLast)}}), "Gapfill"},
		{bucket(timescale.BucketQuery{Time: "ts", Width: day, Select: []timescale.Aggregate{{SQL: "max(v)"}}}), "max(v)"},
		{bucket(timescale.BucketQuery{Time: "ts", Width: day, Select: average, Args: []any{1}}), "without a condition"},
		{bucket(timescale.BucketQuery{Time: "ts", Width: day, Select: average, Limit: -1}), "-1"},
	} {
		if test.err == nil || !strings.HasPrefix(test.err.Error(), "timescale: ") || !strings.Contains(test.err.Error(), test.says) {
			t.Errorf("%v, want it to say %q", test.err, test.says)
		}
	}
}
