package main

import (
	"context"
	"database/sql"
	"time"
)

// sunDay says how the sun moved over a place on one day.
type sunDay struct {
	zone            string
	lowest, highest float64
	highestAt       time.Time
	comment         sql.NullString
}

// place is the zone's name, and its comment unless that is NULL.
func (d sunDay) place() string {
	if !d.comment.Valid {
		return d.zone
	}
	return d.zone + " (" + d.comment.String + ")"
}

const querySunDays = `
select zone, min(elevation), max(elevation),
       (array_agg(at order by elevation desc))[1], max(comment)
from   reading join zone on zone.name = reading.zone
where  at >= $1 and at < $2
group  by zone
order  by min(elevation) desc`

// queryValues reads the day of the solstice, a row for each zone, into structs.
func queryValues(ctx context.Context, s *session) error {
	days, err := s.sunDays(ctx, firstReading, firstReading.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	var midnightSun, polarNight int
	for _, d := range days {
		switch {
		case d.lowest > 0:
			midnightSun++
			s.out.line("the sun does not set at %s: %.1f° to %.1f°, highest at %s UTC",
				d.place(), d.lowest, d.highest, d.highestAt.UTC().Format(time.TimeOnly))
		case d.highest < 0:
			polarNight++
			s.out.line("the sun does not rise at %s: %.1f° to %.1f°",
				d.place(), d.lowest, d.highest)
		}
	}
	s.out.line("%d rows for %s: %d zones with midnight sun, %d with polar night",
		len(days), firstReading.Format(time.DateOnly), midnightSun, polarNight)
	return nil
}

// sunDays returns what the readings say of each zone between two times.
func (s *session) sunDays(ctx context.Context, from, to time.Time) ([]sunDay, error) {
	rows, err := s.db.QueryContext(ctx, querySunDays, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days []sunDay
	for rows.Next() {
		var d sunDay
		if err := rows.Scan(&d.zone, &d.lowest, &d.highest, &d.highestAt, &d.comment); err != nil {
			return nil, err
		}
		days = append(days, d)
	}
	return days, rows.Err()
}
