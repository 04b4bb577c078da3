package postgis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// Unit is what distances, lengths and areas are measured in.
type Unit int

const (
	Own    Unit = iota // the unit of the column: metres for geography, that of its SRID for geometry (degrees for 4326)
	Metres             // metres and square metres on the spheroid, for a geometry of longitude and latitude
)

// Options choose rows and columns. The zero value is all columns of all rows, in the column's own unit.
type Options struct {
	Columns []string // nil: all; the geometry's own column is one of them
	Where   string   // a condition on the rows, SQL over Args: "kind = $1"; "" for none
	Args    []any    // for $1, $2, … in Where
	Limit   int      // rows at most; 0: all
	Unit    Unit
}

// Contains returns the rows whose geometry contains a shape: no point of the shape lies outside, and one at least not on the
// border. T takes the columns as ext.Query does. It uses a spatial index on the column. For a geography see [Covers].
func Contains[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, o Options) ([]T, error) {
	return related[T](ctx, q, "rows that contain the shape in", "ST_Contains", table, column, s, o)
}

// Within returns the rows whose geometry lies in a shape, as [Contains] has it the other way round.
func Within[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, o Options) ([]T, error) {
	return related[T](ctx, q, "rows within the shape in", "ST_Within", table, column, s, o)
}

// Intersects returns the rows whose geometry or geography shares a point with a shape.
func Intersects[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, o Options) ([]T, error) {
	return related[T](ctx, q, "rows that meet the shape in", "ST_Intersects", table, column, s, o)
}

// Covers returns the rows whose geometry or geography has no point of a shape outside of it.
func Covers[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, o Options) ([]T, error) {
	return related[T](ctx, q, "rows that cover the shape in", "ST_Covers", table, column, s, o)
}

// CoveredBy returns the rows whose geometry or geography has no point outside of a shape.
func CoveredBy[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, o Options) ([]T, error) {
	return related[T](ctx, q, "rows that the shape covers in", "ST_CoveredBy", table, column, s, o)
}

func related[T any](ctx context.Context, q ext.Querier, what, function, table, column string, s Shape, o Options) ([]T, error) {
	return search[T](ctx, q, what, table, column, o, s.check(), func(b *builder) {
		shape := b.shape(s)
		b.where = append(b.where, function+"("+b.column+", "+shape+")")
	})
}

// DWithin returns the rows whose geometry or geography is at most a distance away from a shape. With Unit Metres an index on the
// column does not help, and one on (column::geography) does: see [CreateSpatialIndex].
func DWithin[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, distance float64, o Options) ([]T, error) {
	err := s.check()
	if err == nil && (math.IsNaN(distance) || distance < 0) {
		err = fmt.Errorf("a distance of %v", distance)
	}
	return search[T](ctx, q, "rows near the shape in", table, column, o, err, func(b *builder) {
		shape := b.shape(s)
		b.where = append(b.where, "ST_DWithin("+b.measured()+", "+b.metres(shape)+", "+b.arg(distance, "float8")+")")
	})
}

// Nearest returns the k rows that are nearest to a shape, the nearest first, with their distance in a further column,
// "distance". It uses a spatial index on the column. o.Limit is not taken.
func Nearest[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, k int, o Options) ([]T, error) {
	err := s.check()
	switch {
	case err != nil:
	case k <= 0:
		err = fmt.Errorf("the nearest %d rows", k)
	case o.Limit != 0:
		err = errors.New("the option Limit is given: the number of rows is an argument")
	}
	o.Limit = k
	return search[T](ctx, q, "rows nearest to the shape in", table, column, o, err, func(b *builder) {
		shape := b.shape(s)
		b.columns = append(b.columns, "ST_Distance("+b.measured()+", "+b.metres(shape)+") as distance")
		b.where = append(b.where, b.column+" is not null")
		b.order = b.measured() + " <-> " + b.metres(shape)
	})
}

// Distance returns rows with their distance from a shape in a further column, "distance", the nearest first. It is NULL where
// the geometry is.
func Distance[T any](ctx context.Context, q ext.Querier, table, column string, s Shape, o Options) ([]T, error) {
	return search[T](ctx, q, "distances from the shape in", table, column, o, s.check(), func(b *builder) {
		shape := b.shape(s)
		b.columns = append(b.columns, "ST_Distance("+b.measured()+", "+b.metres(shape)+") as distance")
		b.order = "distance"
	})
}

// search checks what is common to all queries of rows, and runs one.
func search[T any](ctx context.Context, q ext.Querier, what, table, column string, o Options, err error, build func(*builder)) ([]T, error) {
	name, nameErr := ext.ParseName(table)
	if nameErr == nil {
		nameErr = o.check(column)
	}
	if nameErr != nil {
		err = nameErr
	}
	if err != nil {
		return nil, fail(what, table, err)
	}
	b := newBuilder(name, column, o)
	build(b)
	return query[T](ctx, q, what, table, b.build())
}

func (o Options) check(column string) error {
	if err := ext.CheckName(column); err != nil {
		return fmt.Errorf("the geometry's column %q: %w", column, err)
	}
	for _, c := range o.Columns {
		if err := ext.CheckName(c); err != nil {
			return fmt.Errorf("column %q: %w", c, err)
		}
	}
	switch {
	case o.Limit < 0:
		return fmt.Errorf("a limit of %d", o.Limit)
	case strings.TrimSpace(o.Where) == "" && len(o.Args) > 0:
		return errors.New("arguments without a condition")
	case o.Unit != Own && o.Unit != Metres:
		return fmt.Errorf("unit %d", o.Unit)
	}
	return nil
}

// builder makes the text of a query of rows. Its arguments follow those of the caller's condition.
type builder struct {
	statement
	table   ext.Name
	o       Options
	column  string // the geometry's, quoted
	name    string // the same, not quoted
	with    string
	columns []string
	where   []string
	order   string
}

func newBuilder(table ext.Name, column string, o Options) *builder {
	b := &builder{table: table, o: o, column: "t." + ext.QuoteName(column), name: column}
	b.args = slices.Clone(o.Args)
	if o.Columns == nil {
		b.columns = []string{"t.*"}
	}
	for _, c := range o.Columns {
		b.columns = append(b.columns, "t."+ext.QuoteName(c))
	}
	return b
}

// shape adds the shape, in the SRID of the column where that has one, and returns what stands for it.
func (b *builder) shape(s Shape) string {
	b.with = "with given as (select " + s.expression(&b.statement) + " as shape), " +
		"axes as (" + axes(&b.statement, b.table, b.name) + "), " +
		"there as materialized (select case when axes.srid in (0, ST_SRID(given.shape)) then given.shape " +
		"else ST_Transform(given.shape, axes.srid) end as shape from given, axes)\n"
	return "(select shape from there)"
}

// axes is a query for the SRID of a table's column: 0 where it takes any.
func axes(s *statement, table ext.Name, column string) string {
	return "select coalesce(max(srid), 0) as srid from (" +
		"select srid, f_table_schema, f_table_name, f_geometry_column from geometry_columns union all " +
		"select srid, f_table_schema, f_table_name, f_geography_column from geography_columns) as known(srid, s, t, c), " +
		"pg_catalog.pg_class k join pg_catalog.pg_namespace n on n.oid = k.relnamespace " +
		"where k.oid = " + s.arg(table.String(), "regclass") + " and n.nspname = s and k.relname = t and c = " + s.arg(column, "name")
}

// measured is the column as it is measured.
func (b *builder) measured() string { return b.metres(b.column) }

// metres is a geometry as it is measured in the unit that was asked for.
func (b *builder) metres(geometry string) string {
	if b.o.Unit == Metres {
		return geometry + "::geography"
	}
	return geometry
}

func (b *builder) build() statement {
	b.sql = b.with + "select " + strings.Join(b.columns, ", ") + "\nfrom " + b.table.String() + " as t"
	if strings.TrimSpace(b.o.Where) != "" {
		b.where = append([]string{"(" + b.o.Where + "\n)"}, b.where...)
	}
	if len(b.where) > 0 {
		b.sql += "\nwhere " + strings.Join(b.where, " and ")
	}
	if b.order != "" {
		b.sql += "\norder by " + b.order
	}
	if b.o.Limit > 0 {
		b.sql += "\nlimit " + strconv.Itoa(b.o.Limit)
	}
	return b.statement
}
