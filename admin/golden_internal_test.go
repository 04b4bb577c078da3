package admin

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/statements.sql anew")

// statement is a statement of a builder and what it should be called in the golden file.
type statement struct {
	name string
	text string
	err  error
}

// both shows a change as it is seen and, where that differs, as it is sent.
func both(name string, ch change, err error) statement {
	text := ch.text
	if ch.strict != ch.text {
		text += "\n" + ch.strict
	}
	return statement{name, text, err}
}

func text(name, sql string, err error) statement { return statement{name, sql, err} }

// named is both for builders that return a name as well.
func named(title, name string, ch change, err error) statement {
	return both(title+" → "+name, ch, err)
}

const evil = `x"; DROP TABLE y; --`

func p[T any](v T) *T { return &v }

func TestStatements(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, group := range [][]statement{schemaStatements(), tableStatements(), alterStatements(), indexStatements(), constraintStatements(), viewStatements(), roleStatements(), grantStatements(), databaseStatements()} {
		for _, s := range group {
			if s.err != nil {
				t.Errorf("%s: %v", s.name, s.err)
			}
			b.WriteString("-- " + s.name + "\n" + s.text + "\n\n")
		}
	}
	const golden = "testdata/statements.sql"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n\n"), strings.Split(string(want), "\n\n")
	for i := range max(len(got), len(wanted)) {
		switch {
		case i >= len(got):
			t.Errorf("missing:\n%s", wanted[i])
		case i >= len(wanted):
			t.Errorf("new (-update takes it):\n%s", got[i])
		case got[i] != wanted[i]:
			t.Errorf("got:\n%s\nwant:\n%s", got[i], wanted[i])
		}
	}
}

func schemaStatements() []statement {
	ch1, err1 := createSchema("app", SchemaOptions{})
	ch2, err2 := createSchema(evil, SchemaOptions{IfNotExists: true, Owner: CurrentUser})
	ch3, err3 := dropSchema("App.x", DropOptions{Cascade: true})
	ch4, err4 := createExtension("uuid-ossp", ExtensionOptions{IfNotExists: true, Schema: "ext", Version: "1.1", Cascade: true})
	t5, err5 := updateExtension("uuid-ossp", "1.1")
	t6, err6 := updateExtension("postgis", "")
	ch7, err7 := dropNamed("extension", "uuid-ossp", extensionQuestion, DropOptions{})
	t8, err8 := commentOn(TableColumn("app.users", "user name"), `it's a \ path`)
	t9, err9 := commentOn(Functions(`app.f(int, text[])`), "")
	t10, err10 := commentOn(TableConstraint("users", evil), "x")
	ch11, err11 := createSequence("app.s", SequenceOptions{IfNotExists: true, Type: "integer", Start: p[int64](5), Min: p[int64](-1), Max: p[int64](9), Increment: 2, Cache: 3, Cycle: true, OwnedByTable: "app.t", OwnedByColumn: "id"})
	ch12, err12 := dropRelation("sequence", "s", DropOptions{})
	return []statement{
		both("create schema", ch1, err1), both("create schema, all options", ch2, err2), both("drop schema", ch3, err3),
		both("create extension", ch4, err4), text("update extension to", t5, err5), text("update extension", t6, err6), both("drop extension", ch7, err7),
		text("comment on column", t8, err8), text("remove a comment on a function", t9, err9), text("comment on constraint", t10, err10),
		both("create sequence", ch11, err11), both("drop sequence", ch12, err12),
	}
}

func tableStatements() []statement {
	ch1, err1 := createTable("products", []ColumnDef{{Name: "id", Type: "SERIAL PRIMARY KEY"}, {Name: "name", Type: "TEXT NOT NULL"}, {Name: "price", Type: "DECIMAL(10,2)"}}, TableOptions{})
	ch2, err2 := createTable(`app."odd.name"`, []ColumnDef{
		{Name: "id", Type: "bigint", Identity: IdentityAlways, PrimaryKey: true, Comment: "who it is"},
		{Name: evil, Type: "text", Collation: "C", NotNull: true, Default: "'a;b'", Unique: true, Check: "true"},
		{Name: "owner", Type: "bigint", References: &Reference{Table: "users", Columns: []string{"id"}, OnDelete: SetNull, OnUpdate: Cascade, InitiallyDeferred: true}},
		{Name: "twice", Type: "bigint", Generated: "id * 2"},
	}, TableOptions{
		IfNotExists: true, Unlogged: true, Unique: [][]string{{"owner", "twice"}}, Checks: []string{"id > 0"}, Constraints: []string{"exclude using gist (during with &&)"},
		ForeignKeys: []ForeignKey{{Name: "fk", Columns: []string{"a", "b"}, Reference: Reference{Table: "other", Deferrable: true}}},
		PartitionBy: "range (id)", With: map[string]string{"fillfactor": "70", "autovacuum_enabled": "off"}, Tablespace: "fast", Comment: "it's odd",
	})
	ch3, err3 := createTable("p1", nil, TableOptions{PartitionOf: "p", Values: "from (1) to (2)", IfNotExists: true})
	ch4, err4 := createTable("pd", nil, TableOptions{PartitionOf: "p", PrimaryKey: []string{"id"}})
	ch5, err5 := createTable("tmp", []ColumnDef{{Name: "a", Type: "int"}}, TableOptions{Temporary: true, PrimaryKey: []string{"a"}})
	ch6, err6 := dropRelation("table", evil2, DropOptions{Cascade: true})
	t7, err7 := truncate([]string{"a", "app.b"}, TruncateOptions{RestartIdentity: true, Cascade: true})
	t8, err8 := truncate([]string{"a", "b"}, TruncateOptions{Only: true})
	return []statement{
		both("create table of Python's documentation", ch1, err1), both("create table, all options", ch2, err2),
		both("create partition", ch3, err3), both("create default partition", ch4, err4), both("create temporary table", ch5, err5),
		both("drop table", ch6, err6), text("truncate", t7, err7), text("truncate only", t8, err8),
	}
}

const evil2 = `"x""; DROP TABLE y; --"`

func alterStatements() []statement {
	ch1, err1 := addColumn("t", ColumnDef{Name: "c", Type: "int", NotNull: true, Default: "0", Comment: "new"}, AddColumnOptions{IfNotExists: true})
	ch2, err2 := dropPart("t", "column", "c", columnQuestion, DropOptions{Cascade: true})
	t3, err3 := alterColumn("t", "c", ColumnChange{Type: "numeric(10,2)", Using: "c::numeric", Default: p("0"), NotNull: p(true), Statistics: p(500), Comment: p("x"), Rename: "d"})
	t4, err4 := alterColumn("t", "c", ColumnChange{Default: p(""), NotNull: p(false), Identity: p(Identity("")), Comment: p("")})
	t5, err5 := alterColumn("t", "c", ColumnChange{Type: "text", Collation: "C", Identity: p(IdentityByDefault)})
	t6, err6 := alterColumn("t", "c", ColumnChange{SwitchIdentity: IdentityAlways})
	t7, err7 := alterTable("app.t", TableChange{Owner: SessionUser, Tablespace: "fast", Unlogged: p(true), With: map[string]string{"fillfactor": "70"}, Reset: []string{"toast.autovacuum_enabled"}, Comment: p("x"), Schema: "New", Rename: "n"})
	t8, err8 := renameText("index", "app.i", "j")
	return []statement{
		both("add column", ch1, err1), both("drop column", ch2, err2), text("alter column", t3, err3), text("alter column, take away", t4, err4),
		text("alter column, identity", t5, err5), text("alter column, other identity", t6, err6), text("alter table", t7, err7), text("rename index", t8, err8),
	}
}

func indexStatements() []statement {
	n1, ch1, err1 := createIndex("products", Keys("name"), IndexOptions{Unique: true})
	n2, ch2, err2 := createIndex("app.users", []IndexKey{Expr("lower(email)"), Desc("at"), {Column: "n", NullsFirst: true, OpClass: "public.ops", Collation: "C"}}, IndexOptions{
		IfNotExists: true, Method: "btree", Unique: true, NullsNotDistinct: true, Where: "active", Include: []string{"id"}, With: map[string]string{"fillfactor": "70"}, Tablespace: "fast", Only: true,
	})
	n3, ch3, err3 := createIndex("docs", []IndexKey{{Column: "doc", OpClass: "jsonb_path_ops"}}, IndexOptions{Name: "docs gin", Method: "gin"})
	b4, err4 := createIndexConcurrently("t", Keys("a", "b"), IndexOptions{IfNotExists: true})
	ch5, err5 := dropRelation("index", "app.i", DropOptions{Cascade: true})
	ch6, err6 := dropIndexConcurrently("products_name_idx")
	n7, ch7, err7 := createIndex(strings.Repeat("t", 63), Keys(strings.Repeat("é", 30)), IndexOptions{})
	return []statement{
		named("create index", n1, ch1, err1), named("create index, all options", n2, ch2, err2), named("create index, operator class", n3, ch3, err3),
		named("create index concurrently", b4.index, b4.change, err4), both("drop index", ch5, err5), both("drop index concurrently", ch6, err6), named("create index, long names", n7, ch7, err7),
	}
}

func constraintStatements() []statement {
	key := func(clause string, columns []string, o ConstraintOptions, label string) (string, change, error) {
		text, err := o.key(clause, columns)
		if err != nil {
			return "", change{}, err
		}
		return newConstraint("app.t", o, label, columns, text)
	}
	n1, ch1, err1 := key("primary key", []string{"a", "b"}, ConstraintOptions{Name: "key of t", Include: []string{"c"}, InitiallyDeferred: true}, "pkey")
	n2, ch2, err2 := key("unique", nil, ConstraintOptions{Name: "u", UsingIndex: "i", IfNotExists: true, Deferrable: true}, "key")
	n3, ch3, err3 := key("unique", []string{"a"}, ConstraintOptions{NullsNotDistinct: true}, "key")
	fk, err4 := ForeignKey{Columns: []string{"a"}, Reference: Reference{Table: "users", OnDelete: Restrict}}.sql()
	n4, ch4, err := newConstraint("t", ConstraintOptions{NotValid: true}, "fkey", []string{"a"}, fk)
	t5, err5 := alterConstraint("t", "validate constraint ", "c")
	ch6, err6 := dropPart("t", "constraint", "c", constraintQuestion, DropOptions{})
	if err4 == nil {
		err4 = err
	}
	return []statement{
		named("add primary key", n1, ch1, err1), named("add unique using index", n2, ch2, err2), named("add unique", n3, ch3, err3),
		named("add foreign key", n4, ch4, err4), text("validate constraint", t5, err5), both("drop constraint", ch6, err6),
	}
}

func viewStatements() []statement {
	ch1, err1 := createView("app.v", "select 1", ViewOptions{Replace: true, Columns: []string{"a"}, SecurityInvoker: true, SecurityBarrier: true, CheckOption: "local"})
	ch2, err2 := createView("v", "select 1 /* one */", ViewOptions{IfNotExists: true, Temporary: true})
	ch3, err3 := createMaterializedView("m", "select 1", MaterializedViewOptions{IfNotExists: true, Columns: []string{"a"}, NoData: true, With: map[string]string{"fillfactor": "90"}, Tablespace: "fast"})
	t4, err4 := refresh("m", RefreshOptions{Concurrently: true})
	t5, err5 := refresh("m", RefreshOptions{NoData: true})
	ch6, err6 := dropRelation("materialized view", "m", DropOptions{})
	return []statement{
		both("create view", ch1, err1), both("create view if not exists", ch2, err2), both("create materialized view", ch3, err3),
		text("refresh concurrently", t4, err4), text("refresh without data", t5, err5), both("drop materialized view", ch6, err6),
	}
}

const testVerifier = "SCRAM-SHA-256$4096:AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func roleStatements() []statement {
	noon := time.Date(2030, 1, 2, 12, 0, 0, 0, time.FixedZone("", 3600))
	ch1, err1 := createRole("appuser", RoleOptions{Verifier: testVerifier, Login: true})
	ch2, err2 := createRole(evil, RoleOptions{
		IfNotExists: true, Superuser: true, CreateDB: true, CreateRole: true, Replication: true, BypassRLS: true, NoInherit: true, ConnLimit: p(3), ValidUntil: noon,
		MemberOf: []string{"a", "B"}, Members: []string{"c"}, Admins: []string{CurrentUser}, Settings: map[string]string{"search_path": `app, "$user", "odd,one"`, "work_mem": "64MB", "my.var": ""}, Comment: "it's",
	})
	t3, err3 := alterRole("appuser", RoleChange{Rename: "other", Login: p(false), Inherit: p(true), ConnLimit: p(-1), ValidUntil: &time.Time{}, NoPassword: true, Settings: map[string]string{"work_mem": "1MB"}, Reset: []string{"my.var"}, Comment: p("")})
	t4, err4 := alterRole(CurrentUser, RoleChange{Verifier: testVerifier})
	ch5, err5 := dropRole("old_user", DropRoleOptions{})
	ch6, err6 := dropRole("old_user", DropRoleOptions{ReassignTo: CurrentUser})
	ch7, err7 := dropRole("old_user", DropRoleOptions{DropOwned: true})
	t8, err8 := grantRole("admin", "appuser", GrantRoleOptions{})
	t9, err9 := grantRole("admin", "appuser", GrantRoleOptions{WithAdmin: true, Inherit: p(false), Set: p(true), GrantedBy: CurrentRole})
	t10, err10 := revokeRole("admin", "appuser", RevokeRoleOptions{AdminOption: true, Cascade: true, GrantedBy: "boss"})
	t11, err11 := revokeRole("admin", CurrentUser, RevokeRoleOptions{})
	return []statement{
		both("create role", ch1, err1), both("create role, all options", ch2, err2), text("alter role", t3, err3), text("alter role, password", t4, err4),
		both("drop role", ch5, err5), both("drop role, reassign", ch6, err6), both("drop role, drop owned", ch7, err7),
		text("grant role", t8, err8), text("grant role, all options", t9, err9), text("revoke admin option", t10, err10), text("revoke role", t11, err11),
	}
}

func grantStatements() []statement {
	t1, err1 := grant("insert, update", Tables("orders"), "appuser", GrantOptions{})
	t2, err2 := grant(`SELECT (id, "odd, name"), Update (`+"a"+`)`, Tables("app.users", "Other"), Public, GrantOptions{WithGrantOption: true, GrantedBy: CurrentUser})
	t3, err3 := grant("all privileges", AllTables("app", evil), "r", GrantOptions{})
	t4, err4 := grant("execute", Functions(`app.f(int, numeric(10,2))`, "g", `"odd(name".h()`), SessionUser, GrantOptions{})
	t5, err5 := revoke("delete", Tables("users"), "appuser", RevokeOptions{})
	t6, err6 := revoke("usage", Schemas("app"), "r", RevokeOptions{GrantOptionFor: true, Cascade: true, GrantedBy: CurrentUser})
	statements := []statement{
		text("grant", t1, err1), text("grant on columns", t2, err2), text("grant on all tables", t3, err3), text("grant on functions", t4, err4),
		text("revoke", t5, err5), text("revoke grant option", t6, err6),
	}
	for _, on := range []Objects{
		Sequences("s"), Procedures("p()"), Routines("r"), Databases("d"), Types("t"), Domains("d"), Languages("sql"), LargeObjects(7, 8), Tablespaces("fast"),
		ForeignDataWrappers("w"), ForeignServers("s"), Parameters("work_mem", "my.var"), AllSequences("a"), AllFunctions("a"), AllProcedures("a"), AllRoutines("a"), Views("v"), MaterializedViews("m"),
	} {
		t, err := grant("all", on, "r", GrantOptions{})
		statements = append(statements, text("grant on "+on.String(), t, err))
	}
	t7, err7 := grantDefault("select", FutureTables, "r", DefaultOptions{Creators: []string{"a", CurrentUser}, Schemas: []string{"app"}, WithGrantOption: true})
	t8, err8 := revokeDefault("execute", FutureFunctions, Public, DefaultOptions{GrantOptionFor: true, Cascade: true})
	return append(statements, text("grant by default", t7, err7), text("revoke by default", t8, err8))
}

func databaseStatements() []statement {
	ch1, err1 := createDatabase("analytics", DatabaseOptions{Owner: "analyst"})
	ch2, err2 := createDatabase(evil, DatabaseOptions{
		IfNotExists: true, Template: "template0", Encoding: "UTF8", Locale: "C", Collate: "C", Ctype: "C", Provider: "icu", ICULocale: "en", Strategy: "file_copy",
		Tablespace: "fast", ConnLimit: p(5), IsTemplate: true, NoConnect: true,
	})
	ch3, err3 := dropDatabase("old_db", DropDatabaseOptions{})
	ch4, err4 := dropDatabase("old_db", DropDatabaseOptions{Force: true})
	t5, err5 := alterDatabase("db", DatabaseChange{Rename: "db2", Owner: "o", ConnLimit: p(0), AllowConnections: p(false), Template: p(true), Settings: map[string]string{"a": "1"}, Reset: []string{"b"}, Comment: p("x")})
	return []statement{
		both("create database", ch1, err1), both("create database, all options", ch2, err2), both("drop database", ch3, err3), both("drop database by force", ch4, err4),
		text("alter database", t5, err5),
	}
}
