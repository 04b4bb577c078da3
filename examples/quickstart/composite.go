package main

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// place is the composite type place as a struct: a field for each of its fields.
type place struct {
	Name      string
	Latitude  float64
	Longitude float64
}

// hemisphere is a row with an array of composites.
type hemisphere struct {
	Name   string
	Places []place
}

const queryHemispheres = `
select   case when latitude < 0 then 'southern' else 'northern' end as name,
         array_agg(row(name, latitude, longitude)::place order by abs(latitude) desc, name) as places
from     zone
group by 1
order by 1`

// readComposites reads composites into structs, and gives one as an argument.
func readComposites(ctx context.Context, s *session) error {
	const createType = "create type place as (name text, latitude float8, longitude float8)"
	if _, err := s.db.ExecContext(ctx, createType); err != nil {
		return err
	}
	hemispheres, err := ext.Query[hemisphere](ctx, s.db, queryHemispheres)
	if err != nil {
		return err
	}
	for _, h := range hemispheres {
		far := h.Places[0]
		s.out.line("%d places in the %s hemisphere, the farthest from the equator is %s at %.2f°", len(h.Places), h.Name, far.Name, far.Latitude)
	}
	pole := place{Name: "the South Pole", Latitude: -90}
	nearest, err := ext.QueryVal[string](ctx, s.db, "select name from zone order by abs(latitude - ($1::place).latitude), name limit 1", pole)
	if err != nil {
		return err
	}
	s.out.line("%s is the nearest to %s", nearest, pole.Name)
	return nil
}
