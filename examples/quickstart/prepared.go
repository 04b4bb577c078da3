package main

import (
	"context"
	"time"
)

const queryZenith = `
select name, at, elevation
from   zone join reading on reading.zone = zone.name
where  $1 = any (countries)
order  by elevation desc, name, at
limit  1`

// runPrepared asks the same question about several countries. The handle prepares the statement
// once for each connection that runs it.
func runPrepared(ctx context.Context, s *session) error {
	stmt, err := s.db.PrepareContext(ctx, queryZenith)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, country := range []string{"BR", "CH", "IN", "JP", "KE", "NZ"} {
		var (
			name      string
			at        time.Time
			elevation float64
		)
		if err := stmt.QueryRowContext(ctx, country).Scan(&name, &at, &elevation); err != nil {
			return err
		}
		s.out.line("%s: the sun stands highest at %s, %.1f° on %s UTC",
			country, name, elevation, at.UTC().Format("2 January 15:04"))
	}
	return nil
}
