package timescale_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin/timescale"
)

type bucket struct {
	Bucket      time.Time
	Device      string `db:"Device"`
	Temperature *float64
	Rows        int
}

func TestTimeBucket(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	table := metrics(t, db, 2)
	got, err := timescale.TimeBucket[bucket](t.Context(), db, table, timescale.BucketQuery{
		Time: "ts", Width: timescale.Interval("12 hours"), By: []string{"Device"},
		Select: []timescale.Aggregate{timescale.Avg("temperature"), timescale.Rows()},
		From:   timescale.At(time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)), To: timescale.At(time.Date(2026, 1, 11, 0, 0, 0, 0, time.UTC)),
		Where: `temperature >= $1 and "Device" = any($2)`, Args: []any{float64(2), []string{"d0", "d1"}}, Desc: true, Limit: 3,
	})
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	first := got[0]
	if !first.Bucket.Equal(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)) || first.Device != "d0" || *first.Temperature != 17 || first.Rows != 6 {
		t.Errorf("first = %+v", first)
	}
	if last := got[2]; last.Rows != 5 || last.Device != "d0" {
		t.Errorf("last = %+v", last)
	}
}

func TestTimeBucketsOfDaysInATimeZone(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	table := metrics(t, db, 2)
	aggregates := []timescale.Aggregate{
		timescale.Rows().Named("n"), timescale.Min("ts").Named("first"), timescale.Max("temperature"), timescale.Sum("temperature").Named("sum"),
		timescale.First("Device", "ts").Named("opens"), timescale.Last("Device", "ts").Named("closes"),
		{SQL: "percentile_cont(0.5) within group (order by temperature)", As: "median"},
	}
	got, err := timescale.TimeBucket[map[string]any](t.Context(), db, table, timescale.BucketQuery{
		Time: "ts", Width: timescale.Interval("1 day"), Select: aggregates, TimeZone: "America/New_York",
	})
	if err != nil || len(got) != 3 || got[0]["n"] != int64(5) || got[1]["n"] != int64(24) || got[2]["n"] != int64(19) {
		t.Errorf("%+v, %v", got, err)
	}
	shifted, err := timescale.TimeBucket[map[string]any](t.Context(), db, table, timescale.BucketQuery{
		Time: "ts", Width: timescale.Interval("1 day"), Select: aggregates[:1], Origin: time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC),
	})
	if err != nil || len(shifted) != 3 || shifted[0]["n"] != int64(6) {
		t.Errorf("%+v, %v", shifted, err)
	}
}

func TestGapsAreFilled(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	table := metrics(t, db, 1)
	mustExec(t, db, `delete from app."odd metrics" where temperature between 3 and 5`)
	at := func(hour int) timescale.Bound { return timescale.At(time.Date(2026, 1, 10, hour, 0, 0, 0, time.UTC)) }
	for fill, want := range map[timescale.Fill][]float64{
		timescale.FillNull:    {1, 2, -1, -1, -1, 6},
		timescale.FillLast:    {1, 2, 2, 2, 2, 6},
		timescale.FillBetween: {1, 2, 3, 4, 5, 6},
	} {
		for uses := range 7 { // from the sixth on with a prepared statement
			got, err := timescale.TimeBucket[struct {
				Bucket      time.Time
				Temperature *float64
			}](t.Context(), db, table, timescale.BucketQuery{
				Time: "ts", Width: timescale.Every(time.Hour), Select: []timescale.Aggregate{timescale.Avg("temperature").Filled(fill)},
				Gapfill: true, From: at(1), To: at(7),
			})
			if err != nil {
				t.Fatal(err)
			}
			var temperatures []float64
			for _, row := range got {
				v := float64(-1)
				if row.Temperature != nil {
					v = *row.Temperature
				}
				temperatures = append(temperatures, v)
			}
			if !slices.Equal(temperatures, want) {
				t.Errorf("fill %d, use %d: %v, want %v", fill, uses, temperatures, want)
			}
		}
	}
	ago, err := timescale.TimeBucket[map[string]any](t.Context(), db, table, timescale.BucketQuery{
		Time: "ts", Width: timescale.Interval("1 day"), Select: []timescale.Aggregate{timescale.Rows()}, Gapfill: true,
		From: timescale.Ago(timescale.Interval("3 days")), To: timescale.Ago(timescale.Interval("1 second")),
	})
	if err != nil || len(ago) < 3 {
		t.Errorf("from ages: %+v, %v", ago, err)
	}
}
