package copyout_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

const itemTable = `create table item (id int primary key, name text, twice int generated always as (id * 2) stored);
	insert into item values (1, 'a'), (2, null), (3, E'x,"y"\n')`

// userWriter is a writer that the package does not know.
type userWriter struct{ io.Writer }

func TestCSVOfTablesAndQueries(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	mustExec(t, db, `create schema "order"; create table "order"."Odd.name" (a text); insert into "order"."Odd.name" values ('é')`)
	at := time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC)
	tests := []struct {
		name    string
		source  copyout.Source
		options copyout.CSVOptions
		want    string
	}{
		{"table", copyout.Table("item"), copyout.CSVOptions{}, "id,name,twice\n1,a,2\n2,,4\n3,\"x,\"\"y\"\"\n\",6\n"},
		{"columns", copyout.Table("item", "name", "id"), copyout.CSVOptions{NoHeader: true, Delimiter: '|', Quote: '\'', Null: "NIL"}, "a|1\nNIL|2\n'x,\"y\"\n'|3\n"},
		{"query", copyout.Query("select id, $2::text as t, $1::timestamptz at time zone 'UTC' as at, $3::int[] as n from item where id = $4 or name = $2; -- the end", at, `it's \ $1`, []int{1, 2}, 1), copyout.CSVOptions{}, "id,t,at,n\n1,it's \\ $1,2024-01-02 03:04:05.000006,\"{1,2}\"\n"},
		{"NULL argument", copyout.Query("select $1::int + 1 as n, '$1' as s", nil), copyout.CSVOptions{Null: "-"}, "n,s\n-,$1\n"},
		{"odd name", copyout.Table(`order."Odd.name"`), copyout.CSVOptions{Encoding: "latin1"}, "a\n\xe9\n"},
		{"quotes", copyout.Table("item", "id"), copyout.CSVOptions{ForceQuoteAll: true}, "id\n\"1\"\n\"2\"\n\"3\"\n"},
		{"some quotes", copyout.Table("item", "id", "name"), copyout.CSVOptions{ForceQuote: []string{"id"}, NoHeader: true, Escape: '\\'}, "\"1\",a\n\"2\",\n\"3\",\"x,\\\"y\\\"\n\"\n"},
	}
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for _, tt := range tests {
			for _, user := range []bool{false, true} {
				var b bytes.Buffer
				w := io.Writer(&b)
				if user {
					w = userWriter{&b}
				}
				n, err := copyout.CSV(t.Context(), q, tt.source, w, tt.options)
				if err != nil || b.String() != tt.want || n == 0 {
					t.Errorf("%s: %q, %d, %v, want %q", tt.name, b.String(), n, err, tt.want)
				}
			}
		}
	})
	for name, src := range map[string]copyout.Source{
		"arguments": copyout.Query("select $1::int"), "too many": copyout.Query("select 1", 1), "no table": copyout.Table("nothing"), "name": copyout.Table("a.b.c"),
		"value": copyout.Query("select $1::int", 1.5), "column": copyout.Table("item", "z"),
	} {
		if n, err := copyout.CSV(t.Context(), db, src, io.Discard, copyout.CSVOptions{}); err == nil || n != 0 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestCSVFileIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	dir := t.TempDir()
	name := filepath.Join(dir, "out.csv")
	os.WriteFile(name, []byte("before"), 0o600)
	if _, err := copyout.CSVFile(t.Context(), db, copyout.Query("select 1/(2-id) from item"), name, copyout.CSVOptions{}); sqlState(err) != "22012" {
		t.Errorf("error = %v", err)
	}
	if b, _ := os.ReadFile(name); string(b) != "before" {
		t.Errorf("a failure has changed the file: %q", b)
	}
	if n, err := copyout.CSVFile(t.Context(), db, copyout.Table("item", "id"), name, copyout.CSVOptions{}); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if b, _ := os.ReadFile(name); string(b) != "id\n1\n2\n3\n" {
		t.Errorf("%q", b)
	}
	if n, err := copyout.CSVFile(t.Context(), db, copyout.Table("item", "id"), name+".gz", copyout.CSVOptions{}); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	f, _ := os.Open(name + ".gz")
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(z); string(b) != "id\n1\n2\n3\n" {
		t.Errorf("%q", b)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("files are left: %v", left)
	}
}

var errWriter = errors.New("the writer failed")

// limited fails after n bytes.
type limited struct {
	n    int
	last error
	q    ext.Querier // used meanwhile
}

func (l *limited) Write(p []byte) (int, error) {
	if l.q != nil {
		_, l.last = l.q.ExecContext(context.Background(), "select 1")
	}
	if l.n -= len(p); l.n < 0 {
		return 0, errWriter
	}
	return len(p), nil
}

const manyRows = "select i, repeat('x', 100) from generate_series(1, 200000) i"

func TestWritersErrorComesBackUnchanged(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, bytes := range []int{0, 1 << 20} {
		onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
			if n, err := copyout.CSV(t.Context(), q, copyout.Query(manyRows), &limited{n: bytes}, copyout.CSVOptions{}); n != 0 || err != errWriter {
				t.Errorf("%d, %v", n, err)
			}
			mustExec(t, q, "select 1")
		})
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		if n, err := copyout.To(t.Context(), q, "copy ("+manyRows+") to stdout", full); n != 0 || err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("full disk: %d, %v", n, err)
		}
		mustExec(t, q, "select 1")
	})
}

func TestNothingToReadOrWriteIsRefused(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New() // which refuses any statement
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	csv := func(src copyout.Source, w io.Writer) error {
		_, err := copyout.CSV(t.Context(), db, src, w, copyout.CSVOptions{})
		return err
	}
	for want, run := range map[string]func() error{
		"the writer is nil":   func() error { return csv(copyout.Table("t"), nil) },
		"copyout: the writer": func() error { _, err := copyout.To(t.Context(), db, "copy t to stdout", nil); return err },
		"the query is empty":  func() error { return csv(copyout.Query(" \n"), io.Discard) },
		"copyout: the query":  func() error { _, err := failure[int](t.Context(), db, copyout.Query("")); return err },
		"name is empty":       func() error { return csv(copyout.Table(""), io.Discard) },
		`x.csv": the query`: func() error {
			_, err := copyout.CSVFile(t.Context(), db, copyout.Query(""), filepath.Join(t.TempDir(), "x.csv"), copyout.CSVOptions{})
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := mock.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

func TestWriterThatUsesTheHandleGetsErrBusy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, q := range []ext.Querier{one(t, db), begin(t, db)} {
		w := &limited{n: 1 << 30, q: q}
		if n, err := copyout.To(t.Context(), q, "copy ("+manyRows+") to stdout", w); n != 200_000 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if w.n == 1<<30 {
			t.Error("nothing was written")
		}
		w = &limited{n: 1 << 20, q: q}
		copyout.To(t.Context(), q, "copy ("+manyRows+") to stdout", w)
		if !errors.Is(w.last, driver.ErrBusy) {
			t.Errorf("%T: %v, want ErrBusy", q, w.last)
		}
		w = &limited{n: 1 << 20, q: q} // all has come before it is written
		copyout.CSV(t.Context(), q, copyout.Query("select 1"), w, copyout.CSVOptions{})
		if !errors.Is(w.last, driver.ErrBusy) {
			t.Errorf("%T, one row: %v, want ErrBusy", q, w.last)
		}
		mustExec(t, q, "select 1")
	}
}

func TestTableOfAnotherCaseIsHinted(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	for _, w := range []io.Writer{io.Discard, userWriter{io.Discard}} {
		_, err := copyout.CSV(t.Context(), db, copyout.Table("Item"), w, copyout.CSVOptions{})
		if sqlState(err) != "42P01" || !strings.Contains(err.Error(), `"item" does: names keep their case here`) {
			t.Errorf("%v", err)
		}
	}
}

func TestCopyOutEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	n, err := copyout.To(ctx, db, "copy ("+manyRows+") to stdout", writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }))
	if n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	mustExec(t, db, "select 1")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestPipeBetweenTwoServers(t *testing.T) {
	t.Parallel()
	from, to := openDB(t), openDB(t)
	mustExec(t, to, "create table t (n int, s text)")
	out := "copy (" + manyRows + ") to stdout (format binary)"
	in := "copy t from stdin (format binary)"
	if n, err := copyout.Pipe(t.Context(), from, out, to, in); n != 200_000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if got := word(t, to, "select count(*) || ' ' || sum(n) || ' ' || sum(length(s)) from t"); got != "200000 20000100000 20000000" {
		t.Errorf("%s", got)
	}
	mustExec(t, to, "truncate t; alter table t add check (n < 150000)")
	conn := one(t, from)
	if n, err := copyout.Pipe(t.Context(), conn, out, to, in); n != 0 || sqlState(err) != "23514" {
		t.Errorf("the second fails: %d, %v", n, err)
	}
	mustExec(t, conn, "select 1")
	conn = one(t, to)
	mustExec(t, conn, "alter table t drop constraint t_n_check")
	n, err := copyout.Pipe(t.Context(), from, "copy (select i, repeat('x', 100 / (190000 - i)) from generate_series(1, 200000) i) to stdout (format binary)", conn, in)
	if n != 0 || sqlState(err) != "22012" {
		t.Errorf("the first fails: %d, %v", n, err)
	}
	if got := word(t, conn, "select count(*) from t"); got != "0" {
		t.Errorf("%s rows are left", got)
	}
	if _, err := copyout.Pipe(t.Context(), conn, out, conn, in); !errors.Is(err, driver.ErrBusy) {
		t.Errorf("to itself: %v", err)
	}
	to.SetMaxOpenConns(1)
	if _, err := copyout.Pipe(t.Context(), to, out, to, in); !errors.Is(err, driver.ErrBusy) {
		t.Errorf("a pool of one: %v", err)
	}
}

func TestPipeOfTwoFormatsIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (n int, s text); create sequence used")
	for from, to := range map[string]string{
		"(format binary)":      "",
		"":                     "(format binary)",
		"(format csv, header)": "(format csv)",
	} {
		n, err := copyout.Pipe(t.Context(), db, "copy (select nextval('used'), 'x') to stdout "+from, db, "copy t from stdin "+to)
		if n != 0 || err == nil || !strings.Contains(err.Error(), "pipe: ") {
			t.Errorf("%q into %q: %d, %v", from, to, n, err)
		}
	}
	if got := word(t, db, "select is_called from used"); got != "false" {
		t.Error("a statement was sent")
	}
}

// TestPipeReadsNoFasterThanItWrites keeps the table that is filled locked: the server that is read from waits for its client.
func TestPipeReadsNoFasterThanItWrites(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (n int, s text)")
	lock := begin(t, db)
	mustExec(t, lock, "lock table t in access exclusive mode")
	from := one(t, db)
	pid := word(t, from, "select pg_backend_pid()")
	type result struct {
		n   int64
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := copyout.Pipe(t.Context(), from, "copy ("+manyRows+") to stdout", db, "copy t from stdin")
		done <- result{n, err}
	}()
	for word(t, db, "select wait_event from pg_stat_activity where pid = $1::int", pid) != "ClientWrite" {
		select {
		case r := <-done:
			t.Fatalf("it did not wait: %d, %v", r.n, r.err)
		default:
		}
	}
	lock.Rollback()
	if r := <-done; r.n != 200_000 || r.err != nil {
		t.Errorf("%d, %v", r.n, r.err)
	}
}

func TestQueryTakesThePlaceholdersOfItsPool(t *testing.T) {
	t.Parallel()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Placeholder = driver.PlaceholderFormat
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()
	for _, tt := range []struct {
		query string
		args  []any
		want  string
	}{
		{"select %s::int, %s::text, 7 %% 4", []any{1, "it's %s $1"}, "1,it's %s $1,3\n"},
		{"select %(b)s::int, %(a)s::int, %(b)s::int", []any{map[string]any{"a": 1, "b": 2}}, "2,1,2\n"},
		{"select $1::int, 7 % 4", []any{1}, "1,3\n"},
		{"select 7 % 4", nil, "3\n"},
	} {
		var b strings.Builder
		if _, err := copyout.CSV(t.Context(), db, copyout.Query(tt.query, tt.args...), &b, copyout.CSVOptions{NoHeader: true}); err != nil || b.String() != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.query, b.String(), err, tt.want)
		}
	}
	for query, want := range map[string]string{"select %s": "1 placeholders, but 2 arguments", "select %d": "only %s, %b and %t"} {
		if _, err := copyout.CSV(t.Context(), db, copyout.Query(query, 1, 2), io.Discard, copyout.CSVOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}
