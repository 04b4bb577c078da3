package postgis_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/admin/postgis"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
	"github.com/twpayne/go-geom"
)

var paris = postgis.Point(2.3522, 48.8566)

// columns are those of the same places: as geometry of longitude and latitude, geography, in another system, in any.
var columns = []string{"Location", "location", "mercator", "free"}

func TestSearchByAShapeInAnySystem(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	// France around Paris, as polygons in two systems, a Go value, a row and GeoJSON
	square := geom.NewPolygonFlat(geom.XY, []float64{2, 48, 2, 49, 3, 49, 3, 48, 2, 48}, []int{10})
	mustExec(t, db, "create table regions (id int primary key, area geometry)",
		"insert into regions values (1, ST_GeomFromText('POLYGON((2 48,2 49,3 49,3 48,2 48))', 4326))")
	mercator := value[string](t, db, "select ST_AsText(ST_Transform(area, 3857)) from regions")
	shapes := map[string]postgis.Shape{
		"WKT":     postgis.WKT("POLYGON((2 48,2 49,3 49,3 48,2 48))"),
		"EWKT":    postgis.WKT("SRID=3857;" + mercator),
		"In":      postgis.WKT(mercator).In(3857),
		"GeoJSON": postgis.GeoJSON(`{"type":"Polygon","coordinates":[[[2,48],[2,49],[3,49],[3,48],[2,48]]]}`),
		"Of":      postgis.Of(square),
		"Row":     postgis.Row("regions", "area", "id", 1),
	}
	want := []string{"Paris", "Versailles"}
	for kind, shape := range shapes {
		for _, column := range columns {
			if column == "free" && (kind == "EWKT" || kind == "In") {
				continue // a column of any SRID says nothing to transform to
			}
			got, err := postgis.Intersects[place](t.Context(), db, table, column, shape, postgis.Options{Columns: []string{"name"}})
			list := names(got)
			slices.Sort(list)
			if err != nil || !slices.Equal(list, want) {
				t.Errorf("%s, %s: %q, %v", kind, column, list, err)
			}
		}
	}
	for verb, find := range map[string]func() ([]place, error){
		"Within": func() ([]place, error) {
			return postgis.Within[place](t.Context(), db, table, "Location", shapes["Of"], postgis.Options{Columns: []string{"name"}})
		},
		"CoveredBy": func() ([]place, error) {
			return postgis.CoveredBy[place](t.Context(), db, table, "location", shapes["Of"], postgis.Options{Columns: []string{"name"}})
		},
	} {
		got, err := find()
		if err != nil || len(got) != 2 {
			t.Errorf("%s: %q, %v", verb, names(got), err)
		}
	}
	type region struct{ ID int }
	in, err := postgis.Contains[region](t.Context(), db, "regions", "area", paris, postgis.Options{Columns: []string{"id"}})
	if err != nil || len(in) != 1 {
		t.Error("Contains:", in, err)
	}
	if _, err := postgis.Covers[region](t.Context(), db, "regions", "area", postgis.Point(2, 48), postgis.Options{}); err == nil {
		t.Error("a struct without a field for a column was filled")
	}
	in, err = postgis.Covers[region](t.Context(), db, "regions", "area", postgis.Point(2, 48), postgis.Options{Columns: []string{"id"}})
	if err != nil || len(in) != 1 {
		t.Error("Covers:", in, err)
	}
	if in, err = postgis.Contains[region](t.Context(), db, "regions", "area", postgis.Row("regions", "area", "id", 99), postgis.Options{Columns: []string{"id"}}); err != nil || len(in) != 0 {
		t.Error("the shape of no row:", in, err)
	}
}

func TestDistances(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	type near struct {
		Name     string
		Distance *float64
	}
	o := postgis.Options{Columns: []string{"name"}, Where: "kind = any($1) and name <> $2", Args: []any{[]string{"city", "town"}, "Paris"}}
	for _, test := range []struct {
		column string
		unit   postgis.Unit
		first  float64
		within float64
	}{
		{"Location", postgis.Own, 0.2288, 0.3},
		{"Location", postgis.Metres, 17400, 20000},
		{"location", postgis.Own, 17400, 20000},
		{"mercator", postgis.Own, 26400, 30000},
	} {
		o.Unit = test.unit
		got, err := postgis.Nearest[near](t.Context(), db, table, test.column, paris, 2, o)
		if err != nil || len(got) != 2 || got[0].Name != "Versailles" || got[1].Name != "London" || math.Abs(*got[0].Distance-test.first) > test.first/100 {
			t.Errorf("%+v: %+v, %v", test, got, err)
		}
		all, err := postgis.Distance[near](t.Context(), db, table, test.column, paris, o)
		if err != nil || len(all) != 3 || all[2].Name != "Berlin" || *all[0].Distance != *got[0].Distance {
			t.Errorf("%+v: %+v, %v", test, all, err)
		}
		reach, err := postgis.DWithin[place](t.Context(), db, table, test.column, paris, test.within, o)
		if err != nil || !slices.Equal(names(reach), []string{"Versailles"}) {
			t.Errorf("%+v: %q, %v", test, names(reach), err)
		}
	}
	all, err := postgis.Distance[near](t.Context(), db, table, "Location", paris, postgis.Options{Columns: []string{"name"}})
	if err != nil || len(all) != 5 || all[4].Name != "Nowhere" || all[4].Distance != nil {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestSearchUsesTheIndex(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	mustExec(t, db, `insert into "Geo".places select 'p' || i, 'dot', ST_SetSRID(ST_MakePoint(i % 180, i % 90), 4326) from generate_series(1, 5000) i`, `analyze "Geo".places`)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	mustExec(t, tx, `load 'auto_explain'`, `set local auto_explain.log_min_duration = 0`, `set local auto_explain.log_level = notice`, `set local client_min_messages = notice`)
	scans := value[int](t, tx, `select idx_scan from pg_stat_all_indexes where indexrelname = 'places_Location_idx'`)
	for range 2 {
		if _, err := postgis.DWithin[place](t.Context(), tx, table, "Location", paris, 0.1, postgis.Options{Columns: []string{"name"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := postgis.Within[place](t.Context(), tx, table, "Location", postgis.WKT("POLYGON((2 48,2 49,3 49,3 48,2 48))"), postgis.Options{Columns: []string{"name"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := postgis.Nearest[map[string]any](t.Context(), tx, table, "Location", paris, 1, postgis.Options{Columns: []string{"name"}}); err != nil {
			t.Fatal(err)
		}
	}
	tx.Commit()
	mustExec(t, db, "select pg_stat_force_next_flush()")
	if after := value[int](t, db, `select idx_scan from pg_stat_all_indexes where indexrelname = 'places_Location_idx'`); after < scans+6 {
		t.Errorf("%d index scans by 6 statements", after-scans)
	}
}

func TestMeasures(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table plots (id int, shape geometry(Geometry, 4326))",
		"insert into plots values (1, ST_GeomFromText('POLYGON((0 0,0 1,1 1,1 0,0 0))', 4326)), (2, ST_GeomFromText('LINESTRING(0 0,0 1)', 4326)), (3, null)")
	type row struct {
		ID                            int
		Area, Perimeter, Length       *float64
		Centroid, Buffer, Transformed postgis.Geometry
	}
	ctx, id := t.Context(), []string{"id"}
	first := func(rows []ext.Lax[row], err error) row {
		t.Helper()
		if err != nil || len(rows) == 0 {
			t.Fatal(rows, err)
		}
		return rows[0].Row
	}
	polygon := postgis.Options{Columns: id, Where: "id = $1", Args: []any{1}}
	metres := polygon
	metres.Unit = postgis.Metres
	if r := first(postgis.Area[ext.Lax[row]](ctx, db, "plots", "shape", polygon)); *r.Area != 1 {
		t.Errorf("area = %v", *r.Area)
	}
	if r := first(postgis.Area[ext.Lax[row]](ctx, db, "plots", "shape", metres)); *r.Area < 12.2e9 || *r.Area > 12.4e9 {
		t.Errorf("area = %v square metres", *r.Area)
	}
	if r := first(postgis.Perimeter[ext.Lax[row]](ctx, db, "plots", "shape", polygon)); *r.Perimeter != 4 {
		t.Errorf("perimeter = %v", *r.Perimeter)
	}
	if r := first(postgis.Length[ext.Lax[row]](ctx, db, "plots", "shape", postgis.Options{Columns: id, Where: "id = 2", Unit: postgis.Metres})); *r.Length < 110000 || *r.Length > 111000 {
		t.Errorf("length = %v m", *r.Length)
	}
	if r := first(postgis.Centroid[ext.Lax[row]](ctx, db, "plots", "shape", polygon)); r.Centroid.T.(*geom.Point).X() != 0.5 {
		t.Errorf("centroid = %v", r.Centroid)
	}
	if r := first(postgis.Buffer[ext.Lax[row]](ctx, db, "plots", "shape", 1000, metres)); r.Buffer.SRID() != 4326 || r.Buffer.IsNull() {
		t.Errorf("buffer = %v", r.Buffer)
	}
	if r := first(postgis.Transform[ext.Lax[row]](ctx, db, "plots", "shape", 3857, polygon)); r.Transformed.SRID() != 3857 {
		t.Errorf("transformed = %v", r.Transformed)
	}
	if r, err := postgis.Area[ext.Lax[row]](ctx, db, "plots", "shape", postgis.Options{Columns: id, Where: "shape is null"}); err != nil || r[0].Row.Area != nil {
		t.Error("of NULL:", r, err)
	}
}

func TestADatabaseWithoutPostGIS(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	mustExec(t, db, "create table t (g text)")
	_, findErr := postgis.Intersects[place](t.Context(), db, "t", "g", paris, postgis.Options{})
	_, listErr := postgis.ListGeometryColumns(t.Context(), db, "")
	_, readErr := postgis.ReadFeatures(t.Context(), db, postgis.ReadOptions{Geometry: "g"}, "select * from t")
	_, writeErr := postgis.WriteFeatures(t.Context(), db, "t", postgis.FeatureCollection{Features: []postgis.Feature{{}}}, postgis.WriteOptions{Geometry: "g"})
	for i, err := range []error{findErr, listErr, readErr, writeErr} {
		if !errors.Is(err, admin.ErrExtensionNotAvailable) {
			t.Errorf("%d: %v, want ErrExtensionNotAvailable", i, err)
		}
	}
}

func TestBadInputIsRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	find := func(table, column string, s postgis.Shape, o postgis.Options) error {
		_, err := postgis.Contains[place](t.Context(), nil, table, column, s, o)
		return err
	}
	near := func(k int, o postgis.Options) error {
		_, err := postgis.Nearest[place](t.Context(), nil, "t", "g", paris, k, o)
		return err
	}
	_, distanceErr := postgis.DWithin[place](t.Context(), nil, "t", "g", paris, -1, postgis.Options{})
	_, bufferErr := postgis.Buffer[place](t.Context(), nil, "t", "g", math.Inf(1), postgis.Options{})
	_, transformErr := postgis.Transform[place](t.Context(), nil, "t", "g", 0, postgis.Options{})
	_, listErr := postgis.ListGeometryColumns(t.Context(), nil, "a\x00")
	_, readErr := postgis.ReadFeatures(t.Context(), nil, postgis.ReadOptions{SRID: -1}, "select 1")
	clash := postgis.FeatureCollection{Features: []postgis.Feature{{Properties: map[string]any{"geometry": 1}}}}
	_, writeErr := postgis.WriteFeatures(t.Context(), nil, "t", clash, postgis.WriteOptions{})
	for _, test := range []struct {
		err  error
		says string
	}{
		{find("a.b.c", "g", paris, postgis.Options{}), "a.b.c"},
		{find("t", "", paris, postgis.Options{}), "column"},
		{find("t", "g", postgis.Shape{}, postgis.Options{}), "no shape"},
		{find("t", "g", postgis.Point(math.NaN(), 1), postgis.Options{}), "NaN"},
		{find("t", "g", postgis.WKT(" "), postgis.Options{}), "WKT"},
		{find("t", "g", postgis.GeoJSON(""), postgis.Options{}), "GeoJSON"},
		{find("t", "g", postgis.Of(nil), postgis.Options{}), "no geometry"},
		{find("t", "g", postgis.Row("t", "g", "", 1), postgis.Options{}), "an empty name"},
		{find("t", "g", paris.In(-1), postgis.Options{}), "-1"},
		{find("t", "g", paris, postgis.Options{Columns: []string{"\x00"}}), "NUL"},
		{find("t", "g", paris, postgis.Options{Args: []any{1}}), "without a condition"},
		{find("t", "g", paris, postgis.Options{Limit: -1}), "-1"},
		{find("t", "g", paris, postgis.Options{Unit: 7}), "unit 7"},
		{near(0, postgis.Options{}), "nearest 0"},
		{near(1, postgis.Options{Limit: 2}), "Limit"},
		{distanceErr, "-1"},
		{bufferErr, "Inf"},
		{transformErr, "SRID"},
		{listErr, "NUL"},
		{readErr, "-1"},
		{writeErr, "geometry"},
	} {
		if test.err == nil || !strings.HasPrefix(test.err.Error(), "postgis: ") || !strings.Contains(test.err.Error(), test.says) {
			t.Errorf("%v, want it to say %q", test.err, test.says)
		}
	}
}
