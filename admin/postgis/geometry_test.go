package postgis_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/postgis"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkt"
)

var texts = []string{
	"POINT(1 2)", "POINT Z (1 2 3)", "POINT M (1 2 3)", "POINT ZM (1 2 3 4)", "POINT EMPTY", "LINESTRING(0 0,1 1,2 0)", "LINESTRING EMPTY",
	"POLYGON((0 0,0 4,4 4,4 0,0 0),(1 1,2 1,2 2,1 1))", "MULTIPOINT(1 2,3 4)", "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
	"MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 6,6 6,5 5)))", "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))",
	"POLYGON Z ((0 0 1,0 4 1,4 4 1,0 0 1))",
}

func TestGeometriesSurviveARoundTrip(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, typ := range []string{"geometry", "geography"} {
		for _, text := range texts {
			for _, mode := range []*bool{nil, new(bool), ptr(true)} {
				var got postgis.Geometry
				var same bool
				o := driver.QueryOptions{Prepare: mode}
				given := value[postgis.Geometry](t, db, "select ST_GeomFromEWKT($1)::"+typ, "SRID=4326;"+text)
				if err := db.QueryRow("select $1::"+typ+", ST_AsEWKB($1::"+typ+"::geometry) = ST_AsEWKB(ST_GeomFromEWKT($2))", o, given, "SRID=4326;"+text).Scan(&got, &same); err != nil {
					t.Fatalf("%s %s: %v", typ, text, err)
				}
				if !same || got.SRID() != 4326 {
					t.Errorf("%s %s came back with SRID %d, the same on the server: %t", typ, text, got.SRID(), same)
				}
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestGeometriesAsNULLAndInStructs(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	type row struct {
		Name     string
		Location postgis.Geometry `db:"Location"`
		Free     *postgis.Geometry
	}
	rows, err := ext.Query[row](t.Context(), db, `select name, "Location", free from "Geo".places where name in ('Paris', 'Nowhere') order by name desc`)
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	point, ok := rows[0].Location.T.(*geom.Point)
	if !ok || point.X() != 2.3522 || point.Y() != 48.8566 || point.SRID() != 4326 || rows[0].Free == nil {
		t.Errorf("Paris is at %+v", rows[0])
	}
	if !rows[1].Location.IsNull() || rows[1].Free != nil {
		t.Errorf("Nowhere is at %+v", rows[1])
	}
	mustExec(t, db, "create table moved (at geometry(Point, 4326), near geography)")
	for _, g := range []postgis.Geometry{rows[0].Location, {}, {T: (*geom.Point)(nil)}} {
		if _, err := db.Exec("insert into moved values ($1, $2)", g, g); err != nil {
			t.Error(err)
		}
	}
	if n := value[int](t, db, "select count(*) from moved where at is null and near is null"); n != 2 {
		t.Errorf("%d NULLs, want 2", n)
	}
	if _, err := ext.InsertMany(t.Context(), db, "moved", []struct{ At, Near postgis.Geometry }{{rows[0].Location, rows[0].Location}}, ext.InsertOptions{}); err != nil {
		t.Error("InsertMany:", err)
	}
}

func TestScanRefusesWhatIsNoGeometry(t *testing.T) {
	t.Parallel()
	for _, src := range []any{5, "", "POINT(1 2)", "0101", []byte{1, 2}, []byte{1, 1, 0, 0, 0x20, 0xe6}, "01" + strings.Repeat("ff", 20)} {
		var g postgis.Geometry
		if err := g.Scan(src); err == nil || !strings.HasPrefix(err.Error(), "postgis: ") {
			t.Errorf("%v was scanned: %v, %v", src, g.T, err)
		}
	}
	db := openDB(t)
	var g postgis.Geometry
	for name, text := range map[string]string{
		"CircularString":    "CIRCULARSTRING(0 0,1 1,2 0)",
		"CompoundCurve":     "COMPOUNDCURVE((0 0,1 1))",
		"CurvePolygon":      "CURVEPOLYGON((0 0,1 1,1 0,0 0))",
		"MultiCurve":        "MULTICURVE((0 0,1 1))",
		"MultiSurface":      "MULTISURFACE(((0 0,1 1,1 0,0 0)))",
		"PolyhedralSurface": "POLYHEDRALSURFACE(((0 0,1 1,1 0,0 0)))",
		"Triangle":          "TRIANGLE((0 0,1 1,1 0,0 0))",
		"TIN":               "TIN(((0 0,1 1,1 0,0 0)))",
	} {
		err := db.QueryRow("select ST_GeomFromText($1)", text).Scan(&g)
		if err == nil || !strings.Contains(err.Error(), "postgis: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names the type", text, err)
		}
	}
}

func TestGeometriesAsJSON(t *testing.T) {
	t.Parallel()
	var g postgis.Geometry
	if err := json.Unmarshal([]byte(`{"type":"Point","coordinates":[2.5,48.25]}`), &g); err != nil || g.SRID() != 4326 {
		t.Fatal(g, err)
	}
	data, err := json.Marshal(map[string]any{"at": g, "none": postgis.Geometry{}})
	if err != nil || string(data) != `{"at":{"type":"Point","coordinates":[2.5,48.25]},"none":null}` {
		t.Errorf("%s, %v", data, err)
	}
	if err := json.Unmarshal([]byte("null"), &g); err != nil || !g.IsNull() {
		t.Error(g, err)
	}
	var unsupported interface{ Error() string }
	if err := json.Unmarshal([]byte(`{"type":"Circle"}`), &g); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "Circle") {
		t.Error(err)
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range texts {
		t, err := wkt.Unmarshal(text)
		if err != nil {
			continue
		}
		v, err := postgis.Geometry{T: t}.Value()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v.(string))
	}
	f.Add("0101000020e6100000000000000000f03f0000000000000040")
	f.Fuzz(func(t *testing.T, data string) {
		var g, again postgis.Geometry
		if g.Scan(data) != nil || g.IsNull() {
			return
		}
		v, err := g.Value()
		if err != nil {
			return // a collection in a layout that EWKB has no form for
		}
		if err := again.Scan(v); err != nil {
			t.Fatalf("%q is %v, and that does not come back: %v", data, v, err)
		}
		if w, err := again.Value(); err != nil || w != v {
			t.Errorf("%q is %v, and that is %v, %v", data, v, w, err)
		}
	})
}
