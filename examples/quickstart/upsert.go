package main

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// upsertCountries writes two countries: one that the table has, and is updated, and one that it lacks.
func upsertCountries(ctx context.Context, s *session) error {
	countries := []countryCount{
		{Country: "CH", Zones: 2, Names: []string{"Europe/Busingen", "Europe/Zurich"}},
		{Country: "XX", Zones: 1, Names: []string{"Etc/UTC"}},
	}
	result, err := ext.UpsertMany(ctx, s.db, "country", countries, ext.UpsertOptions{Conflict: []string{"country"}})
	if err != nil {
		return err
	}
	s.out.line("upserted %d countries: %d inserted, %d updated", len(countries), result.Inserted, result.Updated)
	return nil
}
