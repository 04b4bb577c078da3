package postgis

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// GeometryColumn is a column of the type geometry or geography.
type GeometryColumn struct {
	Schema     string
	Table      string
	Column     string
	Type       string // POINT, MULTIPOLYGON, GEOMETRY where it takes any
	SRID       int    // 0 where it takes any
	Dimensions int    // 2, or more with Z and M
	Geography  bool
}

// ListGeometryColumns lists the columns of geometries and geographies that the user may see: of a schema, or of all for "".
func ListGeometryColumns(ctx context.Context, q ext.Querier, schema string) ([]GeometryColumn, error) {
	if schema != "" {
		if err := ext.CheckName(schema); err != nil {
			return nil, fail("geometry columns of", schema, err)
		}
	}
	s := statement{}
	s.sql = `
		select f_table_schema::text as schema, f_table_name::text as "table", f_geometry_column::text as "column",
		       upper(type) as type, srid, coord_dimension as dimensions, false as geography
		from geometry_columns where $1::text in ('', f_table_schema::text)
		union all
		select f_table_schema::text, f_table_name::text, f_geography_column::text, upper(type), srid, coord_dimension, true
		from geography_columns where $1::text in ('', f_table_schema::text)
		order by 1, 2, 3`
	s.args = []any{schema}
	return query[GeometryColumn](ctx, q, "geometry columns of", schema, s)
}
