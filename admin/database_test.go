package admin_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

// newDatabase is the name of a database of the test's own, which is dropped at its end. odd is a part of it.
func newDatabase(t testing.TB, db *sql.DB, odd string) string {
	t.Helper()
	name := odd + " admin_test_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		if _, err := admin.DropDatabase(context.Background(), db, name, admin.DropDatabaseOptions{Force: true}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return name
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	role := createRole(t, db, admin.RoleOptions{})
	for handle, q := range map[string]ext.OutsideTx{"DB": db, "Conn": one(t, wrap(t, db))} {
		name := newDatabase(t, db, handle+` x"; DROP TABLE y; --`)
		verdict(t, "CreateDatabase", true)(admin.CreateDatabase(ctx, q, name, admin.DatabaseOptions{Owner: role, Template: "template0", Encoding: "UTF8", Locale: "C", ConnLimit: p(7)}))
		verdict(t, "CreateDatabase again", false)(admin.CreateDatabase(ctx, q, name, admin.DatabaseOptions{IfNotExists: true}))
		if _, err := admin.CreateDatabase(ctx, q, name, admin.DatabaseOptions{}); sqlState(err) != "42P04" {
			t.Errorf("CreateDatabase strictly: %v", err)
		}
		verdict(t, "DatabaseExists", true)(admin.DatabaseExists(ctx, q, name))
		all := must(admin.ListDatabases(ctx, q, admin.ListOptions{}))(t)
		i := slices.IndexFunc(all, func(d admin.Database) bool { return d.Name == name })
		if i < 0 || all[i].Owner != role || all[i].Encoding != "UTF8" || all[i].Collate != "C" || all[i].ConnLimit != 7 || all[i].Template || !all[i].AllowConnections || all[i].Size == nil || *all[i].Size == 0 || all[i].Tablespace != "pg_default" {
			t.Errorf("databases = %+v", all)
		}
		if slices.ContainsFunc(all, func(d admin.Database) bool { return d.Name == "template0" }) {
			t.Errorf("databases = %+v", all)
		}

		// Another database of the same server, and what its sessions keep from happening.
		other, err := admin.OpenDatabase(ctx, q, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := word(t, other, "select current_database()"); got != name {
			t.Errorf("opened %q", got)
		}
		held := one(t, other)
		if _, err := admin.DropDatabase(ctx, q, name, admin.DropDatabaseOptions{}); sqlState(err) != "55006" || errors.Is(err, admin.ErrCurrentDatabase) {
			t.Errorf("DropDatabase while a session is in it: %v", err)
		}
		verdict(t, "DropDatabase by force", true)(admin.DropDatabase(ctx, q, name, admin.DropDatabaseOptions{Force: true}))
		verdict(t, "DropDatabase again", false)(admin.DropDatabase(ctx, q, name, admin.DropDatabaseOptions{}))
		verdict(t, "DatabaseExists behind it", false)(admin.DatabaseExists(ctx, q, name))
		held.Close()
		other.Close()
	}
	if all := must(admin.ListDatabases(ctx, db, admin.ListOptions{System: true}))(t); !slices.ContainsFunc(all, func(d admin.Database) bool { return d.Name == "template1" && d.Template }) {
		t.Errorf("all databases = %+v", all)
	}
}

func TestTheCurrentDatabaseIsNotDropped(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	current := word(t, db, "select current_database()")
	for _, o := range []admin.DropDatabaseOptions{{}, {Force: true}} {
		if _, err := admin.DropDatabase(t.Context(), db, current, o); !errors.Is(err, admin.ErrCurrentDatabase) || !strings.Contains(err.Error(), current) {
			t.Errorf("DropDatabase(%+v): %v", o, err)
		}
	}
	mustExec(t, db, "select 1")
}

func TestOneOfManySessionsCreatesTheDatabase(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	name := newDatabase(t, db, "")
	db.SetMaxOpenConns(4)
	if n := atOnce(t, 4, func() (bool, error) {
		return admin.CreateDatabase(t.Context(), db, name, admin.DatabaseOptions{IfNotExists: true})
	}); n != 1 {
		t.Errorf("%d sessions created it", n)
	}
}

func TestAlterDatabase(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	role := createRole(t, db, admin.RoleOptions{})
	name, to := newDatabase(t, db, "old"), newDatabase(t, db, "new")
	verdict(t, "CreateDatabase", true)(admin.CreateDatabase(ctx, db, name, admin.DatabaseOptions{}))
	err := admin.AlterDatabase(ctx, db, name, admin.DatabaseChange{Rename: to, Owner: role, ConnLimit: p(2), Template: p(true), Settings: map[string]string{"work_mem": "1MB"}, Comment: p("it's new")})
	if err != nil {
		t.Fatal(err)
	}
	all := must(admin.ListDatabases(ctx, db, admin.ListOptions{}))(t)
	i := slices.IndexFunc(all, func(d admin.Database) bool { return d.Name == to })
	if i < 0 || all[i].Owner != role || all[i].ConnLimit != 2 || !all[i].Template || all[i].Comment != "it's new" {
		t.Errorf("databases = %+v", all)
	}
	other := must(admin.OpenDatabase(ctx, db, to))(t)
	defer other.Close()
	if got := word(t, other, "show work_mem"); got != "1MB" {
		t.Errorf("work_mem = %s", got)
	}
	if err := admin.AlterDatabase(ctx, db, to, admin.DatabaseChange{Template: p(false), Reset: []string{"work_mem"}}); err != nil {
		t.Error(err)
	}
	if err := admin.AlterDatabase(ctx, db, to, admin.DatabaseChange{}); err == nil {
		t.Error("no error for no change")
	}
}
