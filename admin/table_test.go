package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

func tableNames(tables []admin.Table) (names []string) {
	for _, t := range tables {
		names = append(names, t.Schema+"."+t.Name)
	}
	return names
}

func TestTables(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		verdict(t, "CreateTable", true)(admin.CreateTable(ctx, q, "products", []admin.ColumnDef{
			{Name: "id", Type: "SERIAL PRIMARY KEY"}, {Name: "name", Type: "TEXT NOT NULL"}, {Name: "price", Type: "DECIMAL(10,2)"},
		}, admin.TableOptions{Comment: "what we sell"}))
		verdict(t, "CreateTable if not exists", false)(admin.CreateTable(ctx, q, "public.products", nil, admin.TableOptions{IfNotExists: true}))
		mustExec(t, q, "create schema pgfoo", "create table pgfoo.pgbar (a int)", "create view v as select 1 as x", "create materialized view m as select 1 as x",
			"create table part (a int) partition by list (a)", "create unlogged table part1 partition of part for values in (1)", "create temporary table tmp (a int)")
		got := must(admin.ListTables(ctx, q, "public", admin.TablesOptions{}))(t)
		if want := []string{"public.part", "public.part1", "public.products"}; !slices.Equal(tableNames(got), want) {
			t.Errorf("tables = %v, want %v", tableNames(got), want)
		}
		products := got[2]
		if products.Kind != admin.KindTable || products.Comment != "what we sell" || products.Persistence != "permanent" || products.Partition || products.RowEstimate != -1 || products.Owner == "" {
			t.Errorf("products = %+v", products)
		}
		if got[0].Kind != admin.KindPartitionedTable || !got[1].Partition || got[1].Persistence != "unlogged" {
			t.Errorf("partitions = %+v", got[:2])
		}
		all := must(admin.ListTables(ctx, q, "", admin.TablesOptions{Kinds: []admin.Kind{admin.KindTable, admin.KindView, admin.KindMaterializedView}}))(t)
		if want := []string{"pgfoo.pgbar", "public.m", "public.part1", "public.products", "public.v"}; !slices.Equal(tableNames(all), want) {
			t.Errorf("all = %v, want %v", tableNames(all), want)
		}
		if temp := must(admin.ListTables(ctx, q, "pg_temp", admin.TablesOptions{}))(t); len(temp) > 0 && (temp[0].Name != "tmp" || temp[0].Persistence != "temporary") {
			t.Errorf("temporary tables = %+v", temp)
		}
		if system := must(admin.ListTables(ctx, q, "", admin.TablesOptions{System: true}))(t); !slices.Contains(tableNames(system), "pg_catalog.pg_class") {
			t.Error("System leaves out pg_class")
		}
		for table, want := range map[string]bool{
			"products": true, "Products": false, "public.products": true, "pgfoo.pgbar": true, "pgbar": false, "v": true, "pg_class": true, "public.pg_class": false, "products_pkey": false,
		} {
			verdict(t, "TableExists of "+table, want)(admin.TableExists(ctx, q, table))
		}
		verdict(t, "DropTable", true)(admin.DropTable(ctx, q, products.QualifiedName(), admin.DropOptions{}))
		verdict(t, "DropTable of none", false)(admin.DropTable(ctx, q, "products", admin.DropOptions{}))
		verdict(t, "DropTable in a schema that is not there", false)(admin.DropTable(ctx, q, "nowhere.products", admin.DropOptions{}))
	})
}

func TestATableBesideOneOfTheSearchPathIsCreated(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	mustExec(t, conn, "create schema a", "create schema b", "create table b.t (x int)", "set search_path = a, b")
	verdict(t, "CreateTable", true)(admin.CreateTable(t.Context(), conn, "t", nil, admin.TableOptions{IfNotExists: true}))
	verdict(t, "CreateTable of a temporary one", true)(admin.CreateTable(t.Context(), conn, "t", []admin.ColumnDef{{Name: "tmp", Type: "int"}}, admin.TableOptions{IfNotExists: true, Temporary: true}))
	verdict(t, "CreateTable of it again", false)(admin.CreateTable(t.Context(), conn, "t", nil, admin.TableOptions{IfNotExists: true, Temporary: true}))
	if columns := must(admin.ListColumns(t.Context(), conn, "t"))(t); !slices.Equal(columns, []string{"tmp"}) {
		t.Errorf("columns of t = %v: the temporary table comes first", columns)
	}
	if columns := must(admin.ListColumns(t.Context(), conn, "pg_temp.t"))(t); !slices.Equal(columns, []string{"tmp"}) {
		t.Errorf("columns of pg_temp.t = %v", columns)
	}
	if columns := must(admin.ListColumns(t.Context(), conn, "b.t"))(t); !slices.Equal(columns, []string{"x"}) {
		t.Errorf("columns of b.t = %v", columns)
	}
}

func TestTableInfo(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		mustExec(t, q, "create schema app", "create type app.mood as enum ('sad', 'glad')", "create domain short as varchar(7) not null", `create table users (
			id bigint generated always as identity primary key, serial serial, name varchar(10) not null default 'x', price numeric(10,2), tags text[], m app.mood[],
			s short, twice int generated always as (1 + 1) stored, c text collate "C", b bit(3), gone int, f real, anything numeric)`,
			"alter table users drop column gone", "comment on column users.name is 'as typed in'")
		got := must(admin.TableInfo(t.Context(), q, "users"))(t)
		for i := range got {
			got[i].TypeOID = 0
		}
		want := []admin.Column{
			{Name: "id", Position: 1, Type: "bigint", Identity: "always", Precision: 64},
			{Name: "serial", Position: 2, Type: "integer", Default: "nextval('users_serial_seq'::regclass)", Precision: 32},
			{Name: "name", Position: 3, Type: "character varying(10)", Default: "'x'::character varying", MaxLength: 10, Comment: "as typed in"},
			{Name: "price", Position: 4, Type: "numeric(10,2)", Nullable: true, Precision: 10, Scale: 2},
			{Name: "tags", Position: 5, Type: "text[]", Nullable: true},
			{Name: "m", Position: 6, Type: "app.mood[]", Nullable: true},
			{Name: "s", Position: 7, Type: "short", MaxLength: 7},
			{Name: "twice", Position: 8, Type: "integer", Nullable: true, Generated: "(1 + 1)", Precision: 32},
			{Name: "c", Position: 9, Type: "text", Nullable: true, Collation: "C"},
			{Name: "b", Position: 10, Type: "bit(3)", Nullable: true, MaxLength: 3},
			{Name: "f", Position: 12, Type: "real", Nullable: true, Precision: 24},
			{Name: "anything", Position: 13, Type: "numeric", Nullable: true},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%+v\nwant\n%+v", got, want)
		}
		names := must(admin.ListColumns(t.Context(), q, "users"))(t)
		types := must(admin.ColumnsWithTypes(t.Context(), q, "public.users"))(t)
		for i, c := range want {
			if names[i] != c.Name || types[i] != (admin.TypedColumn{Name: c.Name, Type: c.Type}) {
				t.Errorf("%d: %q, %+v; want %+v", i, names[i], types[i], c)
			}
		}
	})
}

func TestATableThatDoesNotExist(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table users (id int)", "create table empty ()", "create index users_idx on users (id)")
	ctx := t.Context()
	for name, fn := range map[string]func(q ext.Querier, table string) error{
		"TableInfo":        func(q ext.Querier, table string) error { _, err := admin.TableInfo(ctx, q, table); return err },
		"ListColumns":      func(q ext.Querier, table string) error { _, err := admin.ListColumns(ctx, q, table); return err },
		"ColumnsWithTypes": func(q ext.Querier, table string) error { _, err := admin.ColumnsWithTypes(ctx, q, table); return err },
		"ListIndexes":      func(q ext.Querier, table string) error { _, err := admin.ListIndexes(ctx, q, table); return err },
		"ListConstraints":  func(q ext.Querier, table string) error { _, err := admin.ListConstraints(ctx, q, table); return err },
		"PrimaryKey":       func(q ext.Querier, table string) error { _, err := admin.PrimaryKey(ctx, q, table); return err },
		"ForeignKeys":      func(q ext.Querier, table string) error { _, err := admin.ForeignKeys(ctx, q, table); return err },
		"TableSize":        func(q ext.Querier, table string) error { _, err := admin.TableSize(ctx, q, table); return err },
		"ListTableGrants":  func(q ext.Querier, table string) error { _, err := admin.ListTableGrants(ctx, q, table); return err },
		"DescribeTable":    func(q ext.Querier, table string) error { _, err := admin.DescribeTable(ctx, q, table); return err },
		"RowCount": func(q ext.Querier, table string) error {
			_, err := admin.RowCount(ctx, q, table, admin.RowCountOptions{Estimate: true})
			return err
		},
	} {
		tx := begin(t, db)
		if err := fn(tx, "empty"); err != nil {
			t.Errorf("%s of an empty table: %v", name, err)
		}
		for table, hint := range map[string]string{"Users": "; public.users does: names keep their case here", "nowhere.users": "", "users_idx": "", "PUBLIC.users": "; public.users does"} {
			err := fn(tx, table)
			if !errors.Is(err, admin.ErrTableNotFound) || sqlState(err) != "42P01" || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), `"`+table) {
				t.Errorf("%s of %s: %v", name, table, err)
			}
		}
		if err := fn(tx, "users"); err != nil { // the questions have not broken the transaction
			t.Errorf("%s of users: %v", name, err)
		}
	}
}

func TestStatementsHintAtTheTableInLowerCase(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table users (id int)")
	ctx := t.Context()
	for name, err := range map[string]error{
		"RowCount":                second(admin.RowCount(ctx, db, "Users", admin.RowCountOptions{})),
		"CreateIndex":             third(admin.CreateIndex(ctx, db, "Users", admin.Keys("id"), admin.IndexOptions{})),
		"AddColumn":               second(admin.AddColumn(ctx, db, "Users", admin.ColumnDef{Name: "a", Type: "int"}, admin.AddColumnOptions{})),
		"AddUnique":               third(admin.AddUnique(ctx, db, "Users", []string{"id"}, admin.ConstraintOptions{})),
		"AlterTable":              admin.AlterTable(ctx, db, "Users", admin.TableChange{Rename: "x"}),
		"AlterColumn":             admin.AlterColumn(ctx, db, "Users", "id", admin.ColumnChange{Rename: "x"}),
		"CreateIndexConcurrently": third(admin.CreateIndexConcurrently(ctx, db, "Users", admin.Keys("id"), admin.IndexOptions{})),
	} {
		if !errors.Is(err, admin.ErrTableNotFound) || sqlState(err) != "42P01" || !strings.Contains(err.Error(), "public.users does") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

func TestTruncate(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		mustExec(t, q, "create table a (id serial primary key)", "create table b (a int references a)", "insert into a default values", "insert into b values (1)")
		if err := admin.Truncate(t.Context(), q, []string{"a", "public.b"}, admin.TruncateOptions{RestartIdentity: true}); err != nil {
			t.Fatal(err)
		}
		mustExec(t, q, "insert into a default values")
		if got := word(t, q, "select max(id) || '/' || (select count(*) from b) from a"); got != "1/0" {
			t.Errorf("got %s", got)
		}
		mustExec(t, q, "insert into b values (1)")
		if err := admin.Truncate(t.Context(), q, []string{"a"}, admin.TruncateOptions{Cascade: true}); err != nil {
			t.Error(err)
		}
		if n := must(admin.RowCount(t.Context(), q, "b", admin.RowCountOptions{}))(t); n != 0 {
			t.Errorf("b has %d rows", n)
		}
		if err := admin.Truncate(t.Context(), q, nil, admin.TruncateOptions{}); err == nil {
			t.Error("no error without tables")
		}
	})
}

func TestDescribeTable(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table users (id int primary key, name text)", "create index on users (name)")
	d := must(admin.DescribeTable(t.Context(), db, "users"))(t)
	if d.Table.Name != "users" || len(d.Columns) != 2 || len(d.Indexes) != 2 || !slices.ContainsFunc(d.Constraints, func(c admin.Constraint) bool { return c.Kind == admin.PrimaryKeyConstraint }) || d.Sizes.Total == 0 {
		t.Errorf("%+v", d)
	}
}
