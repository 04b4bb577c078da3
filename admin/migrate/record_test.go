package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/migrate"
)

// pythonTable is the record that Python's pycopg makes.
const pythonTable = "create table schema_migrations (version integer primary key, name text not null, applied_at timestamptz not null default now())"

func TestTheRecordOfPythonsPycopgIsTakenOver(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	mustExec(t, db, pythonTable)
	mustExec(t, db, "insert into schema_migrations values (1, 'users')")
	fsys := shop()
	fsys["20240131120000_late.sql"] = files("x", "create table late ()")["x"]
	delete(fsys, "002_orders.up.sql")
	delete(fsys, "002_orders.down.sql")
	states, err := migrate.Status(ctx, db, fsys, migrate.Options{})
	if err != nil || !states[0].Applied || states[0].Changed || states[1].Applied {
		t.Errorf("status ahead of the first run: %+v, %v", states, err)
	}
	want(t, "up", up(t, db, fsys, migrate.Options{}), "up 20240131120000_late")
	mustExec(t, db, "insert into schema_migrations (version, name) values (3, 'by_python')")
	fsys["001_users.sql"] = files("x", "select 'changed'")["x"]
	if _, err := migrate.Up(ctx, db, fsys, migrate.Options{}); !errors.Is(err, migrate.ErrChanged) {
		t.Errorf("the checksum was not noted: %v", err)
	}
}

func TestTheTableOfAnotherToolIsLeftAlone(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	mustExec(t, db, "create table schema_migrations (version bigint not null primary key, dirty boolean not null)")
	_, err := migrate.Up(ctx, db, shop(), migrate.Options{})
	if !errors.Is(err, migrate.ErrForeignTable) || !strings.Contains(err.Error(), "dirty boolean, version bigint") {
		t.Errorf("up: %v", err)
	}
	if _, err := migrate.Status(ctx, db, shop(), migrate.Options{}); !errors.Is(err, migrate.ErrForeignTable) {
		t.Errorf("status: %v", err)
	}
	mustExec(t, db, `create schema "Odd ""x"`)
	opts := migrate.Options{Table: `"Odd ""x"."the record; --"`}
	want(t, "with a name of its own", up(t, db, shop(), opts), "up 001_users", "up 002_orders")
	states, err := migrate.Status(ctx, db, shop(), opts)
	if err != nil || !states[1].Applied {
		t.Errorf("status: %+v, %v", states, err)
	}
	if _, err := migrate.Up(ctx, db, shop(), migrate.Options{Table: "a.b.c"}); err == nil || !strings.Contains(err.Error(), `"a.b.c"`) {
		t.Errorf("a name of three parts: %v", err)
	}
}

func TestStatusComparesFilesAndRecord(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	fsys := shop()
	states, err := migrate.Status(ctx, db, fsys, migrate.Options{})
	if err != nil || len(states) != 2 || states[0].Applied || !states[0].HasDown || !states[0].AppliedAt.IsZero() {
		t.Errorf("ahead of everything: %+v, %v", states, err)
	}
	if got := word(t, db, "select coalesce(to_regclass('schema_migrations')::text, 'none')"); got != "none" {
		t.Errorf("status has made %s", got)
	}
	up(t, db, fsys, migrate.Options{})
	delete(fsys, "002_orders.up.sql")
	delete(fsys, "002_orders.down.sql")
	fsys["001_users.sql"] = files("x", "select 1")["x"]
	fsys["003_new.sql"] = files("x", "select 1")["x"]
	states, err = migrate.Status(ctx, db, fsys, migrate.Options{})
	if err != nil || len(states) != 3 {
		t.Fatalf("%+v, %v", states, err)
	}
	if s := states[0]; !s.Applied || !s.Changed || s.Missing || s.HasDown || s.AppliedAt.IsZero() {
		t.Errorf("changed: %+v", s)
	}
	if s := states[1]; !s.Applied || !s.Missing || s.Changed || s.Name != "orders" {
		t.Errorf("missing: %+v", s)
	}
	if s := states[2]; s.Applied || s.Name != "new" {
		t.Errorf("pending: %+v", s)
	}
}
