package main

import (
	"context"
	"iter"
	"time"

	"github.com/pycopg/pycopg/copyin"
)

const readingCount = 100_000

// firstReading is midnight before the June solstice of 2026.
var firstReading = time.Date(2026, time.June, 21, 0, 0, 0, 0, time.UTC)

// reading is the elevation of the sun over a zone's place: a row of the table of that name.
type reading struct {
	Zone      string
	At        time.Time
	Elevation float64
}

// readings yields n readings: every hour one for each zone. It may fail, as sequences for COPY may, and never does.
func readings(zones []zone, n int) iter.Seq2[reading, error] {
	return func(yield func(reading, error) bool) {
		for i := range n {
			z := zones[i%len(zones)]
			at := firstReading.Add(time.Duration(i/len(zones)) * time.Hour)
			if !yield(reading{z.Name, at, solarElevation(at, z.Latitude, z.Longitude)}, nil) {
				return
			}
		}
	}
}

// loadReadings fills the table by COPY while the readings are computed, on several connections at a time: memory stays
// small whatever the number of rows. On a terminal the bar is drawn in place.
func loadReadings(ctx context.Context, s *session) error {
	result, err := copyin.Load(ctx, s.db, "reading", copyin.Sequence(readings(s.zones, readingCount)), copyin.LoadOptions{
		BatchRows:     10_000,
		ExpectedRows:  readingCount,
		Progress:      copyin.ProgressBar(s.out.w),
		ProgressEvery: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	perSecond := float64(result.Stored) / result.Elapsed.Seconds()
	s.out.line("stored %d rows in %d batches: %.0f rows a second", result.Stored, result.Batches, perSecond)
	n, err := s.count(ctx, "select count(*) from reading")
	if err != nil {
		return err
	}
	s.out.line("reading has %d rows", n)
	return nil
}
