package postgis_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/postgis"
	"github.com/twpayne/go-geom"
)

func TestFeaturesOutAndIn(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	mustExec(t, db, `create table big (id bigint, tags text[], doc jsonb, geometry geometry(Point, 4326))`,
		`insert into big values (9007199254740993, '{a,"b c"}', '{"n": 1.50}', ST_SetSRID(ST_MakePoint(1, 2), 4326)), (2, null, null, null)`)
	fc, err := postgis.ReadFeatures(t.Context(), db, postgis.ReadOptions{ID: "id"}, "select * from big where id > $1 order by id desc;", 1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(fc)
	const want = `{"type":"FeatureCollection","features":[` +
		`{"type":"Feature","id":9007199254740993,"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"doc":{"n":1.50},"tags":["a","b c"]}},` +
		`{"type":"Feature","id":2,"geometry":null,"properties":{"doc":null,"tags":null}}]}`
	if err != nil || string(data) != want {
		t.Errorf("got  %s, %v\nwant %s", data, err, want)
	}
	var read postgis.FeatureCollection
	if err := json.Unmarshal(data, &read); err != nil || read.SRID != 4326 {
		t.Fatal(read, err)
	}
	mustExec(t, db, `create table copy (like big, "Note" text default 'none')`)
	n, err := postgis.WriteFeatures(t.Context(), db, "copy", read, postgis.WriteOptions{ID: "id"})
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	if n := value[int](t, db, `select count(*) from big join copy using (id) where (big.tags, big.doc) is not distinct from (copy.tags, copy.doc)
		and big.geometry is not distinct from copy.geometry and "Note" = 'none'`); n != 2 {
		t.Errorf("%d rows are the same, want 2", n)
	}
}

func TestFeaturesInOtherSystems(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	const query = `select name, "Location" as geometry from "Geo".places where name = 'Paris'`
	fc, err := postgis.ReadFeatures(t.Context(), db, postgis.ReadOptions{SRID: 3857}, query)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(fc)
	if err != nil || !strings.Contains(string(data), `"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3857"}}`) {
		t.Fatalf("%s, %v", data, err)
	}
	var read postgis.FeatureCollection
	if err := json.Unmarshal(data, &read); err != nil || read.SRID != 3857 || read.Features[0].Geometry.SRID() != 3857 {
		t.Fatal(read, err)
	}
	mustExec(t, db, "create table back (name text, at geography(Point, 4326))")
	if n, err := postgis.WriteFeatures(t.Context(), db, "back", read, postgis.WriteOptions{Geometry: "at"}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if d := value[float64](t, db, `select ST_Distance(at, location) from back join "Geo".places using (name)`); d > 0.01 {
		t.Errorf("Paris moved by %v m", d)
	}
	own := postgis.FeatureCollection{Features: []postgis.Feature{{Geometry: postgis.Geometry{T: geom.NewPointFlat(geom.XY, []float64{1, 2}).SetSRID(4326)}}}}
	mustExec(t, db, "create table mercator (geometry geometry(Point, 3857))")
	if _, err := postgis.WriteFeatures(t.Context(), db, "mercator", own, postgis.WriteOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := postgis.WriteFeatures(t.Context(), db, "back", postgis.FeatureCollection{}, postgis.WriteOptions{}); err != nil {
		t.Error("no features:", err)
	}
	missing := postgis.FeatureCollection{Features: []postgis.Feature{{Properties: map[string]any{"nope": 1}}}}
	if _, err := postgis.WriteFeatures(t.Context(), db, "back", missing, postgis.WriteOptions{Geometry: "at"}); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("a property without a column: %v", err)
	}
}

func TestFeatureCollectionsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`5`, `{"type":"Feature"}`, `{"type":"FeatureCollection","features":[{"type":"Point"}]}`,
		`{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"mars"}},"features":[]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Blob"}}]}`,
	} {
		var fc postgis.FeatureCollection
		if err := json.Unmarshal([]byte(data), &fc); err == nil {
			t.Errorf("%s was read: %+v", data, fc)
		}
	}
	var fc postgis.FeatureCollection
	if err := json.Unmarshal([]byte(`{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"features":[]}`), &fc); err != nil || fc.SRID != 4326 {
		t.Error(fc, err)
	}
}

func TestListGeometryColumns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	got, err := postgis.ListGeometryColumns(t.Context(), db, "Geo")
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	want := []postgis.GeometryColumn{
		{"Geo", "places", "Location", "POINT", 4326, 2, false},
		{"Geo", "places", "free", "GEOMETRY", 0, 2, false},
		{"Geo", "places", "location", "POINT", 4326, 2, true},
		{"Geo", "places", "mercator", "POINT", 3857, 2, false},
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("column %d = %+v, want %+v", i, got[i], want[i])
		}
	}
	if all, err := postgis.ListGeometryColumns(t.Context(), db, ""); err != nil || len(all) < 4 {
		t.Errorf("%+v, %v", all, err)
	}
}

func FuzzFeatureCollection(f *testing.F) {
	f.Add(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"n":1}}]}`)
	f.Fuzz(func(t *testing.T, data string) {
		var fc, again postgis.FeatureCollection
		if json.Unmarshal([]byte(data), &fc) != nil {
			return
		}
		out, err := json.Marshal(fc)
		if err != nil {
			return // coordinates that are no numbers
		}
		if err := json.Unmarshal(out, &again); err != nil {
			t.Fatalf("%s is %s, and that does not come back: %v", data, out, err)
		}
	})
}
