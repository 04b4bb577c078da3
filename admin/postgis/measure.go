package postgis

import (
	"context"
	"fmt"
	"math"

	"github.com/pycopg/pycopg/ext"
)

// Area returns rows with the area of their geometry or geography in a further column, "area".
func Area[T any](ctx context.Context, q ext.Querier, table, column string, o Options) ([]T, error) {
	return computed[T](ctx, q, "areas of", "ST_Area", "area", table, column, o)
}

// Perimeter returns rows with the length of the border of their polygons in a further column, "perimeter".
func Perimeter[T any](ctx context.Context, q ext.Querier, table, column string, o Options) ([]T, error) {
	return computed[T](ctx, q, "perimeters of", "ST_Perimeter", "perimeter", table, column, o)
}

// Length returns rows with the length of their lines in a further column, "length".
func Length[T any](ctx context.Context, q ext.Querier, table, column string, o Options) ([]T, error) {
	return computed[T](ctx, q, "lengths of", "ST_Length", "length", table, column, o)
}

// Centroid returns rows with the centre of mass of their geometry or geography in a further column, "centroid".
func Centroid[T any](ctx context.Context, q ext.Querier, table, column string, o Options) ([]T, error) {
	return computed[T](ctx, q, "centroids of", "ST_Centroid", "centroid", table, column, o)
}

func computed[T any](ctx context.Context, q ext.Querier, what, function, as, table, column string, o Options) ([]T, error) {
	return search[T](ctx, q, what, table, column, o, nil, func(b *builder) {
		b.columns = append(b.columns, function+"("+b.measured()+") as "+as)
	})
}

// Buffer returns rows with what lies within a distance of their geometry or geography in a further column, "buffer". With Unit
// Metres it is a geography.
func Buffer[T any](ctx context.Context, q ext.Querier, table, column string, distance float64, o Options) ([]T, error) {
	var err error
	if math.IsNaN(distance) || math.IsInf(distance, 0) {
		err = fmt.Errorf("a distance of %v", distance)
	}
	return search[T](ctx, q, "buffers of", table, column, o, err, func(b *builder) {
		b.columns = append(b.columns, "ST_Buffer("+b.measured()+", "+b.arg(distance, "float8")+") as buffer")
	})
}

// Transform returns rows with their geometry in another spatial reference system in a further column, "transformed".
func Transform[T any](ctx context.Context, q ext.Querier, table, column string, srid int, o Options) ([]T, error) {
	var err error
	if srid <= 0 {
		err = fmt.Errorf("an SRID of %d", srid)
	}
	return search[T](ctx, q, "geometries in another system of", table, column, o, err, func(b *builder) {
		b.columns = append(b.columns, "ST_Transform("+b.column+"::geometry, "+b.arg(srid, "integer")+") as transformed")
	})
}
