package backup_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/sqltest"
)

func TestADatabaseWithEveryKindOfObjectComesBackTheSame(t *testing.T) {
	t.Parallel()
	needTools(t)
	ctx := context.Background()
	source := sqltest.DB(t, sqltest.Options{})
	mustExec(t, source, everything)
	yes := true
	for _, c := range []struct {
		name    string
		dump    backup.DumpOptions
		restore backup.RestoreOptions
	}{
		{"custom", backup.DumpOptions{}, backup.RestoreOptions{Jobs: 2}},
		{"directory", backup.DumpOptions{Format: backup.Directory, Jobs: 2, Compress: "gzip:1"}, backup.RestoreOptions{SingleTransaction: &yes}},
		{"tar", backup.DumpOptions{Format: backup.Tar}, backup.RestoreOptions{}},
		{"plain", backup.DumpOptions{Format: backup.Plain}, backup.RestoreOptions{}},
		{"plain, compressed", backup.DumpOptions{Format: backup.Plain, Compress: "9"}, backup.RestoreOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c.dump.Path = filepath.Join(dir, "no.extension.sql")
			var said, did []string
			c.dump.Progress = func(line string) { said = append(said, line) }
			c.restore.Progress = func(line string) { did = append(did, line) }
			if err := backup.Dump(ctx, source, c.dump); err != nil {
				t.Fatal(err)
			}
			if got := list(t, dir); len(got) != 1 {
				t.Errorf("the folder of the dump has %q", got)
			}
			if info, err := os.Stat(c.dump.Path); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("the dump is open to others: %v, %v", info.Mode(), err)
			}
			format, _, err := backup.Detect(c.dump.Path)
			if want := c.dump.Format; err != nil || format != want && want != "" {
				t.Errorf("detected: %s, %v", format, err)
			}
			target := sqltest.DB(t, sqltest.Options{})
			c.restore.Path = c.dump.Path
			if err := backup.Restore(ctx, target, c.restore); err != nil {
				t.Fatal(err)
			}
			compareDatabases(t, c.name, source, target)
			if !strings.Contains(strings.Join(said, "\n"), `dumping contents of table "app.users"`) {
				t.Errorf("progress of the dump: %q", said)
			}
			if text := strings.Join(did, "\n"); !strings.Contains(text, "CREATE VIEW") && !strings.Contains(text, `creating VIEW "app.names"`) {
				t.Errorf("progress of the restore: %q", did)
			}
		})
	}
}

func TestADumpTravelsThroughWriterAndReader(t *testing.T) {
	t.Parallel()
	ctx, source := context.Background(), openDB(t)
	mustExec(t, source, "create table a as select g, repeat('x', 100) from generate_series(1, 5000) g; create index on a (g)")
	for _, format := range []backup.Format{backup.Custom, backup.Tar, backup.Plain} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			var buf bytes.Buffer
			if err := backup.Dump(ctx, source, backup.DumpOptions{Writer: &buf, Format: format}); err != nil {
				t.Fatal(err)
			}
			target := sqltest.DB(t, sqltest.Options{})
			if err := backup.Restore(ctx, target, backup.RestoreOptions{Reader: &buf}); err != nil {
				t.Fatal(err)
			}
			compareDatabases(t, "stream", source, target)
		})
	}
	t.Run("file as Reader", func(t *testing.T) {
		t.Parallel()
		path := tempPath(t, "x")
		if err := backup.Dump(ctx, source, backup.DumpOptions{Path: path}); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		target := sqltest.DB(t, sqltest.Options{})
		if err := backup.Restore(ctx, target, backup.RestoreOptions{Reader: f, Tables: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		if got := word(t, target, "select count(*)::text from a"); got != "5000" {
			t.Errorf("%s rows", got)
		}
	})
}

func TestTablesAndSchemasAreChosenByTheirExactNames(t *testing.T) {
	t.Parallel()
	ctx, source := context.Background(), openDB(t)
	mustExec(t, source, `create schema "A*"; create table "A*".t (x int); create table "A*"."t?" (x int); create table "order" (x int);
		create table "Order" (x int); create schema other; create table other.t (x int); insert into "order" values (1)`)
	tables := func(o backup.DumpOptions) string {
		o.Path = tempPath(t, "x")
		if err := backup.Dump(ctx, source, o); err != nil {
			t.Fatal(err)
		}
		target := sqltest.DB(t, sqltest.Options{})
		mustExec(t, target, `create schema "A*"; create schema other; drop schema if exists public`)
		if len(o.Tables) > 0 {
			mustExec(t, target, "create schema public")
		}
		if err := backup.Restore(ctx, target, backup.RestoreOptions{Path: o.Path, Clean: len(o.Tables) == 0, IfExists: len(o.Tables) == 0}); err != nil {
			t.Fatal(err)
		}
		return word(t, target, "select coalesce(string_agg(oid::regclass::text, ' ' order by oid::regclass::text collate \"C\" desc), '') from pg_class where relkind = 'r' and oid >= 16384")
	}
	for _, c := range []struct {
		opts backup.DumpOptions
		want string
	}{
		{backup.DumpOptions{Tables: []string{"order"}}, `"order"`},
		{backup.DumpOptions{Tables: []string{"Order", "A*.t?"}}, `"Order" "A*"."t?"`},
		{backup.DumpOptions{Schemas: []string{"A*"}}, `"A*".t "A*"."t?"`},
		{backup.DumpOptions{Schemas: []string{"A*"}, ExcludeTables: []string{"A*.t?"}}, `"A*".t`},
		{backup.DumpOptions{ExcludeSchemas: []string{"A*", "public"}}, "other.t"},
	} {
		if got := tables(c.opts); got != c.want {
			t.Errorf("%+v: %s, want %s", c.opts, got, c.want)
		}
	}
	err := backup.Dump(ctx, source, backup.DumpOptions{Path: tempPath(t, "x"), Tables: []string{"absent"}})
	var tool *backup.ToolError
	if !errors.As(err, &tool) || tool.Tool != "pg_dump" || tool.ExitCode != 1 || !strings.Contains(tool.Stderr, `"absent"`) {
		t.Errorf("a table that is not there: %v", err)
	}
}

func TestASnapshotIsWhatItsTransactionSees(t *testing.T) {
	t.Parallel()
	ctx, source := context.Background(), openDB(t)
	mustExec(t, source, "create table a (x int)")
	tx, err := source.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	mustExec(t, tx, "set transaction isolation level repeatable read")
	snapshot := word(t, tx, "select pg_export_snapshot()")
	mustExec(t, source, "insert into a values (1)")
	var buf bytes.Buffer
	if err := backup.Dump(ctx, tx, backup.DumpOptions{Writer: &buf, Format: backup.Plain, Snapshot: snapshot, DataOnly: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(buf.String(), "\n1\n") {
		t.Errorf("the dump has the row that came later:\n%s", buf.String())
	}
}
