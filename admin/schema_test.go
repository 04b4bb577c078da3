package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func TestSchemas(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		verdict(t, "CreateSchema", true)(admin.CreateSchema(ctx, q, "App x", admin.SchemaOptions{}))
		verdict(t, "CreateSchema of one that exists", false)(admin.CreateSchema(ctx, q, "App x", admin.SchemaOptions{IfNotExists: true}))
		verdict(t, "CreateSchema if not exists", true)(admin.CreateSchema(ctx, q, "pgbouncer", admin.SchemaOptions{IfNotExists: true, Owner: admin.CurrentUser}))
		verdict(t, "SchemaExists", true)(admin.SchemaExists(ctx, q, "App x"))
		verdict(t, "SchemaExists in another case", false)(admin.SchemaExists(ctx, q, "app x"))
		mustExec(t, q, `comment on schema "App x" is 'a comment'`)
		schemas := must(admin.ListSchemas(ctx, q, admin.ListOptions{}))(t)
		var names []string
		for _, s := range schemas {
			names = append(names, s.Name)
		}
		if !slices.Equal(names, []string{"App x", "pgbouncer", "public"}) || schemas[0].Comment != "a comment" || schemas[0].System {
			t.Errorf("schemas = %+v", schemas)
		}
		all := must(admin.ListSchemas(ctx, q, admin.ListOptions{System: true}))(t)
		if !slices.ContainsFunc(all, func(s admin.Schema) bool { return s.Name == "pg_catalog" && s.System }) {
			t.Errorf("all schemas = %+v", all)
		}
		mustExec(t, q, `create table "App x".t ()`)
		verdict(t, "DropSchema", true)(admin.DropSchema(ctx, q, "App x", admin.DropOptions{Cascade: true}))
		verdict(t, "DropSchema of none", false)(admin.DropSchema(ctx, q, "App x", admin.DropOptions{}))
		verdict(t, "SchemaExists behind the drop", false)(admin.SchemaExists(ctx, q, "App x"))
		for _, system := range []string{"pg_catalog", "pg_toast", "information_schema"} {
			if _, err := admin.DropSchema(ctx, q, system, admin.DropOptions{Cascade: true}); !errors.Is(err, admin.ErrSystemObject) {
				t.Errorf("DropSchema(%s): %v", system, err)
			}
		}
	})
}

func TestCreateIsStrict(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create schema app", "create table app.t (a int)")
	if _, err := admin.CreateSchema(t.Context(), db, "app", admin.SchemaOptions{}); sqlState(err) != "42P06" || !strings.HasPrefix(err.Error(), `admin: create schema "app": `) {
		t.Errorf("CreateSchema: %v", err)
	}
	if _, err := admin.CreateTable(t.Context(), db, "app.t", nil, admin.TableOptions{}); sqlState(err) != "42P07" {
		t.Errorf("CreateTable: %v", err)
	}
	// A drop that others depend on names them.
	if _, err := admin.DropSchema(t.Context(), db, "app", admin.DropOptions{}); sqlState(err) != "2BP01" || !strings.Contains(err.Error(), "table app.t depends on schema app") {
		t.Errorf("DropSchema: %v", err)
	}
	if _, err := admin.DropView(t.Context(), db, "app.t", admin.DropOptions{}); sqlState(err) != "42809" {
		t.Errorf("DropView of a table: %v", err)
	}
	// That there is no table is not the only reason for SQLSTATE 42P07.
	mustExec(t, db, "create table other (a int constraint taken unique)")
	_, err := admin.CreateTable(t.Context(), db, "fresh", []admin.ColumnDef{{Name: "a", Type: "int constraint taken unique"}}, admin.TableOptions{IfNotExists: true})
	if sqlState(err) != "42P07" {
		t.Errorf("CreateTable whose index's name is taken: %v", err)
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	if err := admin.RequireExtension(ctx, db, "plpgsql"); err != nil {
		t.Error(err)
	}
	if err := admin.RequireExtension(ctx, db, "no-such"); !errors.Is(err, admin.ErrExtensionNotAvailable) || !strings.Contains(err.Error(), "is not installed on the server") {
		t.Errorf("RequireExtension of one that is nowhere: %v", err)
	}
	all := must(admin.ListExtensions(ctx, db, admin.ExtensionsOptions{Available: true}))(t)
	if !slices.ContainsFunc(all, func(e admin.Extension) bool { return e.Name == "uuid-ossp" }) {
		t.Skip("the server has no extension uuid-ossp")
	}
	if err := admin.RequireExtension(ctx, db, "uuid-ossp"); !errors.Is(err, admin.ErrExtensionNotAvailable) || !strings.Contains(err.Error(), `create extension "uuid-ossp"`) {
		t.Errorf("RequireExtension of one that can be created: %v", err)
	}
	verdict(t, "HasExtension", false)(admin.HasExtension(ctx, db, "uuid-ossp"))
	mustExec(t, db, "create schema ext")
	verdict(t, "CreateExtension", true)(admin.CreateExtension(ctx, db, "uuid-ossp", admin.ExtensionOptions{IfNotExists: true, Schema: "ext"}))
	verdict(t, "CreateExtension again", false)(admin.CreateExtension(ctx, db, "uuid-ossp", admin.ExtensionOptions{IfNotExists: true}))
	verdict(t, "HasExtension behind it", true)(admin.HasExtension(ctx, db, "uuid-ossp"))
	if err := admin.UpdateExtension(ctx, db, "uuid-ossp", ""); err != nil {
		t.Error(err)
	}
	got := must(admin.ListExtensions(ctx, db, admin.ExtensionsOptions{}))(t)
	if len(got) != 2 || got[1].Name != "uuid-ossp" || got[1].Schema != "ext" || got[1].Version == "" || got[1].Version != got[1].DefaultVersion || !got[1].Installed() || got[1].Comment == "" {
		t.Errorf("extensions = %+v", got)
	}
	verdict(t, "DropExtension", true)(admin.DropExtension(ctx, db, "uuid-ossp", admin.DropOptions{}))
	verdict(t, "DropExtension again", false)(admin.DropExtension(ctx, db, "uuid-ossp", admin.DropOptions{}))
}

func TestHelpersOfAHandleWithOptionsInItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	var tag string
	ctx := driver.WithCommandTag(t.Context(), &tag)
	verdict(t, "CreateSchema", true)(admin.CreateSchema(ctx, db, "app", admin.SchemaOptions{IfNotExists: true}))
	if tag != "CREATE SCHEMA" {
		t.Errorf("tag %q", tag)
	}
}
