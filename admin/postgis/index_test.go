package postgis_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/postgis"
)

func TestCreateSpatialIndex(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	places(t, db)
	ctx := t.Context()
	for _, o := range []postgis.IndexOptions{
		{Name: "by_gist"},
		{Name: "by_spgist", Method: "spgist"},
		{Name: "by_brin", Method: "brin"},
		{Name: "by_metres", Geography: true, Where: "kind = 'city'"},
	} {
		name, created, err := postgis.CreateSpatialIndex(ctx, db, table, "Location", o)
		if err != nil || !created || o.Name != "" && name != o.Name {
			t.Fatalf("%+v: %q, %t, %v", o, name, created, err)
		}
		def := value[string](t, db, "select indexdef from pg_indexes where schemaname = 'Geo' and indexname = $1", name)
		if method := o.Method; method == "" && !strings.Contains(def, "USING gist") || !strings.Contains(def, "USING "+method) {
			t.Errorf("%+v made %s", o, def)
		}
		if o.Geography != strings.Contains(def, "geography") {
			t.Errorf("%+v made %s", o, def)
		}
	}
	if name, created, err := postgis.CreateSpatialIndex(ctx, db, table, "mercator", postgis.IndexOptions{}); err != nil || !created || name != "places_mercator_idx" {
		t.Error(name, created, err)
	}
	if _, created, err := postgis.CreateSpatialIndexConcurrently(ctx, db, table, "location", postgis.IndexOptions{Name: "later"}); err != nil || !created {
		t.Error(created, err)
	}
	if name, created, err := postgis.CreateSpatialIndex(ctx, db, table, "location", postgis.IndexOptions{Name: "later", IfNotExists: true}); err != nil || created || name != "later" {
		t.Error(name, created, err)
	}
	for says, err := range map[string]error{
		"hash":   second(postgis.CreateSpatialIndex(ctx, nil, table, "location", postgis.IndexOptions{Method: "hash"})),
		"column": second(postgis.CreateSpatialIndex(ctx, nil, table, "", postgis.IndexOptions{})),
		"42703":  second(postgis.CreateSpatialIndex(ctx, db, table, "nope", postgis.IndexOptions{})),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want it to say %q", err, says)
		}
	}
}

func second(_ string, _ bool, err error) error { return err }
