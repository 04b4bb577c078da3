package admin_test

import (
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// roleOf is the role as ListRoles tells it.
func roleOf(t *testing.T, q ext.Querier, name string) admin.Role {
	t.Helper()
	all := must(admin.ListRoles(t.Context(), q, admin.ListOptions{}))(t)
	i := slices.IndexFunc(all, func(r admin.Role) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no role %s in %+v", name, all)
	}
	return all[i]
}

func TestRoles(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		db := openDB(t) // cleans up: q may be a transaction
		group, role := createRole(t, db, admin.RoleOptions{}), newRole(t, db)
		noon := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
		verdict(t, "CreateRole", true)(admin.CreateRole(ctx, q, role, admin.RoleOptions{
			Login: true, CreateDB: true, NoInherit: true, ConnLimit: p(3), ValidUntil: noon, Password: "secret123", MemberOf: []string{group},
			Settings: map[string]string{"work_mem": "1MB", "search_path": `app, "$user"`}, Comment: "it's mine",
		}))
		verdict(t, "CreateRole again", false)(admin.CreateRole(ctx, q, role, admin.RoleOptions{IfNotExists: true}))
		verdict(t, "RoleExists", true)(admin.RoleExists(ctx, q, role))
		verdict(t, "RoleExists in another case", false)(admin.RoleExists(ctx, q, strings.ToUpper(role)))
		r := roleOf(t, q, role)
		if !r.Login || !r.CreateDB || r.Superuser || r.CreateRole || r.Inherit || r.ConnLimit != 3 || r.ValidUntil == nil || !r.ValidUntil.Equal(noon) || !slices.Equal(r.MemberOf, []string{group}) ||
			!slices.Equal(r.Settings, []string{`search_path=app, "$user"`, "work_mem=1MB"}) || r.Comment != "it's mine" || r.System {
			t.Errorf("role = %+v", r)
		}
		err := admin.AlterRole(ctx, q, role, admin.RoleChange{
			Login: p(false), CreateDB: p(false), CreateRole: p(true), Inherit: p(true), ConnLimit: p(-1), ValidUntil: &time.Time{}, NoPassword: true,
			Settings: map[string]string{"work_mem": "2MB"}, Reset: []string{"search_path"}, Comment: p(""),
		})
		if err != nil {
			t.Fatal(err)
		}
		r = roleOf(t, q, role)
		if r.Login || r.CreateDB || !r.CreateRole || !r.Inherit || r.ConnLimit != -1 || r.ValidUntil != nil || !slices.Equal(r.Settings, []string{"work_mem=2MB"}) || r.Comment != "" {
			t.Errorf("role = %+v", r)
		}
		// A renaming and other changes happen together.
		if err := admin.AlterRole(ctx, q, role, admin.RoleChange{Rename: role + " 2", Login: p(true)}); err != nil {
			t.Fatal(err)
		}
		if r := roleOf(t, q, role+" 2"); !r.Login {
			t.Errorf("role = %+v", r)
		}
		verdict(t, "DropRole of the old name", false)(admin.DropRole(ctx, q, role, admin.DropRoleOptions{}))
		verdict(t, "DropRole", true)(admin.DropRole(ctx, q, role+" 2", admin.DropRoleOptions{}))
	})
}

func TestRolesOfPostgreSQL(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	role := "pgadmin_" + newRole(t, db)
	verdict(t, "CreateRole", true)(admin.CreateRole(ctx, db, role, admin.RoleOptions{}))
	defer admin.DropRole(ctx, db, role, admin.DropRoleOptions{})
	roleOf(t, db, role) // its name begins with pg, and it is listed
	for _, r := range must(admin.ListRoles(ctx, db, admin.ListOptions{}))(t) {
		if strings.HasPrefix(r.Name, "pg_") || r.System {
			t.Errorf("%+v is listed", r)
		}
	}
	all := must(admin.ListRoles(ctx, db, admin.ListOptions{System: true}))(t)
	if !slices.ContainsFunc(all, func(r admin.Role) bool { return r.Name == "pg_monitor" && r.System }) {
		t.Error("System leaves out pg_monitor")
	}
	for _, name := range []string{"pg_mine", "public", "none"} {
		if _, err := admin.CreateRole(ctx, db, name, admin.RoleOptions{}); !errors.Is(err, admin.ErrSystemObject) {
			t.Errorf("CreateRole(%s): %v", name, err)
		}
		if _, err := admin.DropRole(ctx, db, name, admin.DropRoleOptions{}); !errors.Is(err, admin.ErrSystemObject) {
			t.Errorf("DropRole(%s): %v", name, err)
		}
	}
}

func TestAKeywordIsNoNewRole(t *testing.T) {
	t.Parallel()
	db, ctx := openDB(t), t.Context()
	_, createErr := admin.CreateRole(ctx, db, admin.CurrentUser, admin.RoleOptions{})
	_, dropErr := admin.DropRole(ctx, db, admin.CurrentUser, admin.DropRoleOptions{})
	_, existsErr := admin.RoleExists(ctx, db, admin.CurrentUser)
	_, grantsErr := admin.ListRoleGrants(ctx, db, admin.CurrentUser, admin.ListOptions{})
	_, membersErr := admin.ListRoleMembers(ctx, db, admin.CurrentUser, admin.MembersOptions{})
	for what, err := range map[string]error{
		"CreateRole": createErr, "DropRole": dropErr, "RoleExists": existsErr, "ListRoleGrants": grantsErr, "ListRoleMembers": membersErr,
	} {
		if err == nil || !strings.Contains(err.Error(), `"current_user"`) || !strings.Contains(err.Error(), "keyword") {
			t.Errorf("%s: %v, want an error that names the keyword", what, err)
		}
	}
}

func TestAlterRoleDoesAllOrNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	role, other := createRole(t, db, admin.RoleOptions{}), createRole(t, db, admin.RoleOptions{})
	if err := admin.AlterRole(t.Context(), db, role, admin.RoleChange{Login: p(true), Rename: other}); sqlState(err) != "42710" {
		t.Errorf("error = %v", err)
	}
	if r := roleOf(t, db, role); r.Login {
		t.Errorf("role = %+v", r)
	}
	if err := admin.AlterRole(t.Context(), db, role, admin.RoleChange{}); err == nil {
		t.Error("no error for no change")
	}
}

func TestOddNamesOfRoles(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx := begin(t, db) // roles belong to the whole server: nobody else sees these
	ctx := t.Context()
	for _, name := range append([]string{"current_user", "CURRENT_USER", "session_user", "PUBLIC"}, oddNames...) {
		if name == "null" || name == "A" || name == "select" || name == "order" {
			name += " of admin"
		}
		verdict(t, "CreateRole "+name, true)(admin.CreateRole(ctx, tx, name, admin.RoleOptions{IfNotExists: true, Comment: name}))
		if got := word(t, tx, "select rolname from pg_roles where rolname = $1 and shobj_description(oid, 'pg_authid') = $1", name); got != name {
			t.Errorf("%q is %q in the catalog", name, got)
		}
		if err := admin.Grant(ctx, tx, "usage", admin.Schemas("public"), name, admin.GrantOptions{}); err != nil {
			t.Errorf("Grant to %q: %v", name, err)
		}
		verdict(t, "GrantRole "+name, true)(admin.GrantRole(ctx, tx, name, admin.CurrentUser, admin.GrantRoleOptions{}))
		verdict(t, "DropRole "+name, true)(admin.DropRole(ctx, tx, name, admin.DropRoleOptions{DropOwned: true}))
	}
	for _, name := range badNames {
		if _, err := admin.CreateRole(ctx, tx, name, admin.RoleOptions{}); err == nil || sqlState(err) != "" {
			t.Errorf("CreateRole(%q): %v", name, err)
		}
	}
}

func TestDropRoleWithWhatItOwns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	for name, o := range map[string]admin.DropRoleOptions{"reassign": {ReassignTo: admin.CurrentUser}, "drop": {DropOwned: true}, "both": {ReassignTo: "postgres", DropOwned: true}} {
		role := createRole(t, db, admin.RoleOptions{})
		table := "of_" + name
		mustExec(t, db, "create table "+table+" ()", "create table "+table+"_2 ()", "grant select on "+table+"_2 to "+role, "alter table "+table+" owner to "+role)
		if _, err := admin.DropRole(ctx, db, role, admin.DropRoleOptions{}); sqlState(err) != "2BP01" || !strings.Contains(err.Error(), "owner of table "+table) {
			t.Errorf("DropRole: %v", err)
		}
		verdict(t, "DropRole "+name, true)(admin.DropRole(ctx, db, role, o))
		verdict(t, "table of "+name, name != "drop")(admin.TableExists(ctx, db, table))
	}
}

// loginAs is a pool of a role with a password over TCP, where the server asks for it.
func loginAs(t *testing.T, in *sqltest.Instance, role, password string) *sql.DB {
	t.Helper()
	u, err := url.Parse(in.TCP(""))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, password)
	db, err := sql.Open("pycopg", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestPasswordsLogInAndAreInNoLog runs on a server that logs all statements.
func TestPasswordsLogInAndAreInNoLog(t *testing.T) {
	t.Parallel()
	sqltest.Server(t) // skips where there is none
	in, err := sqltest.Start(t.Context(), sqltest.StartOptions{Settings: map[string]string{"log_statement": "all", "log_min_duration_statement": "0", "log_min_messages": "debug1"}})
	if err != nil {
		t.Skip(err)
	}
	defer in.Close()
	db := must(sql.Open("pycopg", in.DSN("")))(t)
	defer db.Close()
	ctx := t.Context()
	passwords := []string{"clearly-visible-1", "clearly visible '2' \\ \"", "clearly-visible-ünï-3"}
	verdict(t, "CreateRole", true)(admin.CreateRole(ctx, db, "appuser", admin.RoleOptions{Login: true, Password: passwords[0]}))
	for i, password := range passwords {
		if i > 0 {
			if err := admin.AlterRole(ctx, db, "appuser", admin.RoleChange{Password: password}); err != nil {
				t.Fatal(err)
			}
		}
		login := loginAs(t, in, "appuser", password)
		if got := word(t, login, "select current_user"); got != "appuser" {
			t.Errorf("logged in as %s", got)
		}
		if err := loginAs(t, in, "appuser", password+"x").PingContext(ctx); sqlState(err) != "28P01" {
			t.Errorf("a wrong password: %v", err)
		}
	}
	// A user changes the own password, and a copy of a role has the same one.
	user := loginAs(t, in, "appuser", passwords[2])
	if err := admin.AlterRole(ctx, user, admin.CurrentUser, admin.RoleChange{Password: passwords[0]}); err != nil {
		t.Error(err)
	}
	verifier := word(t, db, "select rolpassword from pg_authid where rolname = 'appuser'")
	verdict(t, "CreateRole of a copy", true)(admin.CreateRole(ctx, db, "copy", admin.RoleOptions{Login: true, Verifier: verifier}))
	if err := loginAs(t, in, "copy", passwords[0]).PingContext(ctx); err != nil {
		t.Error(err)
	}
	// Statements that fail are logged too.
	if _, err := admin.CreateRole(ctx, db, "appuser", admin.RoleOptions{Password: passwords[0]}); sqlState(err) != "42710" || strings.Contains(err.Error(), "clearly") {
		t.Errorf("CreateRole of one that exists: %v", err)
	}
	if err := admin.AlterRole(ctx, db, "appuser", admin.RoleChange{NoPassword: true}); err != nil {
		t.Error(err)
	}
	if err := loginAs(t, in, "appuser", passwords[0]).PingContext(ctx); sqlState(err) != "28P01" {
		t.Errorf("login without a password: %v", err)
	}
	log := in.Log()
	if !strings.Contains(log, `create role "appuser"`) || !strings.Contains(log, "SCRAM-SHA-256$4096:") {
		t.Error("the log does not have the statements")
	}
	for _, part := range []string{"clearly-visible", "clearly visible"} {
		if i := strings.Index(log, part); i >= 0 {
			t.Errorf("the log shows a password: …%s", log[max(0, i-200):i])
		}
	}
}

func TestMemberships(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		db := openDB(t)
		group, middle, user := createRole(t, db, admin.RoleOptions{}), createRole(t, db, admin.RoleOptions{}), createRole(t, db, admin.RoleOptions{NoInherit: true})
		verdict(t, "GrantRole", true)(admin.GrantRole(ctx, q, group, middle, admin.GrantRoleOptions{}))
		verdict(t, "GrantRole again", false)(admin.GrantRole(ctx, q, group, middle, admin.GrantRoleOptions{}))
		verdict(t, "GrantRole with admin", true)(admin.GrantRole(ctx, q, group, middle, admin.GrantRoleOptions{WithAdmin: true}))
		verdict(t, "GrantRole below", true)(admin.GrantRole(ctx, q, middle, user, admin.GrantRoleOptions{}))
		members := must(admin.ListRoleMembers(ctx, q, group, admin.MembersOptions{}))(t)
		if len(members) != 1 || members[0].Name != middle || !members[0].Admin || !members[0].Inherit || !members[0].Set || members[0].Grantor == "" {
			t.Errorf("members = %+v", members)
		}
		members = must(admin.ListRoleMembers(ctx, q, group, admin.MembersOptions{Recursive: true}))(t)
		if len(members) != 2 || members[1].Name != user || members[1].Admin || members[1].Inherit || !slices.Equal(members[1].Path, []string{middle, user}) {
			t.Errorf("members = %+v", members)
		}
		if none := must(admin.ListRoleMembers(ctx, q, user, admin.MembersOptions{}))(t); none != nil {
			t.Errorf("members of a role without = %+v", none)
		}
		if _, err := admin.ListRoleMembers(ctx, q, "nobody of admin", admin.MembersOptions{}); !errors.Is(err, admin.ErrRoleNotFound) {
			t.Errorf("members of no role: %v", err)
		}
		verdict(t, "RevokeRole of the admin option", true)(admin.RevokeRole(ctx, q, group, middle, admin.RevokeRoleOptions{AdminOption: true}))
		verdict(t, "RevokeRole", true)(admin.RevokeRole(ctx, q, group, middle, admin.RevokeRoleOptions{}))
		verdict(t, "RevokeRole again", false)(admin.RevokeRole(ctx, q, group, middle, admin.RevokeRoleOptions{}))
		verdict(t, "RevokeRole of the current user", false)(admin.RevokeRole(ctx, q, group, admin.CurrentUser, admin.RevokeRoleOptions{}))
	})
}

func TestOptionsOfMemberships(t *testing.T) {
	t.Parallel()
	sqltest.MinVersion(t, 16)
	db := openDB(t)
	ctx := t.Context()
	group, user := createRole(t, db, admin.RoleOptions{}), createRole(t, db, admin.RoleOptions{})
	verdict(t, "GrantRole", true)(admin.GrantRole(ctx, db, group, user, admin.GrantRoleOptions{WithAdmin: true, Inherit: p(false), Set: p(false)}))
	if m := must(admin.ListRoleMembers(ctx, db, group, admin.MembersOptions{}))(t); len(m) != 1 || !m[0].Admin || m[0].Inherit || m[0].Set {
		t.Errorf("members = %+v", m)
	}
	verdict(t, "GrantRole with other options", true)(admin.GrantRole(ctx, db, group, user, admin.GrantRoleOptions{Inherit: p(true), Set: p(true)}))
	verdict(t, "RevokeRole of SET", true)(admin.RevokeRole(ctx, db, group, user, admin.RevokeRoleOptions{SetOption: true}))
	verdict(t, "RevokeRole of INHERIT", true)(admin.RevokeRole(ctx, db, group, user, admin.RevokeRoleOptions{InheritOption: true}))
	if m := must(admin.ListRoleMembers(ctx, db, group, admin.MembersOptions{}))(t); len(m) != 1 || !m[0].Admin || m[0].Inherit || m[0].Set {
		t.Errorf("members = %+v", m)
	}
	// What another role has granted stays.
	other := createRole(t, db, admin.RoleOptions{})
	verdict(t, "GrantRole by the member", true)(admin.GrantRole(ctx, db, group, other, admin.GrantRoleOptions{GrantedBy: user}))
	verdict(t, "RevokeRole of what another has granted", false)(admin.RevokeRole(ctx, db, group, other, admin.RevokeRoleOptions{}))
	verdict(t, "RevokeRole as the one who has granted it", true)(admin.RevokeRole(ctx, db, group, other, admin.RevokeRoleOptions{GrantedBy: user}))
}

func TestAUserWhoMayNotIsToldWhatItTakes(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	stranger := createRole(t, db, admin.RoleOptions{})
	conn := one(t, db)
	mustExec(t, conn, "set role "+stranger)
	defer mustExec(t, conn, "reset role")
	for what, err := range map[string]error{
		"CREATEDB":               second(admin.CreateDatabase(ctx, conn, "x of admin", admin.DatabaseOptions{})),
		"CREATEROLE":             second(admin.CreateRole(ctx, conn, "x of admin", admin.RoleOptions{IfNotExists: true})),
		"CREATE on the database": second(admin.CreateSchema(ctx, conn, "x", admin.SchemaOptions{})),
	} {
		if sqlState(err) != "42501" || !strings.Contains(err.Error(), what) {
			t.Errorf("error = %v, want one about %s", err, what)
		}
	}
}
