package main

import (
	"context"
	"database/sql"
)

const createTables = `
create table zone (
	name      text primary key,
	countries text[] not null,
	latitude  float8 not null,
	longitude float8 not null,
	comment   text
);
create table reading (
	zone      text not null references zone,
	at        timestamptz not null,
	elevation float8 not null, -- of the sun, in degrees above the horizon
	primary key (zone, at)
)`

const insertZone = `
insert into zone (name, countries, latitude, longitude, comment)
values ($1, $2, $3, $4, $5)`

// loadZones creates the tables with one call and fills the first with one prepared statement.
// A []string becomes a text[], an invalid sql.NullString becomes NULL.
func loadZones(ctx context.Context, s *session) error {
	if _, err := s.db.ExecContext(ctx, createTables); err != nil {
		return err
	}
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
