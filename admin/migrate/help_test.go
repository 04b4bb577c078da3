package migrate_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/pycopg/pycopg/admin/migrate"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// files is a file system of names and texts, in turn.
func files(texts ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(texts); i += 2 {
		fsys[texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return fsys
}

// shop are two migrations, with a way back each.
func shop() fstest.MapFS {
	return files(
		"001_users.sql", "-- UP\ncreate table users (id int primary key);\ninsert into users values (1);\n-- DOWN\ndrop table users;\n",
		"002_orders.up.sql", "create table orders (id int references users);",
		"002_orders.down.sql", "drop table orders;",
	)
}

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	return sqltest.DB(t, sqltest.Options{})
}

func up(t testing.TB, db migrate.Pool, fsys fstest.MapFS, opts migrate.Options) []string {
	t.Helper()
	steps, err := migrate.Up(context.Background(), db, fsys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return names(steps)
}

func names(steps []migrate.Step) (list []string) {
	for _, s := range steps {
		list = append(list, s.String())
	}
	return list
}

func want(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func mustExec(t testing.TB, q ext.Querier, query string, args ...any) {
	t.Helper()
	if _, err := q.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// word is the one value of query, as text.
func word(t testing.TB, q ext.Querier, query string, args ...any) string {
	t.Helper()
	s, err := ext.QueryVal[sql.Null[string]](context.Background(), q, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s.V
}

// tables are those of the schema public, but for the record.
func tables(t testing.TB, q ext.Querier) string {
	t.Helper()
	return word(t, q, "select coalesce(string_agg(relname, ' ' order by relname), '') from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'schema_migrations'")
}

// locks are the advisory locks that are held in the database.
func locks(t testing.TB, q ext.Querier) string {
	t.Helper()
	return word(t, q, "select count(*)::text from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())")
}
