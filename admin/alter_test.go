package admin_test

import (
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

func p[T any](v T) *T { return &v }

func TestAlterColumns(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		mustExec(t, q, "create table t (id int, price text default 'none')", "insert into t values (1, '2.50')")
		verdict(t, "AddColumn", true)(admin.AddColumn(ctx, q, "t", admin.ColumnDef{Name: "at", Type: "timestamptz", NotNull: true, Default: "now()", Comment: "when"}, admin.AddColumnOptions{}))
		verdict(t, "AddColumn again", false)(admin.AddColumn(ctx, q, "t", admin.ColumnDef{Name: "at", Type: "text"}, admin.AddColumnOptions{IfNotExists: true}))
		err := admin.AlterColumn(ctx, q, "t", "price", admin.ColumnChange{
			Type: "numeric(10,2)", Using: "price::numeric", Default: p("0"), NotNull: p(true), Statistics: p(200), Comment: p("in francs"), Rename: "Cost",
		})
		if err != nil {
			t.Fatal(err)
		}
		columns := must(admin.TableInfo(ctx, q, "t"))(t)
		cost, at := columns[1], columns[2]
		if cost.Name != "Cost" || cost.Type != "numeric(10,2)" || cost.Nullable || cost.Default != "0" || cost.Comment != "in francs" || at.Comment != "when" || at.Default != "now()" {
			t.Errorf("columns = %+v", columns)
		}
		if err := admin.AlterColumn(ctx, q, "t", "Cost", admin.ColumnChange{Default: p(""), NotNull: p(false), Comment: p("")}); err != nil {
			t.Error(err)
		}
		mustExec(t, q, "alter table t alter id set not null")
		if err := admin.AlterColumn(ctx, q, "t", "id", admin.ColumnChange{Identity: p(admin.IdentityByDefault)}); err != nil {
			t.Error(err)
		}
		if err := admin.AlterColumn(ctx, q, "t", "id", admin.ColumnChange{SwitchIdentity: admin.IdentityAlways}); err != nil {
			t.Error(err)
		}
		columns = must(admin.TableInfo(ctx, q, "t"))(t)
		if c := columns[1]; !c.Nullable || c.Default != "" || c.Comment != "" || columns[0].Identity != "always" {
			t.Errorf("columns = %+v", columns)
		}
		if err := admin.AlterColumn(ctx, q, "t", "id", admin.ColumnChange{Identity: p(admin.Identity(""))}); err != nil {
			t.Error(err)
		}
		verdict(t, "DropColumn", true)(admin.DropColumn(ctx, q, "t", "at", admin.DropOptions{}))
		verdict(t, "DropColumn of none", false)(admin.DropColumn(ctx, q, "t", "at", admin.DropOptions{}))
		if err := admin.AlterColumn(ctx, q, "t", "id", admin.ColumnChange{}); err == nil {
			t.Error("no error for no change")
		}
	})
}

func TestAlterColumnDoesAllOrNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int, taken int)")
	err := admin.AlterColumn(t.Context(), db, "t", "a", admin.ColumnChange{Type: "bigint", Comment: p("x"), Rename: "taken"})
	if sqlState(err) != "42701" {
		t.Errorf("error = %v", err)
	}
	if c := must(admin.TableInfo(t.Context(), db, "t"))(t)[0]; c.Type != "integer" || c.Comment != "" {
		t.Errorf("column = %+v", c)
	}
}

func TestAlterTable(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	role := createRole(t, db, admin.RoleOptions{})
	ctx := t.Context()
	mustExec(t, db, "create schema old", `create schema "New"`, "create table old.t (a int)")
	err := admin.AlterTable(ctx, db, "old.t", admin.TableChange{Owner: role, Unlogged: p(true), With: map[string]string{"fillfactor": "70", "toast.autovacuum_enabled": "off"}, Comment: p("moved"), Schema: "New", Rename: "n t"})
	if err != nil {
		t.Fatal(err)
	}
	d := must(admin.DescribeTable(ctx, db, `New."n t"`))(t).Table
	if d.Owner != role || d.Persistence != "unlogged" || d.Comment != "moved" {
		t.Errorf("table = %+v", d)
	}
	if got := word(t, db, `select reloptions from pg_class where oid = '"New"."n t"'::regclass`); got != "{fillfactor=70}" {
		t.Errorf("options = %s", got)
	}
	if err := admin.AlterTable(ctx, db, `New."n t"`, admin.TableChange{Reset: []string{"fillfactor"}, Unlogged: p(false), Comment: p("")}); err != nil {
		t.Error(err)
	}
	if got := word(t, db, `select reloptions from pg_class where oid = '"New"."n t"'::regclass`); got != "" {
		t.Errorf("options = %s", got)
	}
	if err := admin.AlterTable(ctx, db, "x", admin.TableChange{}); err == nil {
		t.Error("no error for no change")
	}
}

func TestCommentOn(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, `create table t (a int constraint c check (true))`, "create view v as select 1 as x", "create function f(int) returns int language sql as 'select 1'", "create sequence s", "create domain d as int", "create materialized view m as select 1 as x")
	const text = `it's a \ "comment" %s $1 🐘`
	for _, object := range []admin.Objects{
		admin.Tables("t"), admin.TableColumn("public.t", "a"), admin.TableConstraint("t", "c"), admin.Views("v"), admin.Functions("f(int)"), admin.Routines("f"),
		admin.Sequences("s"), admin.Domains("d"), admin.Schemas("public"), admin.MaterializedViews("m"), admin.TableColumn("v", "x"), admin.Types("d"), admin.Extensions("plpgsql"), admin.Languages("sql"),
	} {
		if err := admin.CommentOn(ctx, db, object, text); err != nil {
			t.Error(err)
		}
	}
	if n := word(t, db, "select count(*) from pg_description where description = $1", text); n != "12" { // f and d are commented twice
		t.Errorf("%s comments", n)
	}
	if err := admin.CommentOn(ctx, db, admin.Tables("t"), ""); err != nil {
		t.Error(err)
	}
	if got := word(t, db, "select obj_description('t'::regclass)"); got != "" {
		t.Errorf("comment = %q", got)
	}
	for _, object := range []admin.Objects{{}, admin.Tables(), admin.Tables("t", "v"), admin.AllTables("public"), admin.Tables("a.b.c"), admin.Functions("f(int"), admin.Functions("f(int;)")} {
		if err := admin.CommentOn(ctx, db, object, text); err == nil || sqlState(err) != "" {
			t.Errorf("comment on %s: %v", object, err)
		}
	}
	for _, comment := range []string{"a\x00b", "\xff"} {
		if err := admin.CommentOn(ctx, db, admin.Tables("t"), comment); err == nil || sqlState(err) != "" {
			t.Errorf("comment %q: %v", comment, err)
		}
	}
}
