package main

import (
	"context"
	"iter"
	"time"
)

const (
	readingCount = 100_000
	batchSize    = 5_000 // readings sent with one statement
)

// firstReading is midnight before the June solstice of 2026.
var firstReading = time.Date(2026, time.June, 21, 0, 0, 0, 0, time.UTC)

// reading is the elevation of the sun over a zone's place.
type reading struct {
	zone      string
	at        time.Time
	elevation float64
}

// readings yields n readings: every hour one for each zone.
func readings(zones []zone, n int) iter.Seq[reading] {
	return func(yield func(reading) bool) {
		for i := range n {
			z := zones[i%len(zones)]
			at := firstReading.Add(time.Duration(i/len(zones)) * time.Hour)
			if !yield(reading{z.Name, at, solarElevation(at, z.Latitude, z.Longitude)}) {
				return
			}
		}
	}
}

// batch holds readings as columns, the form in which one statement takes many rows.
type batch struct {
	zones      []string
	times      []time.Time
	elevations []float64
}

func (b *batch) add(r reading) {
	b.zones = append(b.zones, r.zone)
	b.times = append(b.times, r.at)
	b.elevations = append(b.elevations, r.elevation)
}

func (b *batch) clear() {
	b.zones, b.times, b.elevations = b.zones[:0], b.times[:0], b.elevations[:0]
}

const insertBatch = `
insert into reading (zone, at, elevation)
select * from unnest($1::text[], $2::timestamptz[], $3::float8[])`

// insertReadings fills the table in one transaction, a batch at a time: memory stays small
// whatever the number of rows.
func insertReadings(ctx context.Context, s *session) error {
	start := time.Now()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	var inserted int64
	flush := func(b *batch) error {
		result, err := tx.ExecContext(ctx, insertBatch, b.zones, b.times, b.elevations)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		inserted += n
		b.clear()
		return err
	}
	if err := inBatches(readings(s.zones, readingCount), flush); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	perSecond := float64(inserted) / time.Since(start).Seconds()
	s.out.line("inserted %d rows, %d a statement: %.0f rows a second", inserted, batchSize, perSecond)
	n, err := s.count(ctx, "select count(*) from reading")
	if err != nil {
		return err
	}
	s.out.line("reading has %d rows", n)
	return nil
}

// inBatches hands the readings to flush, batchSize at a time. The batch is the same each time:
// flush empties it.
func inBatches(seq iter.Seq[reading], flush func(*batch) error) error {
	var b batch
	for r := range seq {
		b.add(r)
		if len(b.zones) == batchSize {
			if err := flush(&b); err != nil {
				return err
			}
		}
	}
	if len(b.zones) == 0 {
		return nil
	}
	return flush(&b)
}
