package main

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// countryCount says how many zones a country has. The fields are columns by their names: Country is country.
type countryCount struct {
	Country string
	Zones   int
	Names   []string
}

const queryCountries = `
select   country, count(*) as zones, array_agg(name order by name) as names
from     zone, unnest(countries) as country
group by country
order by zones desc, country`

// structsInAndOut reads rows into structs and writes the structs to a table.
func structsInAndOut(ctx context.Context, s *session) error {
	countries, err := ext.Query[countryCount](ctx, s.db, queryCountries)
	if err != nil {
		return err
	}
	most := countries[0]
	s.out.line("read %d structs: %s has the most zones, %d from %s to %s",
		len(countries), most.Country, most.Zones, most.Names[0], most.Names[len(most.Names)-1])

	const createCountry = "create table country (country text primary key, zones int not null, names text[] not null)"
	if _, err := s.db.ExecContext(ctx, createCountry); err != nil {
		return err
	}
	result, err := ext.InsertMany(ctx, s.db, "country", countries, ext.InsertOptions{})
	if err != nil {
		return err
	}
	s.out.line("inserted %d structs into country", result.Inserted)

	single, err := ext.QueryVal[int](ctx, s.db, "select count(*) from country where zones = $1", 1)
	if err != nil {
		return fmt.Errorf("count the countries: %w", err)
	}
	s.out.line("%d countries have a single zone", single)
	return nil
}
