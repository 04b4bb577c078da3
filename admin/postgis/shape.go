package postgis

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
	"github.com/twpayne/go-geom"
)

// Shape is the geometry that rows are compared with: made by [Point], [WKT], [GeoJSON], [Of] or [Row]. It is transformed to the
// SRID of the column where the column has one.
type Shape struct {
	sql  func(*statement) string
	srid int // of the shape, where it does not say so itself
	err  error
}

const wgs84 = 4326

// Point is a point by longitude and latitude, or by x and y with [Shape.In].
func Point(x, y float64) Shape {
	s := Shape{srid: wgs84, sql: func(s *statement) string {
		return "ST_MakePoint(" + s.arg(x, "float8") + ", " + s.arg(y, "float8") + ")"
	}}
	if math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		s.err = fmt.Errorf("a point at %v, %v", x, y)
	}
	return s
}

// WKT is a shape as well-known text: "POLYGON((0 0, 0 1, 1 1, 0 0))", or with its SRID "SRID=3857;POINT(1 2)".
func WKT(text string) Shape {
	s := textShape(text, "WKT", "ST_GeomFromEWKT")
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "SRID=") {
		s.srid = 0
	}
	return s
}

// GeoJSON is a shape as a GeoJSON geometry.
func GeoJSON(text string) Shape { return textShape(text, "GeoJSON", "ST_GeomFromGeoJSON") }

func textShape(text, kind, function string) Shape {
	s := Shape{srid: wgs84, sql: func(s *statement) string { return function + "(" + s.arg(text, "text") + ")" }}
	if strings.TrimSpace(text) == "" || strings.ContainsRune(text, 0) {
		s.err = fmt.Errorf("%s %q", kind, text)
	}
	return s
}

// Of is a shape from a Go value. Its SRID is the value's, 4326 where that has none.
func Of(g geom.T) Shape {
	s := Shape{sql: func(s *statement) string { return s.arg(Geometry{g}, "geometry") }}
	if (Geometry{g}).IsNull() {
		s.err = errors.New("no geometry")
	} else if g.SRID() == 0 {
		s.srid = wgs84
	}
	return s
}

// Row is the shape in a row of a table: in the column of the one row whose key has a value. It is NULL, which no row matches,
// where no row has it; several are an error of the server.
func Row(table, column, key string, value any) Shape {
	name, err := ext.ParseName(table)
	for _, c := range []string{column, key} {
		if err == nil {
			err = ext.CheckName(c)
		}
	}
	if err != nil {
		return Shape{err: fmt.Errorf("the shape of a row of %q: %w", table, err)}
	}
	return Shape{sql: func(s *statement) string {
		return "(select " + ext.QuoteName(column) + "::geometry from " + name.String() + " where " + ext.QuoteName(key) + " = " + s.arg(value, "") + ")"
	}}
}

// In is the shape with its coordinates in a spatial reference system: 3857, 27700.
func (s Shape) In(srid int) Shape {
	s.srid = srid
	if srid <= 0 && s.err == nil {
		s.err = fmt.Errorf("an SRID of %d", srid)
	}
	return s
}

// expression is the shape with its SRID.
func (s Shape) expression(b *statement) string {
	if s.srid == 0 {
		return s.sql(b)
	}
	return "ST_SetSRID(" + s.sql(b) + ", " + strconv.Itoa(s.srid) + ")"
}

// check reports what the shape was not made from.
func (s Shape) check() error {
	if s.err == nil && s.sql == nil {
		return errors.New("no shape")
	}
	return s.err
}
