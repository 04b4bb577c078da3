package timescale_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/admin/timescale"
)

// A table of measurements: chunks of a day, compressed after a week, dropped after 90 days.
func Example() {
	var (
		ctx context.Context
		db  *sql.DB
	)
	day := timescale.Interval("1 day")
	if _, err := timescale.CreateHypertable(ctx, db, "metrics", timescale.ByRange("ts", day), timescale.HypertableOptions{IfNotExists: true}); err != nil {
		panic(err)
	}
	order, err := timescale.ParseOrder("ts desc")
	if err != nil {
		panic(err)
	}
	if err := timescale.EnableCompression(ctx, db, "metrics", timescale.CompressionOptions{SegmentBy: []string{"device"}, OrderBy: order}); err != nil {
		panic(err)
	}
	job, err := timescale.AddCompressionPolicy(ctx, db, "metrics", timescale.Every(7*24*time.Hour), timescale.PolicyOptions{IfNotExists: true})
	fmt.Println(job, err)
	job, err = timescale.AddRetentionPolicy(ctx, db, "metrics", timescale.Interval("90 days"), timescale.PolicyOptions{IfNotExists: true})
	fmt.Println(job, err)
}

func ExampleTimeBucket() {
	var (
		ctx context.Context
		db  *sql.DB
	)
	type hour struct {
		Bucket      time.Time
		Device      string
		Temperature *float64 // NULL before the first value
		Rows        *int
	}
	hours, err := timescale.TimeBucket[hour](ctx, db, "metrics", timescale.BucketQuery{
		Time: "ts", Width: timescale.Every(time.Hour), By: []string{"device"},
		Select: []timescale.Aggregate{timescale.Avg("temperature").Filled(timescale.FillLast), timescale.Rows()},
		From:   timescale.Ago(timescale.Interval("1 day")), To: timescale.Ago(timescale.Interval("0 seconds")),
		Gapfill: true,
	})
	fmt.Println(hours, err)
}

func ExampleDropChunks() {
	var (
		ctx context.Context
		db  *sql.DB
	)
	old := timescale.ChunkRange{OlderThan: timescale.Ago(timescale.Interval("90 days"))}
	chunks, err := timescale.Chunks(ctx, db, "metrics", old) // what would go
	fmt.Println(len(chunks), err)
	dropped, err := timescale.DropChunks(ctx, db, "metrics", old)
	fmt.Println(dropped, err)
}
