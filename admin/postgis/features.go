package postgis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// ReadOptions say what of the rows of [ReadFeatures] is the geometry and the id.
type ReadOptions struct {
	Geometry string // the column of the geometry or geography; "": geometry
	ID       string // the column of the features' ids; "": they have none
	SRID     int    // that the coordinates are transformed to; 0: 4326
}

// ReadFeatures runs a query and returns its rows as features: the other columns are properties, as PostgreSQL's to_jsonb gives
// them. Its placeholders are $1, $2, …, whatever the pool's setting says.
func ReadFeatures(ctx context.Context, q ext.Querier, o ReadOptions, sql string, args ...any) (FeatureCollection, error) {
	if o.Geometry == "" {
		o.Geometry = "geometry"
	}
	if o.SRID == 0 {
		o.SRID = wgs84
	}
	s, err := readFeatures(o, sql, args)
	if err != nil {
		return FeatureCollection{}, fail("read features", "", err)
	}
	type row struct {
		ID         json.RawMessage
		Geometry   Geometry
		Properties json.RawMessage
	}
	rows, err := query[row](ctx, q, "read features", "", s)
	if err != nil {
		return FeatureCollection{}, err
	}
	fc := FeatureCollection{SRID: o.SRID, Features: make([]Feature, len(rows))}
	for i, r := range rows {
		f := Feature{Geometry: r.Geometry}
		if err := errors.Join(exactly(r.ID, &f.ID), exactly(r.Properties, &f.Properties)); err != nil {
			return FeatureCollection{}, fail("read features", "", err)
		}
		fc.Features[i] = f
	}
	return fc, nil
}

// exactly decodes JSON with json.Number for numbers.
func exactly(data []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	return d.Decode(v)
}

func readFeatures(o ReadOptions, sql string, args []any) (s statement, err error) {
	if err := ext.CheckName(o.Geometry); err != nil {
		return s, fmt.Errorf("the geometry's column %q: %w", o.Geometry, err)
	}
	if o.SRID < 0 {
		return s, fmt.Errorf("an SRID of %d", o.SRID)
	}
	s.args = slices.Clone(args)
	geometry := "r." + ext.QuoteName(o.Geometry) + "::geometry"
	srid := s.arg(o.SRID, "integer")
	id, without := "'null'::jsonb", s.arg(o.Geometry, "text")
	if o.ID != "" {
		if err := ext.CheckName(o.ID); err != nil {
			return s, fmt.Errorf("the id's column %q: %w", o.ID, err)
		}
		id = "to_jsonb(r." + ext.QuoteName(o.ID) + ")"
		without += " - " + s.arg(o.ID, "text")
	}
	s.sql = "select coalesce(" + id + ", 'null') as id, case when ST_SRID(" + geometry + ") in (0, " + srid + ") then " + geometry +
		" else ST_Transform(" + geometry + ", " + srid + ") end as geometry, to_jsonb(r) - " + without + " as properties\n" +
		"from (" + strings.TrimRight(sql, "; \t\r\n") + "\n) as r"
	return s, nil
}

// WriteOptions say where [WriteFeatures] puts geometries and ids.
type WriteOptions struct {
	Geometry string // the column of the geometry or geography; "": geometry
	ID       string // the column of the features' ids; "": they are left out
}

// WriteFeatures inserts features into a table, all or none in one statement, and returns how many. Properties go to the columns
// of their names, which must exist, converted as PostgreSQL's jsonb_populate_record does; one that a feature lacks is NULL.
// Geometries are transformed to the SRID of the column, where it has one.
func WriteFeatures(ctx context.Context, q ext.Querier, table string, fc FeatureCollection, o WriteOptions) (int64, error) {
	if o.Geometry == "" {
		o.Geometry = "geometry"
	}
	name, err := ext.ParseName(table)
	var s statement
	if err == nil {
		s, err = writeFeatures(name, fc, o)
	}
	if err != nil {
		return 0, fail("write features to", table, err)
	}
	if len(fc.Features) == 0 {
		return 0, nil
	}
	if err := nilhandle.Check(q); err != nil {
		return 0, fail("write features to", table, err)
	}
	res, err := q.ExecContext(driver.WithHelperOptions(ctx), s.sql, s.args...)
	if err != nil {
		return 0, fail("write features to", table, explain(ctx, q, err))
	}
	return res.RowsAffected()
}

func writeFeatures(table ext.Name, fc FeatureCollection, o WriteOptions) (s statement, err error) {
	columns, err := propertyColumns(fc, o)
	if err != nil {
		return s, err
	}
	data, err := features(fc, o)
	if err != nil {
		return s, err
	}
	list, from := ext.QuoteName(o.Geometry), ""
	for _, column := range columns {
		list += ", " + ext.QuoteName(column)
		from += ", r." + ext.QuoteName(column)
	}
	s.sql = "with axes as (" + axes(&s, table, o.Geometry) + ")\n" +
		"insert into " + table.String() + " (" + list + ")\n" +
		"select case when axes.srid in (0, ST_SRID(g.shape)) then g.shape else ST_Transform(g.shape, axes.srid) end" + from + "\n" +
		"from axes, jsonb_array_elements(" + s.arg(string(data), "jsonb") + ") with ordinality as f(feature, n)" +
		", cast(f.feature ->> 'g' as geometry) as g(shape), jsonb_populate_record(null::" + table.String() + ", f.feature -> 'p') as r\n" +
		"order by f.n"
	return s, nil
}

// propertyColumns are the columns that the features' properties go to, sorted.
func propertyColumns(fc FeatureCollection, o WriteOptions) ([]string, error) {
	set := map[string]bool{}
	if o.ID != "" {
		set[o.ID] = true
	}
	for _, f := range fc.Features {
		for key := range f.Properties {
			set[key] = true
		}
	}
	columns := slices.Sorted(maps.Keys(set))
	for _, column := range append([]string{o.Geometry}, columns...) {
		if err := ext.CheckName(column); err != nil {
			return nil, fmt.Errorf("column %q: %w", column, err)
		}
	}
	if set[o.Geometry] {
		return nil, fmt.Errorf("a property is named %q, as the geometry's column is", o.Geometry)
	}
	return columns, nil
}

// features are the features as the statement reads them: geometries as EWKB, which keeps their SRID.
func features(fc FeatureCollection, o WriteOptions) ([]byte, error) {
	type element struct {
		Geometry   any            `json:"g"`
		Properties map[string]any `json:"p"`
	}
	all := make([]element, len(fc.Features))
	for i, f := range fc.Features {
		geometry := f.Geometry
		if !geometry.IsNull() && geometry.SRID() == 0 && fc.SRID != 0 {
			var err error
			if geometry, err = geometry.in(fc.SRID); err != nil {
				return nil, fmt.Errorf("feature %d: %w", i, err)
			}
		}
		value, err := geometry.Value()
		if err != nil {
			return nil, fmt.Errorf("feature %d: %w", i, err)
		}
		properties := f.Properties
		if o.ID != "" {
			properties = maps.Clone(properties)
			if properties == nil {
				properties = map[string]any{}
			}
			properties[o.ID] = f.ID
		}
		if properties == nil {
			properties = map[string]any{}
		}
		all[i] = element{value, properties}
	}
	data, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("properties as JSON: %w", err)
	}
	return data, nil
}
