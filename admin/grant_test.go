package admin_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// short is a grant in one line.
func short(g admin.RoleGrant) string {
	text := g.Privilege + " " + g.Kind + " " + g.Schema + "." + g.Name
	if g.Column != "" {
		text += "(" + g.Column + ")"
	}
	if g.Grantable {
		text += " *"
	}
	return text
}

func shorts(grants []admin.RoleGrant) (all []string) {
	for _, g := range grants {
		all = append(all, short(g))
	}
	slices.Sort(all)
	return all
}

func TestGrants(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		db := openDB(t)
		role := createRole(t, db, admin.RoleOptions{})
		mustExec(t, q, "create schema app", "create table app.orders (id int, name text)", `create table app."Odd.one" (a int)`, "create sequence app.s", "create view app.v as select 1 as x")
		for _, grant := range []struct {
			privileges string
			on         admin.Objects
			o          admin.GrantOptions
		}{
			{"select", admin.Tables("app.orders"), admin.GrantOptions{}},
			{"INSERT,UPDATE", admin.Tables("app.orders"), admin.GrantOptions{WithGrantOption: true}},
			{"select (a), update (a)", admin.Tables(`app."Odd.one"`), admin.GrantOptions{}},
			{"usage", admin.Schemas("app"), admin.GrantOptions{GrantedBy: admin.CurrentUser}},
			{"all", admin.Sequences("app.s"), admin.GrantOptions{}},
			{"select", admin.Tables("app.v"), admin.GrantOptions{}},
		} {
			if err := admin.Grant(ctx, q, grant.privileges, grant.on, role, grant.o); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{
			"INSERT table app.orders *", "SELECT column app.Odd.one(a)", "SELECT sequence app.s", "SELECT table app.orders", "SELECT view app.v", "UPDATE column app.Odd.one(a)", "UPDATE sequence app.s", "UPDATE table app.orders *",
			"USAGE schema .app", "USAGE sequence app.s",
		}
		got := must(admin.ListRoleGrants(ctx, q, role, admin.ListOptions{}))(t)
		if !slices.Equal(shorts(got), want) {
			t.Errorf("grants =\n%s\nwant\n%s", strings.Join(shorts(got), "\n"), strings.Join(want, "\n"))
		}
		if got[0].Grantee != role || got[0].Grantor == "" || got[0].Owner {
			t.Errorf("grant = %+v", got[0])
		}
		if err := admin.Revoke(ctx, q, "update", admin.Tables("app.orders"), role, admin.RevokeOptions{GrantOptionFor: true}); err != nil {
			t.Error(err)
		}
		if err := admin.Revoke(ctx, q, "insert, delete", admin.Tables("app.orders"), role, admin.RevokeOptions{}); err != nil {
			t.Error(err)
		}
		var on []string
		for _, g := range must(admin.ListTableGrants(ctx, q, "app.orders"))(t) {
			if !g.Owner {
				on = append(on, short(g)+" to "+g.Grantee)
			}
		}
		if want := []string{"SELECT table app.orders to " + role, "UPDATE table app.orders to " + role}; !slices.Equal(on, want) {
			t.Errorf("grants on orders = %v, want %v", on, want)
		}
		if g := must(admin.ListTableGrants(ctx, q, `app."Odd.one"`))(t); !slices.ContainsFunc(g, func(g admin.RoleGrant) bool { return g.Column == "a" && g.Grantee == role }) {
			t.Errorf("grants on columns = %+v", g)
		}
		if err := admin.Revoke(ctx, q, "all", admin.AllTables("app"), role, admin.RevokeOptions{}); err != nil {
			t.Error(err)
		}
		if err := admin.Grant(ctx, q, "select, insert", admin.AllTables("app"), role, admin.GrantOptions{}); err != nil {
			t.Error(err)
		}
		got = must(admin.ListRoleGrants(ctx, q, role, admin.ListOptions{}))(t)
		if n := len(got); n != 2*3+1+3 {
			t.Errorf("%d grants: %v", n, shorts(got))
		}
		mustExec(t, q, "drop owned by "+role)
	})
}

func TestGrantsOnEveryKindOfObject(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	role := createRole(t, db, admin.RoleOptions{})
	mustExec(t, db, "create function f(int, text[]) returns int language sql as 'select 1'", "create procedure pr() language sql as ''", "create type mood as enum ('a')", "create domain dom as int", "create foreign data wrapper w", "create server srv foreign data wrapper w",
		"create materialized view m as select 1 as x", "create foreign table ft (a int) server srv", "create aggregate agg(int) (sfunc = int4pl, stype = int)")
	lob := word(t, db, "select lo_create(0)")
	oid, _ := strconv.ParseUint(lob, 10, 32)
	database := word(t, db, "select current_database()")
	for _, grant := range []struct {
		privileges string
		on         admin.Objects
		want       string
	}{
		{"execute", admin.Functions("public.f(int, text[])"), `EXECUTE function public.f(integer, text[])`},
		{"execute", admin.Procedures("pr"), "EXECUTE procedure public.pr()"},
		{"execute", admin.Routines("agg(int)"), "EXECUTE function public.agg(integer)"},
		{"usage", admin.Types("mood"), "USAGE type public.mood"},
		{"usage", admin.Domains("dom"), "USAGE domain public.dom"},
		{"usage", admin.ForeignDataWrappers("w"), "USAGE foreign data wrapper .w"},
		{"usage", admin.ForeignServers("srv"), "USAGE foreign server .srv"},
		{"usage", admin.Languages("sql"), ""},
		{"select, update", admin.LargeObjects(uint32(oid)), "SELECT large object ." + lob},
		{"temp, connect", admin.Databases(database), "TEMPORARY database ." + database},
		{"select", admin.MaterializedViews("m"), "SELECT materialized view public.m"},
		{"select", admin.Tables("ft"), "SELECT foreign table public.ft"},
		{"execute", admin.AllFunctions("public"), ""},
		{"execute", admin.AllProcedures("public"), ""},
		{"execute", admin.AllRoutines("public"), ""},
		{"all", admin.AllSequences("public"), ""},
	} {
		if err := admin.Grant(ctx, db, grant.privileges, grant.on, role, admin.GrantOptions{}); err != nil {
			t.Error(err)
			continue
		}
		got := shorts(must(admin.ListRoleGrants(ctx, db, role, admin.ListOptions{}))(t))
		if grant.want != "" && !slices.Contains(got, grant.want) {
			t.Errorf("%s is not among %v", grant.want, got)
		}
		if err := admin.Revoke(ctx, db, "all", grant.on, role, admin.RevokeOptions{}); err != nil {
			t.Error(err)
		}
	}
	if got := must(admin.ListRoleGrants(ctx, db, role, admin.ListOptions{}))(t); len(got) != 0 {
		t.Errorf("left: %v", shorts(got))
	}
}

func TestGrantsOnParameters(t *testing.T) {
	t.Parallel()
	sqltest.MinVersion(t, 15)
	db := openDB(t)
	role := createRole(t, db, admin.RoleOptions{})
	if err := admin.Grant(t.Context(), db, "set, alter system", admin.Parameters("work_mem", "my.var"), role, admin.GrantOptions{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"ALTER SYSTEM parameter .my.var", "ALTER SYSTEM parameter .work_mem", "SET parameter .my.var", "SET parameter .work_mem"}
	if got := shorts(must(admin.ListRoleGrants(t.Context(), db, role, admin.ListOptions{}))(t)); !slices.Equal(got, want) {
		t.Errorf("grants = %v", got)
	}
}

func TestPublicAndTheCurrentUserAreKeywords(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	owner := createRole(t, db, admin.RoleOptions{})
	mustExec(t, db, "create table t (a int)", "create table u (a int)", "alter table u owner to "+owner)
	if err := admin.Grant(ctx, db, "select", admin.Tables("t"), admin.Public, admin.GrantOptions{}); err != nil {
		t.Fatal(err)
	}
	got := shorts(must(admin.ListRoleGrants(ctx, db, admin.Public, admin.ListOptions{}))(t))
	if !slices.Contains(got, "SELECT table public.t") {
		t.Errorf("grants of everyone = %v", got)
	}
	if grants := must(admin.ListTableGrants(ctx, db, "t"))(t); !slices.ContainsFunc(grants, func(g admin.RoleGrant) bool { return g.Grantee == admin.Public }) {
		t.Errorf("grants on t = %+v", grants)
	}
	if grants := must(admin.ListRoleGrants(ctx, db, owner, admin.ListOptions{}))(t); len(grants) < 7 || !grants[0].Owner {
		t.Errorf("what an owner has = %+v", grants)
	}
	for _, keyword := range []string{admin.CurrentUser, admin.SessionUser, admin.CurrentRole} {
		if err := admin.Grant(ctx, db, "select", admin.Tables("u"), keyword, admin.GrantOptions{}); err != nil {
			t.Error(err)
		}
	}
	err := admin.Grant(ctx, db, "select", admin.Tables("t"), "CURRENT_USER", admin.GrantOptions{})
	if sqlState(err) != "42704" || !strings.Contains(err.Error(), "admin.CurrentUser") {
		t.Errorf("Grant to a role named as the keyword: %v", err)
	}
	if _, err := admin.ListRoleGrants(ctx, db, "nobody of admin", admin.ListOptions{}); !errors.Is(err, admin.ErrRoleNotFound) {
		t.Errorf("grants of no role: %v", err)
	}
}

func TestPrivilegesThatAreNone(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int)")
	for _, privileges := range []string{"", "selec", "select, ", "select on y to public; --", "select (a) x", "select ()", "all privileges now", "select (a"} {
		if err := admin.Grant(t.Context(), db, privileges, admin.Tables("t"), admin.Public, admin.GrantOptions{}); err == nil || sqlState(err) != "" || !strings.Contains(err.Error(), strconv.Quote(privileges)) {
			t.Errorf("Grant(%q): %v", privileges, err)
		}
	}
	for _, on := range []admin.Objects{{}, admin.Tables(), admin.Indexes("i"), admin.Roles("r"), admin.TableColumn("t", "a")} {
		if err := admin.Grant(t.Context(), db, "select", on, admin.Public, admin.GrantOptions{}); err == nil || sqlState(err) != "" {
			t.Errorf("Grant on %s: %v", on, err)
		}
	}
	if err := admin.Grant(t.Context(), db, "execute", admin.Tables("t"), admin.Public, admin.GrantOptions{}); sqlState(err) != "0LP01" {
		t.Errorf("Grant of EXECUTE on a table: %v", err)
	}
}

func TestDefaultPrivileges(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		role := createRole(t, openDB(t), admin.RoleOptions{})
		mustExec(t, q, "create schema app")
		if err := admin.GrantDefault(ctx, q, "select, insert", admin.FutureTables, role, admin.DefaultOptions{Schemas: []string{"app"}, Creators: []string{admin.CurrentUser}, WithGrantOption: true}); err != nil {
			t.Fatal(err)
		}
		if err := admin.RevokeDefault(ctx, q, "execute", admin.FutureFunctions, admin.Public, admin.DefaultOptions{}); err != nil {
			t.Fatal(err)
		}
		mustExec(t, q, "create table app.t ()", "create table outside ()", "create function app.f() returns int language sql as 'select 1'")
		if got := shorts(must(admin.ListRoleGrants(ctx, q, role, admin.ListOptions{}))(t)); !slices.Equal(got, []string{"INSERT table app.t *", "SELECT table app.t *"}) {
			t.Errorf("grants = %v", got)
		}
		if got := shorts(must(admin.ListRoleGrants(ctx, q, admin.Public, admin.ListOptions{}))(t)); slices.Contains(got, "EXECUTE function app.f()") {
			t.Errorf("grants of everyone = %v", got)
		}
		grants := must(admin.ListDefaultGrants(ctx, q))(t)
		if !slices.ContainsFunc(grants, func(g admin.DefaultGrant) bool {
			return g.Schema == "app" && g.Objects == admin.FutureTables && g.Grantee == role && g.Privilege == "INSERT" && g.Grantable && g.Creator != ""
		}) {
			t.Errorf("default privileges = %+v", grants)
		}
		if err := admin.RevokeDefault(ctx, q, "all", admin.FutureTables, role, admin.DefaultOptions{Schemas: []string{"app"}}); err != nil {
			t.Error(err)
		}
		if err := admin.GrantDefault(ctx, q, "select", "indexes", role, admin.DefaultOptions{}); err == nil || sqlState(err) != "" {
			t.Errorf("GrantDefault on indexes: %v", err)
		}
		mustExec(t, q, "drop owned by "+role)
	})
}
