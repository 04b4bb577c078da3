package admin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

func TestConstraints(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		mustExec(t, q, "create schema app", "create table app.users (id int, zone int)", `create table orders (n int, "user id" int, zone int, price int, during int4range)`, "create unique index waiting on orders (price)")
		add := func(want string) func(string, bool, error) {
			return func(name string, added bool, err error) {
				t.Helper()
				if err != nil || name != want || !added {
					t.Errorf("%q, %t, %v; want %q", name, added, err, want)
				}
			}
		}
		add("users_pkey")(admin.AddPrimaryKey(ctx, q, "app.users", []string{"zone", "id"}, admin.ConstraintOptions{}))
		add("orders_pkey")(admin.AddPrimaryKey(ctx, q, "orders", []string{"n"}, admin.ConstraintOptions{}))
		add("orders_user id_zone_fkey")(admin.AddForeignKey(ctx, q, "orders", []string{"user id", "zone"},
			admin.Reference{Table: "app.users", Columns: []string{"id", "zone"}, OnDelete: admin.Cascade, OnUpdate: admin.SetNull, InitiallyDeferred: true}, admin.ConstraintOptions{NotValid: true}))
	})
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, "create schema app", "create table app.users (id int, zone int, unique (id, zone))", `create table orders (n int, "user id" int, zone int, price int, during int4range)`, "create unique index waiting on orders (price)")
	if _, _, err := admin.AddPrimaryKey(ctx, db, "orders", []string{"n"}, admin.ConstraintOptions{}); err != nil {
		t.Error(err)
	}
	_, _, err := admin.AddForeignKey(ctx, db, "orders", []string{"user id", "zone"},
		admin.Reference{Table: "app.users", Columns: []string{"id", "zone"}, OnDelete: admin.Cascade, OnUpdate: admin.SetNull, InitiallyDeferred: true}, admin.ConstraintOptions{NotValid: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := admin.AddUnique(ctx, db, "orders", nil, admin.ConstraintOptions{Name: "price once", UsingIndex: "waiting"}); err != nil {
		t.Error(err)
	}
	if _, _, err := admin.AddCheck(ctx, db, "orders", "price > 0", admin.ConstraintOptions{}); err != nil {
		t.Error(err)
	}
	if _, added, err := admin.AddCheck(ctx, db, "orders", "price > 0", admin.ConstraintOptions{IfNotExists: true}); err != nil || added {
		t.Errorf("AddCheck again: %t, %v", added, err)
	}
	if _, _, err := admin.AddCheck(ctx, db, "orders", "price > 0", admin.ConstraintOptions{}); sqlState(err) != "42710" {
		t.Errorf("AddCheck strictly: %v", err)
	}
	mustExec(t, db, "alter table orders add constraint x exclude using gist (during with &&)", "comment on constraint x on orders is 'no two at a time'")
	byName := make(map[string]admin.Constraint)
	for _, c := range must(admin.ListConstraints(ctx, db, "orders"))(t) {
		byName[c.Name] = c
	}
	fk := byName["orders_user id_zone_fkey"]
	if fk.Kind != admin.ForeignKeyConstraint || !slices.Equal(fk.Columns, []string{"user id", "zone"}) || fk.RefSchema != "app" || fk.RefTable != "users" || !slices.Equal(fk.RefColumns, []string{"id", "zone"}) ||
		fk.OnDelete != admin.Cascade || fk.OnUpdate != admin.SetNull || !fk.Deferrable || !fk.InitiallyDeferred || fk.Validated || !strings.HasPrefix(fk.Definition, "FOREIGN KEY") {
		t.Errorf("foreign key = %+v", fk)
	}
	if c := byName["price once"]; c.Kind != admin.UniqueConstraint || !slices.Equal(c.Columns, []string{"price"}) || !c.Validated || c.OnDelete != "" {
		t.Errorf("unique = %+v", c)
	}
	if c := byName["orders_check"]; c.Kind != admin.CheckConstraint || c.Definition != "CHECK (price > 0)" {
		t.Errorf("check = %+v", c)
	}
	if c := byName["x"]; c.Kind != admin.ExclusionConstraint || c.Comment != "no two at a time" {
		t.Errorf("exclusion = %+v", c)
	}
	if err := admin.ValidateConstraint(ctx, db, "orders", "orders_user id_zone_fkey"); err != nil {
		t.Error(err)
	}
	if keys := must(admin.ForeignKeys(ctx, db, "orders"))(t); len(keys) != 1 || !keys[0].Validated {
		t.Errorf("foreign keys = %+v", keys)
	}
	if key := must(admin.PrimaryKey(ctx, db, "orders"))(t); !slices.Equal(key, []string{"n"}) {
		t.Errorf("primary key = %v", key)
	}
	if key := must(admin.PrimaryKey(ctx, db, "app.users"))(t); key != nil {
		t.Errorf("primary key of a table without one = %v", key)
	}
	verdict(t, "DropConstraint", true)(admin.DropConstraint(ctx, db, "orders", "x", admin.DropOptions{}))
	verdict(t, "DropConstraint of none", false)(admin.DropConstraint(ctx, db, "orders", "x", admin.DropOptions{}))
}

func TestPrimaryKeyInItsOrder(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int, b int, c int, primary key (c, a))")
	if key := must(admin.PrimaryKey(t.Context(), db, "t"))(t); !slices.Equal(key, []string{"c", "a"}) {
		t.Errorf("key = %v", key)
	}
}
