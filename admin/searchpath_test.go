package admin_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// questions are all that asks the catalog, about a database with a table app.item.
var questions = map[string]func(ctx context.Context, q ext.Querier, role string) (any, error){
	"ListSchemas": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListSchemas(ctx, q, admin.ListOptions{})
	},
	"SchemaExists": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.SchemaExists(ctx, q, "app")
	},
	"ListTables": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListTables(ctx, q, "app", admin.TablesOptions{})
	},
	"TableExists": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.TableExists(ctx, q, "app.item")
	},
	"TableInfo": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.TableInfo(ctx, q, "app.item")
	},
	"ListColumns": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListColumns(ctx, q, "app.item")
	},
	"ListIndexes": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListIndexes(ctx, q, "app.item")
	},
	"IndexExists": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.IndexExists(ctx, q, "app.item_pkey")
	},
	"ListConstraints": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListConstraints(ctx, q, "app.item")
	},
	"ListViews": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListViews(ctx, q, "app", admin.ListOptions{})
	},
	"ListExtensions": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListExtensions(ctx, q, admin.ExtensionsOptions{})
	},
	"HasExtension": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.HasExtension(ctx, q, "plpgsql")
	},
	"RequireExtension": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return nil, admin.RequireExtension(ctx, q, "plpgsql")
	},
	"TableSize": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.TableSize(ctx, q, "app.item")
	},
	"ListTableSizes": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListTableSizes(ctx, q, "app", admin.SizesOptions{})
	},
	"RowCount": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.RowCount(ctx, q, "app.item", admin.RowCountOptions{Estimate: true})
	},
	"RoleExists": func(ctx context.Context, q ext.Querier, role string) (any, error) {
		return admin.RoleExists(ctx, q, role)
	},
	"ListRoleMembers": func(ctx context.Context, q ext.Querier, role string) (any, error) {
		return admin.ListRoleMembers(ctx, q, role, admin.MembersOptions{Recursive: true})
	},
	"ListRoleGrants": func(ctx context.Context, q ext.Querier, role string) (any, error) {
		return admin.ListRoleGrants(ctx, q, role, admin.ListOptions{})
	},
	"ListTableGrants": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListTableGrants(ctx, q, "app.item")
	},
	"ListDefaultGrants": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListDefaultGrants(ctx, q)
	},
	"DatabaseExists": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.DatabaseExists(ctx, q, "template1")
	},
}

// more need the sequence's last value and sizes of databases, which privileges hide.
var more = map[string]func(ctx context.Context, q ext.Querier, role string) (any, error){
	"ListSequences": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.ListSequences(ctx, q, "app", admin.ListOptions{})
	},
	"DescribeTable": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		return admin.DescribeTable(ctx, q, "app.item")
	},
	"drop and create": func(ctx context.Context, q ext.Querier, _ string) (any, error) {
		a, err := admin.DropTable(ctx, q, "app.nothing", admin.DropOptions{})
		if err != nil {
			return nil, err
		}
		b, err := admin.CreateTable(ctx, q, "app.item", nil, admin.TableOptions{IfNotExists: true})
		if err != nil {
			return nil, err
		}
		c, err := admin.DropColumn(ctx, q, "app.item", "nothing", admin.DropOptions{})
		if err != nil {
			return nil, err
		}
		d, err := admin.CreateSchema(ctx, q, "app", admin.SchemaOptions{IfNotExists: true})
		return fmt.Sprint(a, b, c, d), err
	},
}

func itemDB(t *testing.T) (db *sql.DB, role string) {
	db = openDB(t)
	role = createRole(t, db, admin.RoleOptions{})
	member := createRole(t, db, admin.RoleOptions{})
	mustExec(t, db, "grant "+role+" to "+member, "create schema app", "create table app.item (id serial primary key, name varchar(20) default 'x' check (name <> ''))", "create index on app.item (lower(name)) where id > 0",
		"create view app.v as select id from app.item", "grant select on app.item to "+role, "grant update (name) on app.item to "+role, "comment on table app.item is 'items'", "alter default privileges in schema app grant select on tables to "+role)
	return db, role
}

// TestQuestionsMeanTheSameWhateverTheSearchPath puts a schema ahead of pg_catalog whose operators and functions lie.
func TestQuestionsMeanTheSameWhateverTheSearchPath(t *testing.T) {
	t.Parallel()
	db, role := itemDB(t)
	mustExec(t, db, "create schema evil")
	for _, op := range []string{"=", "<>", "<", ">", "<=", ">=", "~", "!~"} {
		for _, types := range []string{"name, name", "name, text", "text, text", "oid, oid", `"char", "char"`, "int2, int2", "int2, int4", "int4, int4", "int8, int8", "float4, float4", "bool, bool"} {
			left, right, _ := strings.Cut(types, ", ")
			fn := "evil.lie_" + strings.NewReplacer(`"`, "", ", ", "_").Replace(types)
			mustExec(t, db, fmt.Sprintf("create or replace function %s(%s) returns bool language sql as 'select null::bool'", fn, types),
				fmt.Sprintf("create operator evil.%s (leftarg = %s, rightarg = %s, function = %s)", op, left, right, fn))
		}
	}
	mustExec(t, db, "create function evil.format_type(oid, int4) returns text language sql as $$select 'evil'$$", "create function evil.current_schema() returns name language sql as $$select 'evil'::name$$",
		"create function evil.quote_ident(name) returns text language sql as $$select 'evil'$$", "create function evil.lower(text) returns text language sql as $$select 'evil'$$", "create table evil.pg_class (oid oid, relname name)", "create table evil.pg_namespace (nspname name)")
	for _, path := range []string{"evil, pg_catalog, public", "evil, public, pg_catalog"} {
		lied := reopen(t, db, func(cfg *driver.Config) { cfg.RuntimeParams["search_path"] = path })
		for _, set := range []map[string]func(context.Context, ext.Querier, string) (any, error){questions, more} {
			for name, ask := range set {
				want := must(ask(t.Context(), db, role))(t)
				if name == "ListViews" {
					continue // the server's own pg_get_viewdef believes the operators
				}
				if got, err := ask(t.Context(), lied, role); err != nil || deparsed(got) != deparsed(want) && !onlyPointersDiffer(got, want) {
					t.Errorf("%s with search_path %s = %+v, %v; want %+v", name, path, got, err, want)
				}
			}
		}
	}
}

// operatorForm is how the server writes operators and functions that the search path hides.
var operatorForm = regexp.MustCompile(`OPERATOR\(pg_catalog\.([^)]*)\)|pg_catalog\.`)

// deparsed shows an answer, with the expressions in it as they are written under another search path.
func deparsed(answer any) string {
	return operatorForm.ReplaceAllString(fmt.Sprintf("%+v", answer), "$1")
}

// onlyPointersDiffer compares what is shown by address.
func onlyPointersDiffer(a, b any) bool {
	x, ok := a.([]admin.Sequence)
	y, _ := b.([]admin.Sequence)
	return ok && len(x) == len(y) && len(x) == 1 && x[0].Name == y[0].Name && x[0].Table == y[0].Table && x[0].Type == y[0].Type
}

// TestQuestionsNeedNoPrivileges asks as a user who may not even look into the schema.
func TestQuestionsNeedNoPrivileges(t *testing.T) {
	t.Parallel()
	db, role := itemDB(t)
	stranger := createRole(t, db, admin.RoleOptions{})
	mustExec(t, db, "analyze app.item", "revoke all on schema public from public")
	conn := one(t, db)
	mustExec(t, conn, "set role "+stranger)
	defer mustExec(t, conn, "reset role")
	if _, err := conn.ExecContext(t.Context(), "select * from app.item"); sqlState(err) != "42501" {
		t.Fatalf("the stranger may read the table: %v", err)
	}
	for name, ask := range questions {
		want := must(ask(t.Context(), db, role))(t)
		if got, err := ask(t.Context(), conn, role); err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s without privileges = %+v, %v; want %+v", name, got, err, want)
		}
	}
	if _, err := admin.ListSequences(t.Context(), conn, "app", admin.ListOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := admin.ListDatabases(t.Context(), conn, admin.ListOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := admin.ListRoles(t.Context(), conn, admin.ListOptions{}); err != nil {
		t.Error(err)
	}
}
