package sqltest_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pycopg/pycopg/sqltest"
)

func TestDatabaseIsFreshAndLogsItsCost(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	sqltest.Server(t)
	t.Logf("server: %v", time.Since(begin))
	seen := map[string]bool{}
	for range 5 {
		begin = time.Now()
		db := sqltest.DB(t, sqltest.Options{})
		var name string
		if err := db.QueryRow("select current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Logf("database: %v", time.Since(begin))
		if seen[name] {
			t.Errorf("%s was handed out twice", name)
		}
		seen[name] = true
	}
}

func migrations(last string) fstest.MapFS {
	return fstest.MapFS{
		"2.sql":        {Data: []byte("insert into t values (1); insert into t values (2);")},
		"10.sql":       {Data: []byte("create table t (x int);")},
		"sub/a.sql":    {Data: []byte(last)},
		"sub/note.txt": {Data: []byte("no SQL")},
	}
}

func TestMigrationsRunInTheOrderOfTheirPaths(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{Migrations: migrations("insert into t values (3)")})
	if got := sum(t, db); got != 6 {
		t.Errorf("sum = %d, want 6", got)
	}
}

func sum(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("select sum(x) from t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTextThatOnlyLooksLikeAWayBackRuns(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{Migrations: fstest.MapFS{
		"1.sql": {Data: []byte("-- scale down\ncreate table t (x int, y text); -- down\ninsert into t values (7, '\n-- DOWN\n')")},
	}})
	if got := sum(t, db); got != 7 {
		t.Errorf("sum = %d", got)
	}
}

func TestOneChangedByteMakesAnotherTemplate(t *testing.T) {
	t.Parallel()
	first := sqltest.DB(t, sqltest.Options{Migrations: migrations("insert into t values (3)")})
	second := sqltest.DB(t, sqltest.Options{Migrations: migrations("insert into t values (4)")})
	if a, b := sum(t, first), sum(t, second); a != 6 || b != 7 {
		t.Errorf("sums = %d and %d, want 6 and 7", a, b)
	}
}

func TestTemplateIsFilledOnceAndDatabasesAreApart(t *testing.T) {
	t.Parallel()
	var filled atomic.Int32
	o := sqltest.Options{Version: rand.Text(), Migrate: func(ctx context.Context, db *sql.DB) error {
		filled.Add(1)
		_, err := db.ExecContext(ctx, "create table t as select 1 as x")
		return err
	}}
	const databases = 4
	dsns := make([]string, databases)
	var wg sync.WaitGroup
	for i := range databases {
		wg.Go(func() { dsns[i] = sqltest.DSN(t, o) })
	}
	wg.Wait()
	for _, dsn := range dsns {
		if got := query(t, dsn, "update t set x = x + 1 returning x"); got != "2" {
			t.Errorf("x = %s, want 2", got)
		}
	}
	if n := filled.Load(); n != 1 {
		t.Errorf("the template was filled %d times", n)
	}
}

func TestHalfFilledTemplateIsMadeAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	o := sqltest.Options{Version: rand.Text(), Migrate: func(ctx context.Context, db *sql.DB) error {
		if _, err := db.ExecContext(ctx, "create table t as select 1 as x"); err != nil {
			return err
		}
		if calls++; calls == 1 {
			panic("killed")
		}
		return nil
	}}
	func() {
		defer func() { recover() }()
		sqltest.DSN(t, o)
	}()
	if got := sum(t, sqltest.DB(t, o)); got != 1 || calls != 2 {
		t.Errorf("sum = %d after %d calls", got, calls)
	}
}

// fataler is a recorder whose Fatalf ends the goroutine, as a test's does.
type fataler struct{ *recorder }

func (f fataler) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

func TestWrongOptionsAreNamed(t *testing.T) {
	t.Parallel()
	sqltest.Server(t)
	failing := func(context.Context, *sql.DB) error { return errors.New("no luck") }
	tests := []struct {
		name string
		o    sqltest.Options
		want string
	}{
		{"error in a file", sqltest.Options{Migrations: fstest.MapFS{"m/1.sql": {Data: []byte("select 1;\nselect 'é';\nselectt;")}}}, "m/1.sql:3"},
		{"no file", sqltest.Options{Migrations: fstest.MapFS{}}, "no *.sql file"},
		{"a way back", sqltest.Options{Migrations: fstest.MapFS{"1_a.sql": {Data: []byte("-- UP\ncreate table t ();\n-- DOWN\ndrop table t;")}}}, "1_a.sql:3 begins a way back, -- DOWN: run them by Options.Migrate"},
		{"the way back of another tool", sqltest.Options{Migrations: fstest.MapFS{"2.sql": {Data: []byte("-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;")}}}, "2.sql:3 begins a way back"},
		{"a file of the way back", sqltest.Options{Migrations: fstest.MapFS{"1_a.up.sql": {Data: []byte("select 1")}, "1_a.down.sql": {Data: []byte("select 2")}}}, "1_a.down.sql is a way back"},
		{"no version", sqltest.Options{Migrate: failing}, "Options.Version"},
		{"error in the function", sqltest.Options{Migrate: failing, Version: "v7" + rand.Text()}, "no luck"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := fataler{&recorder{TB: t}}
			func() {
				defer func() { recover() }()
				sqltest.DSN(f, tt.o)
			}()
			if got := f.end(); !strings.Contains(got, tt.want) {
				t.Errorf("error = %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestDatabaseOfAFailedTestStays(t *testing.T) {
	t.Parallel()
	dsn := sqltest.Server(t).DSN("")
	out, err := subprocess(t, "", "fail with a database", "PYCOPG_TEST_DSN="+dsn).CombinedOutput()
	if err == nil {
		t.Fatalf("the helper passed:\n%s", out)
	}
	_, kept, found := strings.Cut(string(out), "its database stays: ")
	kept, _, _ = strings.Cut(kept, "\n")
	if !found || !canConnect(kept) {
		t.Fatalf("no database at %q:\n%s", kept, out)
	}
	name := query(t, kept, "select current_database()")
	if _, err := connect(t, dsn).Exec(t.Context(), "drop database "+name+" with (force)").ReadAll(); err != nil {
		t.Error(err)
	}
}

func TestDatabaseIsDroppedWhateverIsLeftInIt(t *testing.T) {
	t.Parallel()
	in := sqltest.Server(t)
	r := &recorder{TB: t}
	dsn := sqltest.DSN(r, sqltest.Options{})
	conn := connect(t, dsn)
	for _, sql := range []string{
		"select pg_create_logical_replication_slot('s" + strings.ToLower(rand.Text()) + "', 'test_decoding')",
		"create table t (x int); begin; insert into t values (1); prepare transaction 'it''s " + rand.Text() + "'",
		"begin",
	} {
		if _, err := conn.Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	name := query(t, dsn, "select current_database()")
	if got := r.end(); got != "" {
		t.Error(got)
	}
	if canConnect(in.DSN(name)) {
		t.Error("the database is still there")
	}
}
