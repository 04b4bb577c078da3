package backup_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// needTools skips the test where the server is newer than the programs that are installed.
func needTools(t testing.TB) {
	t.Helper()
	server := sqltest.Server(t).MajorVersion()
	for _, name := range []string{"pg_dump", "pg_restore", "psql"} {
		tool, err := backup.FindTool(context.Background(), name, "", server)
		switch {
		case err == nil && tool.Major < server:
			t.Skipf("%s %s is older than the server, PostgreSQL %d", name, tool.Version, server)
		case err != nil && os.Getenv("CI") == "true":
			t.Fatal(err)
		case err != nil:
			t.Skip(err)
		}
	}
}

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	needTools(t)
	return sqltest.DB(t, sqltest.Options{})
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

// list is the folder's entries.
func list(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// catalogs are those whose rows have an identity, but for large objects, roles and what else belongs to the whole server.
const catalogs = `select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'oid'
	where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and not c.relisshared and c.relname <> 'pg_enum' order by 1`

// definitions say what the objects are, beside who they are.
var definitions = []string{
	`select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where connamespace::regnamespace::text !~ '^(pg_|information)'`,
	`select 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisclustered || indisreplident from pg_index where indexrelid >= 16384 and indrelid::regclass::text !~ '^pg_toast'`,
	`select 'function', oid::regprocedure::text, coalesce(proacl::text, ''), case when prokind = 'a' then '' else pg_get_functiondef(oid) end from pg_proc where oid >= 16384`,
	`select 'view', oid::regclass::text, relkind::text, pg_get_viewdef(oid) from pg_class where relkind in ('v', 'm') and oid >= 16384`,
	`select 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) || tgenabled::text from pg_trigger where not tgisinternal`,
	`select 'rule', ev_class::regclass::text, rulename, pg_get_ruledef(oid) from pg_rewrite where oid >= 16384`,
	`select 'relation', oid::regclass::text, coalesce(relacl::text, ''), row(relkind, relpersistence, reloptions, relrowsecurity, relreplident, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid), relowner::regrole)::text
	   from pg_class where oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_toast'`,
	`select 'column', attrelid::regclass::text, attname, row(attnum, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage, attstattarget, attacl, attoptions, pg_get_expr(adbin, adrelid))::text
	   from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum where attrelid >= 16384 and attnum > 0 and not attisdropped and attrelid::regclass::text !~ '^pg_toast'`,
	`select 'type', oid::regtype::text, typtype::text, row(typnotnull, typdefault, format_type(typbasetype, typtypmod), typacl, (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid))::text
	   from pg_type t where oid >= 16384 and typnamespace::regnamespace::text !~ '^pg_toast'`,
	`select 'policy', polrelid::regclass::text, polname, row(polcmd, polpermissive, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))::text from pg_policy`,
	`select 'sequence', seqrelid::regclass::text, '', row(seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)::text from pg_sequence`,
	`select 'statistics', stxname, '', pg_get_statisticsobjdef(oid) from pg_statistic_ext`,
	`select 'schema', nspname, coalesce(nspacl::text, ''), '' from pg_namespace where nspname !~ '^pg_'`,
	`select 'default privileges', coalesce(defaclnamespace::regnamespace::text, ''), defaclobjtype::text, defaclacl::text from pg_default_acl`,
	`select 'comment', (pg_identify_object(classoid, objoid, objsubid)).identity, '', description from pg_description where objoid >= 16384`,
	`select 'large object', loid::text, pageno::text, encode(data, 'hex') from pg_largeobject`,
	`select 'extension', extname, extversion, extnamespace::regnamespace::text from pg_extension`,
	`select 'publication', pubname, row(puballtables, pubinsert, pubupdate)::text, (select string_agg(prrelid::regclass::text, ',' order by prrelid::regclass::text) from pg_publication_rel where prpubid = p.oid) from pg_publication p`,
	`select 'server', srvname, array_to_string(srvoptions, ','), (select string_agg(umoptions::text, ',') from pg_user_mapping where umserver = s.oid) from pg_foreign_server s`,
	`select 'text search', cfgname, '', (select string_agg(maptokentype || ':' || mapdict::regdictionary, ',' order by maptokentype, mapseqno) from pg_ts_config_map where mapcfg = c.oid) from pg_ts_config c where oid >= 16384`,
}

// fingerprint describes everything in a database, one line for each object, definition and row.
func fingerprint(t testing.TB, db *sql.DB) string {
	t.Helper()
	ctx := context.Background()
	query := func(q string) []string {
		t.Helper()
		lines, err := ext.Query[string](ctx, db, q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		return lines
	}
	var all []string
	for _, catalog := range query(catalogs) {
		if catalog == "pg_largeobject_metadata" {
			all = append(all, query("select 'large object ' || oid || coalesce(lomacl::text, '') from pg_largeobject_metadata")...)
			continue
		}
		all = append(all, query(`select '`+catalog+`: ' || i.type || ' ' || i.identity from `+catalog+` c,
			pg_identify_object('pg_catalog.`+catalog+`'::regclass, c.oid, 0) i
			where c.oid >= 16384 and coalesce(i.schema, '') !~ '^pg_toast' and i.identity !~ 'pg_toast|ConstraintTrigger_'`)...)
	}
	for _, d := range definitions {
		all = append(all, query("select concat_ws(' | ', a, b, c, d) from ("+d+") x(a, b, c, d)")...)
	}
	for _, kind := range []struct{ relkinds, row string }{{"'r', 'm'", "to_jsonb(x)"}, {"'S'", "(last_value, is_called)"}} {
		for _, table := range query("select oid::regclass::text from pg_class where relkind in (" + kind.relkinds + ") and oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_toast'") {
			all = append(all, query("select '"+strings.ReplaceAll(table, "'", "''")+": ' || "+kind.row+"::text from "+table+" x")...)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// compareDatabases reports the lines that one of two databases alone has.
func compareDatabases(t testing.TB, what string, want, got *sql.DB) {
	t.Helper()
	a, b := strings.Split(fingerprint(t, want), "\n"), strings.Split(fingerprint(t, got), "\n")
	for _, line := range a {
		if !slices.Contains(b, line) {
			t.Errorf("%s: the copy lacks: %s", what, line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			t.Errorf("%s: the copy has: %s", what, line)
		}
	}
	if len(a) < 20 {
		t.Errorf("only %d lines to compare", len(a))
	}
}

// tempPath is a path in a folder of the test's own.
func tempPath(t testing.TB, name string) string { return filepath.Join(t.TempDir(), name) }
