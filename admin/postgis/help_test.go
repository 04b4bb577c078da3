package postgis_test

import (
	"context"
	"database/sql"
	"testing"

	_ "github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	db := sqltest.DB(t, sqltest.Options{})
	sqltest.Extension(t, db, "postgis")
	return db
}

func mustExec(t testing.TB, q ext.Querier, queries ...string) {
	t.Helper()
	for _, query := range queries {
		if _, err := q.ExecContext(context.Background(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

func value[T any](t testing.TB, q ext.Querier, query string, args ...any) T {
	t.Helper()
	v, err := ext.QueryVal[T](context.Background(), q, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// places makes a table of five places, as geometry, geography and in another system.
func places(t testing.TB, q ext.Querier) {
	t.Helper()
	mustExec(t, q, `create schema "Geo"`, `create table "Geo".places (
			name text primary key, kind text not null,
			"Location" geometry(Point, 4326), location geography(Point, 4326), mercator geometry(Point, 3857), free geometry)`,
		`insert into "Geo".places select name, kind, p, p::geography, ST_Transform(p, 3857), p
		from (values ('Paris', 'city', 2.3522, 48.8566), ('Versailles', 'town', 2.1301, 48.8014), ('London', 'city', -0.1276, 51.5072),
			('Berlin', 'city', 13.4050, 52.5200)) v(name, kind, lon, lat), ST_SetSRID(ST_MakePoint(lon, lat), 4326) p`,
		`insert into "Geo".places (name, kind) values ('Nowhere', 'myth')`,
		`create index on "Geo".places using gist ("Location")`)
}

const table = `"Geo".places`

type place struct{ Name string }

func names(all []place) (list []string) {
	for _, p := range all {
		list = append(list, p.Name)
	}
	return list
}
