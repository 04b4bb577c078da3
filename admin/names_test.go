package admin_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

// oddNames are names that PostgreSQL can have.
var oddNames = []string{
	"order", "select", "MyTable", "user data", "app.users", "a'b", `a"b`, `x"; DROP TABLE y; --`, "a' OR '1'='1", "users; DROP TABLE users; --", "schéma", "日本語",
	"🐘", "%s", "$1", "a\\b", "tab\tand\nline", " ", "--", "/*", strings.Repeat("x", 63), strings.Repeat("é", 31), "(select 1)", "null", "A", `"`,
}

// badNames are names that it cannot have.
var badNames = []string{"", "a\x00b", strings.Repeat("x", 64), strings.Repeat("é", 32), "\xff"}

// objectCases create an object of a name, and say what the catalog holds of it.
var objectCases = []struct {
	kind   string
	create func(ctx context.Context, q ext.Querier, name string) error
	query  string // whose $1 is the name
	drop   func(ctx context.Context, q ext.Querier, name string) (bool, error)
}{
	{"schema", func(ctx context.Context, q ext.Querier, name string) error {
		return second(admin.CreateSchema(ctx, q, name, admin.SchemaOptions{IfNotExists: true}))
	}, "select nspname from pg_namespace where nspname = $1", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropSchema(ctx, q, name, admin.DropOptions{})
	}},
	{"table", func(ctx context.Context, q ext.Querier, name string) error {
		return second(admin.CreateTable(ctx, q, ext.QuoteName(name), nil, admin.TableOptions{IfNotExists: true, Comment: name}))
	}, "select relname from pg_class where relname = $1 and obj_description(oid) = $1", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropTable(ctx, q, ext.QuoteName(name), admin.DropOptions{})
	}},
	{"view", func(ctx context.Context, q ext.Querier, name string) error {
		return second(admin.CreateView(ctx, q, ext.QuoteName("public", name), "select 1", admin.ViewOptions{Columns: []string{name}}))
	}, "select attname from pg_attribute join pg_class c on c.oid = attrelid where relname = $1 and attname = $1", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropView(ctx, q, ext.QuoteName(name), admin.DropOptions{})
	}},
	{"sequence", func(ctx context.Context, q ext.Querier, name string) error {
		if err := second(admin.CreateSequence(ctx, q, ext.QuoteName(name), admin.SequenceOptions{IfNotExists: true})); err != nil {
			return err
		}
		return admin.SetSequence(ctx, q, ext.QuoteName(name), 7)
	}, "select relname from pg_class where relname = $1 and relkind = 'S'", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropSequence(ctx, q, ext.QuoteName(name), admin.DropOptions{})
	}},
	{"index", func(ctx context.Context, q ext.Querier, name string) error {
		return third(admin.CreateIndex(ctx, q, "item", admin.Keys("id"), admin.IndexOptions{Name: name, IfNotExists: true}))
	}, "select relname from pg_class where relname = $1 and relkind = 'i'", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropIndex(ctx, q, ext.QuoteName(name), admin.DropOptions{})
	}},
	{"column", func(ctx context.Context, q ext.Querier, name string) error {
		return second(admin.AddColumn(ctx, q, "item", admin.ColumnDef{Name: name, Type: "int", Comment: name}, admin.AddColumnOptions{IfNotExists: true}))
	}, "select attname from pg_attribute where attrelid = 'item'::regclass and attname = $1 and col_description(attrelid, attnum) = $1", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropColumn(ctx, q, "item", name, admin.DropOptions{})
	}},
	{"constraint", func(ctx context.Context, q ext.Querier, name string) error {
		return third(admin.AddCheck(ctx, q, "item", "id > 0", admin.ConstraintOptions{Name: name, IfNotExists: true}))
	}, "select conname from pg_constraint where conrelid = 'item'::regclass and conname = $1", func(ctx context.Context, q ext.Querier, name string) (bool, error) {
		return admin.DropConstraint(ctx, q, "item", name, admin.DropOptions{})
	}},
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	for _, object := range objectCases {
		t.Run(object.kind, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table item (id int)", "create table y ()", "create table users ()")
			before := word(t, db, "select count(*) from pg_class")
			for _, name := range oddNames {
				if err := object.create(t.Context(), db, name); err != nil {
					t.Errorf("create %q: %v", name, err)
					continue
				}
				if got := word(t, db, object.query, name); got != name {
					t.Errorf("%q is %q in the catalog", name, got)
				}
				verdict(t, "drop "+name, true)(object.drop(t.Context(), db, name))
				verdict(t, "drop again "+name, false)(object.drop(t.Context(), db, name))
			}
			if after := word(t, db, "select count(*) from pg_class"); after != before {
				t.Errorf("pg_class has %s rows, it had %s", after, before)
			}
		})
	}
}

func TestNamesThatPostgreSQLCannotHaveAreNotSent(t *testing.T) {
	t.Parallel()
	db, _, err := sqlmock.New() // it refuses whatever is sent
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, object := range objectCases {
		for _, name := range badNames {
			if name == "" && (object.kind == "index" || object.kind == "constraint") {
				continue // it means that the name is the server's choice
			}
			if err := object.create(t.Context(), db, name); err == nil || strings.Contains(err.Error(), "all expectations were already fulfilled") {
				t.Errorf("create %s %q: %v", object.kind, name, err)
			}
			if _, err := object.drop(t.Context(), db, name); err == nil || strings.Contains(err.Error(), "all expectations were already fulfilled") {
				t.Errorf("drop %s %q: %v", object.kind, name, err)
			}
		}
	}
}

// FuzzNames creates a table, a column and a comment of any name: the catalog holds them byte for byte, and nothing else has changed.
func FuzzNames(f *testing.F) {
	for _, name := range append(oddNames, badNames...) {
		f.Add(name)
	}
	db := openDB(f)
	mustExec(f, db, "create schema fuzz", "create table y ()")
	const count = "select count(*) from pg_class"
	f.Fuzz(func(t *testing.T, name string) {
		ctx := t.Context()
		table := ext.QuoteName("fuzz", name)
		before := word(t, db, count)
		_, err := admin.CreateTable(ctx, db, table, []admin.ColumnDef{{Name: name, Type: "int", Comment: name}}, admin.TableOptions{})
		if ext.CheckName(name) != nil {
			if err == nil {
				t.Fatalf("%q was accepted", name)
			}
			if after := word(t, db, count); after != before {
				t.Fatalf("%q: pg_class has %s rows, it had %s", name, after, before)
			}
			return
		}
		system := map[string]bool{"ctid": true, "xmin": true, "xmax": true, "cmin": true, "cmax": true, "tableoid": true}
		if system[name] {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if n := word(t, db, "select count(*) from pg_class where relname <> all (array['y']) and oid >= 16384 and relkind = 'r'"); n != "1" {
			t.Errorf("%q: %s tables", name, n)
		}
		got := word(t, db, "select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'fuzz'")
		columns := must(admin.TableInfo(ctx, db, table))(t)
		if got != name || len(columns) != 1 || columns[0].Name != name || columns[0].Comment != name || !utf8.ValidString(got) {
			t.Errorf("%q is %q with %+v in the catalog", name, got, columns)
		}
		verdict(t, "drop", true)(admin.DropTable(ctx, db, table, admin.DropOptions{}))
		if after := word(t, db, count); after != before {
			t.Errorf("%q: pg_class has %s rows, it had %s", name, after, before)
		}
	})
}

func TestRenames(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int constraint c check (true))", "create index i on t (a)")
	ctx := t.Context()
	for _, name := range oddNames {
		if err := admin.RenameIndex(ctx, db, "i", name); err != nil {
			t.Error(err)
		}
		if err := admin.RenameConstraint(ctx, db, "t", "c", name); err != nil {
			t.Error(err)
		}
		if err := admin.AlterColumn(ctx, db, "t", "a", admin.ColumnChange{Rename: name}); err != nil && name != "a" {
			t.Error(err)
		}
		got := word(t, db, "select indexrelid::regclass::text = quote_ident($1) and conname = $1 and attname = $1 from pg_index i join pg_constraint c on conrelid = indrelid join pg_attribute on attrelid = indrelid and attnum = 1 where indrelid = 't'::regclass", name)
		if got != "true" {
			t.Errorf("%q: %s", name, got)
		}
		mustExec(t, db, "alter index "+ext.QuoteName(name)+" rename to i", "alter table t rename constraint "+ext.QuoteName(name)+" to c", "alter table t rename "+ext.QuoteName(name)+" to a")
	}
}
