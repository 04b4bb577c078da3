package main

import (
	"context"
	"database/sql"
)

const insertZone = `
insert into zone (name, countries, latitude, longitude, comment)
values ($1, $2, $3, $4, $5)`

// loadZones fills the first table with one prepared statement. A []string becomes a text[], an
// invalid sql.NullString becomes NULL.
func loadZones(ctx context.Context, s *session) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	stmt, err := tx.PrepareContext(ctx, insertZone)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, z := range s.zones {
		comment := sql.NullString{String: z.Comment, Valid: z.Comment != ""}
		if _, err := stmt.ExecContext(ctx, z.Name, z.Countries, z.Latitude, z.Longitude, comment); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	n, err := s.count(ctx, "select count(*) from zone")
	if err != nil {
		return err
	}
	s.out.line("zone has %d rows, from zone1970.tab of the tz database", n)
	return nil
}

// count runs a query that returns one number.
func (s *session) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}
