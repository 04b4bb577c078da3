package backup_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/sqltest"
)

const count = "select count(*)::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"

func TestSQLTextIsRestoredAllOrNothing(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	script := "create table a ();\ncreate table b ();\nselect nonsense;\ncreate table c ();\n"
	err := backup.Restore(ctx, db, backup.RestoreOptions{Reader: strings.NewReader(script)})
	var tool *backup.ToolError
	if !errors.As(err, &tool) || tool.Tool != "psql" || tool.ExitCode != 3 || !strings.Contains(tool.Stderr, "<stdin>:3: ERROR:") {
		t.Errorf("a failing script: %v", err)
	}
	if got := word(t, db, count); got != "0" {
		t.Errorf("%s tables are left", got)
	}
	no := false
	if err := backup.Restore(ctx, db, backup.RestoreOptions{Reader: strings.NewReader(script), SingleTransaction: &no}); !errors.As(err, &tool) {
		t.Errorf("without a transaction: %v", err)
	}
	if got := word(t, db, count); got != "2" {
		t.Errorf("%s tables without a transaction, want the 2 ahead of the error", got)
	}
}

// failing gives a text, and then an error.
type failing struct {
	io.Reader
	err error
}

func (f failing) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func TestADumpThatBreaksOffIsNotCommitted(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	lost := errors.New("the line is dead")
	script := "create table a ();\ncreate table b ();\n-- " + strings.Repeat("x", 300)
	if err := backup.Restore(ctx, db, backup.RestoreOptions{Reader: failing{strings.NewReader(script), lost}}); !errors.Is(err, lost) {
		t.Errorf("the reader's error: %v", err)
	}
	path := tempPath(t, "cut.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	io.WriteString(w, script+strings.Repeat("\n-- more", 10000))
	w.Flush() // and no Close: the file lacks its end
	f.Close()
	if err := backup.Restore(ctx, db, backup.RestoreOptions{Path: path}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a compressed file without its end: %v", err)
	}
	if got := word(t, db, count); got != "0" {
		t.Errorf("%s tables are left", got)
	}
}

func TestArchivesStopAtTheFirstErrorUnlessToldToGoOn(t *testing.T) {
	t.Parallel()
	ctx, source := context.Background(), openDB(t)
	mustExec(t, source, "create table a (x int); insert into a values (1); create table b (); create view c as select 1 as one")
	path := tempPath(t, "x")
	if err := backup.Dump(ctx, source, backup.DumpOptions{Path: path}); err != nil {
		t.Fatal(err)
	}
	yes := true
	for _, c := range []struct {
		name string
		opts backup.RestoreOptions
		fail bool
		want string
	}{
		{"stop", backup.RestoreOptions{}, true, "a b"},
		{"all or nothing", backup.RestoreOptions{SingleTransaction: &yes}, true, "b"},
		{"go on", backup.RestoreOptions{ContinueOnError: true}, true, "a b c"},
		{"clean", backup.RestoreOptions{Clean: true, IfExists: true}, false, "a b c"},
	} {
		target := sqltest.DB(t, sqltest.Options{})
		mustExec(t, target, "create table b ()")
		c.opts.Path = path
		err := backup.Restore(ctx, target, c.opts)
		var tool *backup.ToolError
		if c.fail != (err != nil) || c.fail && (!errors.As(err, &tool) || !strings.Contains(tool.Stderr, `relation "b" already exists`)) {
			t.Errorf("%s: %v", c.name, err)
		}
		got := word(t, target, "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')")
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestADumpCreatesItsDatabase(t *testing.T) {
	t.Parallel()
	ctx, admin := context.Background(), openDB(t)
	server := sqltest.Server(t).MajorVersion()
	if tool, err := backup.FindTool(ctx, "pg_dump", "", server); err != nil || tool.Major > server {
		t.Skipf("CREATE DATABASE as pg_dump %d writes it is not for PostgreSQL %d", tool.Major, server)
	}
	source := sqltest.DB(t, sqltest.Options{})
	mustExec(t, source, "create table a ()")
	name := word(t, source, "select current_database()")
	path := tempPath(t, "x")
	if err := backup.Dump(ctx, source, backup.DumpOptions{Path: path}); err != nil {
		t.Fatal(err)
	}
	mustExec(t, source, "drop table a")
	if err := backup.Restore(ctx, admin, backup.RestoreOptions{Path: path, Create: true}); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a database that exists: %v", err)
	}
	source.Close()
	mustExec(t, admin, `drop database "`+name+`" with (force)`)
	if err := backup.Restore(ctx, admin, backup.RestoreOptions{Path: path, Create: true}); err != nil {
		t.Fatal(err)
	}
	if got := word(t, admin, "select count(*)::text from pg_database where datname = $1", name); got != "1" {
		t.Error("the database was not created")
	}
	if got := word(t, admin, count); got != "0" {
		t.Error("the table came into the wrong database")
	}
}

func TestAHandleWithAnOddDatabaseName(t *testing.T) {
	t.Parallel()
	ctx, admin := context.Background(), openDB(t)
	name := `-x "é' \ dbname=postgres ` + word(t, admin, "select left(md5(random()::text), 8)")
	quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	mustExec(t, admin, "create database "+quoted)
	t.Cleanup(func() { mustExec(t, admin, "drop database "+quoted+" with (force)") })
	db := openConfig(t, configOf(t, admin).WithDatabase(name))
	mustExec(t, db, "create table a ()")
	for _, format := range []backup.Format{backup.Custom, backup.Plain} {
		path := tempPath(t, "x")
		if err := backup.Dump(ctx, db, backup.DumpOptions{Path: path, Format: format}); err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, "drop table a")
		if err := backup.Restore(ctx, db, backup.RestoreOptions{Path: path}); err != nil {
			t.Fatal(err)
		}
		if got := word(t, db, count); got != "1" {
			t.Errorf("%s: %s tables", format, got)
		}
	}
}

func TestAnEmptyDumpIsNotRestored(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	path := tempPath(t, "empty.sql")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []backup.RestoreOptions{{Path: path}, {Reader: strings.NewReader("")}} {
		if err := backup.Restore(t.Context(), db, o); err == nil || !strings.Contains(err.Error(), "empty") {
			t.Errorf("%v", err)
		}
	}
	if err := backup.Restore(t.Context(), nil, backup.RestoreOptions{Reader: strings.NewReader("select 1")}); err == nil || !strings.Contains(err.Error(), "the handle is nil") {
		t.Errorf("%v", err)
	}
}

// TestASQLDumpThatWasCutIsNotCommitted cuts a dump where psql sees nothing wrong: between statements.
func TestASQLDumpThatWasCutIsNotCommitted(t *testing.T) {
	t.Parallel()
	ctx, source := context.Background(), openDB(t)
	mustExec(t, source, "create table a (n int); insert into a values (1); create index on a (n); create view v as select n from a")
	var buf strings.Builder
	if err := backup.Dump(ctx, source, backup.DumpOptions{Writer: &buf, Format: backup.Plain}); err != nil {
		t.Fatal(err)
	}
	dump, db := buf.String(), openDB(t)
	path := tempPath(t, "cut.sql")
	for i, end := 0, 0; ; i++ {
		next := strings.Index(dump[end:], ";\n")
		if next < 0 {
			break
		}
		end += next + len(";\n")
		if err := os.WriteFile(path, []byte(dump[:end]), 0o600); err != nil {
			t.Fatal(err)
		}
		opts := backup.RestoreOptions{Path: path}
		switch i % 3 {
		case 1:
			opts = backup.RestoreOptions{Reader: strings.NewReader(dump[:end])}
		case 2:
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			opts = backup.RestoreOptions{Reader: f}
		}
		if err := backup.Restore(ctx, db, opts); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "cut") {
			t.Errorf("%s: %v", dump[:end], err)
		}
		if got := word(t, db, count); got != "0" {
			t.Fatalf("%s tables are left of %s", got, dump[:end])
		}
	}
	if err := backup.Restore(ctx, db, backup.RestoreOptions{Reader: strings.NewReader(dump)}); err != nil {
		t.Error(err)
	}
	if got := word(t, db, "select sum(n)::text from v"); got != "1" {
		t.Errorf("the sum is %s", got)
	}
}
