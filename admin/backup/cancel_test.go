package backup_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
)

// await asks a question until the answer is true.
func await(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	for range 3000 {
		if word(t, db, query, args...) == "true" {
			return
		}
		mustExec(t, db, "select pg_sleep(0.02)")
	}
	t.Fatalf("%s: still not true", query)
}

const (
	sessions   = "from pg_stat_activity where datname = current_database() and application_name like 'pycopg pg_%'"
	noSessions = "select count(*) = 0 " + sessions
)

// processes are the command lines that hold a text.
func processes(t testing.TB, text string) (found []string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return nil
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && bytes.Contains(line, []byte(text)) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// awaitNoProcess waits until no command line holds a text: what was killed takes a moment to go.
func awaitNoProcess(t testing.TB, db *sql.DB, text string) {
	t.Helper()
	for range 3000 {
		if len(processes(t, text)) == 0 {
			return
		}
		mustExec(t, db, "select pg_sleep(0.02)")
	}
	t.Errorf("processes are left: %q", processes(t, text))
}

// slowTables makes a role for which reading three tables does not end.
func slowTables(t testing.TB, db *sql.DB) (role string) {
	t.Helper()
	role = "slow_" + word(t, db, "select left(md5(random()::text), 8)")
	mustExec(t, db, "create role "+role)
	t.Cleanup(func() { mustExec(t, db, "drop owned by "+role+"; drop role "+role) })
	mustExec(t, db, "create function slow() returns boolean language plpgsql as $$ begin perform pg_sleep(600); return true; end $$")
	for _, table := range []string{"a", "b", "c"} {
		mustExec(t, db, "create table "+table+" as select 1 as x; alter table "+table+" enable row level security; create policy p on "+table+" using (slow()); grant select on "+table+" to "+role)
	}
	return role
}

func TestACancelledDumpLeavesNeitherProcessNorFile(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	role := slowTables(t, db)
	for _, format := range []backup.Format{backup.Directory, backup.Custom} {
		dir := t.TempDir()
		path := filepath.Join(dir, "dump")
		if format == backup.Custom {
			if err := os.WriteFile(path, []byte("the old dump"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		done := make(chan error)
		go func() {
			o := backup.DumpOptions{Path: path, Format: format, Role: role, Args: []string{"--enable-row-security"}}
			if format == backup.Directory {
				o.Jobs = 3
			}
			done <- backup.Dump(ctx, db, o)
		}()
		want := "1"
		if format == backup.Directory {
			want = "3"
		}
		await(t, db, "select count(*) >= $1::int "+sessions+" and state = 'active' and query ~ 'COPY'", want)
		if runtime.GOOS == "linux" && len(processes(t, dir)) == 0 {
			t.Error("no process runs: the test cannot see it")
		}
		stop := errors.New("enough")
		cancel(stop)
		if err := <-done; !errors.Is(err, stop) {
			t.Errorf("%s: %v", format, err)
		}
		awaitNoProcess(t, db, dir)
		if left := list(t, dir); format == backup.Directory && len(left) > 0 || format == backup.Custom && len(left) != 1 {
			t.Errorf("%s: files are left: %q", format, left)
		}
		if format == backup.Custom {
			if old, err := os.ReadFile(path); err != nil || string(old) != "the old dump" {
				t.Errorf("the old dump is now %q, %v", old, err)
			}
		}
		await(t, db, noSessions)
	}
}

func TestADumpWhoseSessionIsLostLeavesNoFile(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	role := slowTables(t, db)
	dir := t.TempDir()
	done := make(chan error)
	go func() {
		done <- backup.Dump(context.Background(), db, backup.DumpOptions{Path: filepath.Join(dir, "x"), Role: role, Args: []string{"--enable-row-security"}})
	}()
	await(t, db, "select count(*) = 1 "+sessions+" and state = 'active' and query ~ 'COPY'")
	mustExec(t, db, "select pg_terminate_backend(pid) "+sessions)
	var tool *backup.ToolError
	if err := <-done; !errors.As(err, &tool) || !strings.Contains(tool.Stderr, "terminating connection") {
		t.Errorf("error: %v", err)
	}
	if left := list(t, dir); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	awaitNoProcess(t, db, dir)
}

func TestACancelledRestoreEndsItsSessionsAndUndoesItself(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- backup.Restore(ctx, db, backup.RestoreOptions{Reader: strings.NewReader("create table a (); select pg_sleep(600);")})
	}()
	await(t, db, "select exists (select from pg_stat_activity where datname = current_database() and application_name like 'pycopg psql %' and query ~ 'pg_sleep')")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	await(t, db, "select not exists (select from pg_stat_activity where datname = current_database() and application_name like 'pycopg psql %')")
	if got := word(t, db, count); got != "0" {
		t.Errorf("%s tables are left", got)
	}
}

func TestACancelledRestoreDoesNotWaitForItsReader(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	done := make(chan error)
	go func() { done <- backup.Restore(ctx, db, backup.RestoreOptions{Reader: r}) }()
	io.WriteString(w, "create table a ();\n-- "+strings.Repeat("x", 1000)+"\n")
	await(t, db, "select exists (select from pg_stat_activity where datname = current_database() and application_name like 'pycopg psql %' and query ~ 'create table')")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := word(t, db, count); got != "0" {
		t.Errorf("%s tables are left", got)
	}
}

// full is a writer without room.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAWriterThatFailsEndsTheDump(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table a as select repeat(md5(g::text), 100) from generate_series(1, 2000) g")
	if err := backup.Dump(context.Background(), db, backup.DumpOptions{Writer: full{}, Format: backup.Plain}); !errors.Is(err, errFull) {
		t.Error(err)
	}
	await(t, db, noSessions)
}

func TestAPanicOfProgressLeavesNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table a ()")
	dir := t.TempDir()
	func() {
		defer func() {
			if recover() != "stop" {
				t.Error("the panic did not pass")
			}
		}()
		backup.Dump(context.Background(), db, backup.DumpOptions{Path: filepath.Join(dir, "x"), Progress: func(string) { panic("stop") }})
	}()
	if left := list(t, dir); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	awaitNoProcess(t, db, dir)
	await(t, db, noSessions)
}
