package admin_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	return sqltest.DB(t, sqltest.Options{})
}

func mustExec(t testing.TB, q ext.Querier, queries ...string) {
	t.Helper()
	for _, query := range queries {
		if _, err := q.ExecContext(context.Background(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	got, err := admin.ListExtensions(t.Context(), db, admin.ExtensionsOptions{})
	if err != nil || len(got) != 1 || got[0].Name != "plpgsql" || !got[0].Installed() {
		t.Errorf("extensions = %+v, %v", got, err)
	}
	has, err := admin.HasExtension(t.Context(), db, "plpgsql")
	if err != nil || !has {
		t.Error(has, err)
	}
	t.Log(admin.RequireExtension(t.Context(), db, "nope"))
	t.Log(admin.RequireExtension(t.Context(), db, "pgcrypto"))
	all, err := admin.ListExtensions(t.Context(), db, admin.ExtensionsOptions{Available: true})
	t.Log(len(all), err)
}
