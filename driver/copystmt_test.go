package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

type preparer interface {
	PrepareContext(context.Context, string) (*sql.Stmt, error)
}

// prepareRows prepares a COPY and queues rows.
func prepareRows(t testing.TB, p preparer, statement string, rows ...[]any) *sql.Stmt {
	t.Helper()
	stmt, err := p.PrepareContext(copyContext(t), statement)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stmt.Close() })
	for i, row := range rows {
		if _, err := stmt.Exec(row...); err != nil {
			t.Fatalf("row %d: %v", i+1, err)
		}
	}
	return stmt
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

const pairs = `create schema "Odd"; create table "Odd"."Table" (a int, "B c" text)`

// copyPairs is what lib/pq's CopyInSchema gives.
const copyPairs = `COPY "Odd"."Table" ("a", "B c") FROM STDIN`

func TestPreparedCopyInsideAndOutsideOfTransactions(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, pairs)
	for name, on := range map[string]func() (preparer, querier, func() error){
		"tx":   func() (preparer, querier, func() error) { tx := begin(t, db); return tx, tx, tx.Commit },
		"conn": func() (preparer, querier, func() error) { c := one(t, db); return c, c, c.Close },
	} {
		mustExec(t, db, `truncate "Odd"."Table"`)
		p, q, end := on()
		stmt := prepareRows(t, p, copyPairs, []any{1, "x"}, []any{2, nil})
		if _, err := q.ExecContext(copyContext(t), "select 1"); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("%s: statement in between: %v", name, err)
		}
		if n, err := affected(stmt.Exec()); n != 2 || err != nil {
			t.Errorf("%s: rows = %d, %v", name, n, err)
		}
		if _, err := stmt.Exec(3, "late"); err == nil {
			t.Errorf("%s: a row was taken behind the end", name)
		}
		if err := stmt.Close(); err != nil {
			t.Errorf("%s: Close: %v", name, err)
		}
		if err := end(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := number(t, db, `select count(*) from "Odd"."Table" where a = 1 and "B c" = 'x' or a = 2 and "B c" is null`); n != 2 {
			t.Errorf("%s: rows = %d", name, n)
		}
	}
}

func TestPreparedCopyOfManyRows(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint, t text)")
	tx := begin(t, db)
	stmt := prepareRows(t, tx, "copy numbers from stdin")
	ctx := copyContext(t)
	for i := range rows {
		if _, err := stmt.ExecContext(ctx, i+1, "text"); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := affected(stmt.ExecContext(ctx)); n != rows || err != nil {
		t.Fatalf("rows = %d, %v", n, err)
	}
	if got := number(t, tx, "select sum(n) from numbers"); got != rows*(rows+1)/2 {
		t.Errorf("sum = %d", got)
	}
}

// TestPreparedCopyWritesForColumnTypes compares each stored value with an SQL expression for it.
func TestPreparedCopyWritesForColumnTypes(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create type mood as enum ('sad', 'very "happy"');
		create domain bytes as bytea; create domain more_bytes as bytes; create domain positive as int check (value > 0)`)
	berlin := time.FixedZone("", 2*3600)
	for _, tt := range []struct {
		columnType string
		value      any
		want       string
	}{
		{"int", 7, "7"},
		{"int8", int64(-1 << 62), "-4611686018427387904"},
		{"numeric", "1.50", "1.50"},
		{"float8", 1e21, "1e21"},
		{"float4", float32(0.1), "0.1"},
		{"bool", true, "true"},
		{"text", "tab\tnewline\nreturn\rback\\slash", `e'tab\tnewline\nreturn\rback\\slash'`},
		{"text", `\N`, `e'\\N'`},
		{"text", `\.`, `e'\\.'`},
		{"text", "", "''"},
		{"text", "Zoë 𝄞", "'Zoë 𝄞'"},
		{"text", []byte("bytes as text"), "'bytes as text'"},
		{"text", sql.NullString{}, "null"},
		{"text", []byte(nil), "null"},
		{"bytea", []byte{0, '\\', '\n', 0xff}, `'\x005c0aff'`},
		{"bytes", []byte{0, '\\', 0xff}, `'\x005cff'`},
		{"more_bytes", []byte{0, '\\', 0xff}, `'\x005cff'`},
		{"positive", 3, "3"},
		{"uuid", [16]byte{15: 1}, "'00000000-0000-0000-0000-000000000001'"},
		{"uuid", []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "'00000000-0000-0000-0000-000000000001'"},
		{"jsonb", map[string]any{"a": "x\n\"\\"}, `'{"a": "x\n\"\\"}'`},
		{"jsonb", []byte(`{"b": 1}`), `'{"b": 1}'`},
		{"jsonb", []int{1, 2}, `'[1, 2]'`},
		{"int[]", []int{1, 2}, "'{1,2}'"},
		{"int[]", [][]int{{1}, {2}}, "'{{1},{2}}'"},
		{"text[]", []string{"a,b", `"q"`, `\`, "", "NULL", "n\nl"}, `array['a,b', '"q"', '\', '', 'NULL', e'n\nl']`},
		{"bytea[]", [][]byte{{0, '\\'}, {1}}, `array['\x005c'::bytea, '\x01']`},
		{"mood", "sad", "'sad'"},
		{"mood[]", []string{`very "happy"`, "sad"}, `array['very "happy"', 'sad']::mood[]`},
		{"timestamptz", time.Date(2024, 5, 6, 7, 8, 9, 10_000, berlin), "'2024-05-06 07:08:09.00001+02'"},
		{"timestamp", time.Date(2024, 5, 6, 7, 8, 9, 0, berlin), "'2024-05-06 07:08:09'"},
		{"date", time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), "'2024-05-06'"},
		{"interval", 90 * time.Minute, "'90 min'"},
	} {
		t.Run(fmt.Sprintf("%s %v", tt.columnType, tt.value), func(t *testing.T) {
			for _, list := range []string{"(v)", ""} { // all but the generated column are the same
				tx := begin(t, db)
				defer tx.Rollback()
				mustExec(t, tx, "create temp table holder (dropped int, v "+tt.columnType+", g int generated always as (1) stored)")
				mustExec(t, tx, "alter table holder drop dropped")
				stmt := prepareRows(t, tx, "copy holder "+list+" from stdin", []any{tt.value})
				if n, err := affected(stmt.Exec()); n != 1 || err != nil {
					t.Fatalf("rows = %d, %v", n, err)
				}
				if got := word(t, tx, "select (v is not distinct from ("+tt.want+")::"+tt.columnType+")::text || ' ' || coalesce(v::text, 'null') from holder"); !strings.HasPrefix(got, "true") {
					t.Errorf("stored %s, want %s", got, tt.want)
				}
				tx.Rollback()
			}
		})
	}
}

func TestPreparedCopyErrors(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint primary key, t text)")
	for statement, state := range map[string]string{
		"copy nowhere from stdin":                          "42P01",
		"copy nowhere.nothing (a) from stdin":              "3F000",
		"copy numbers (m) from stdin":                      "42703",
		"copy numbers to stdout":                           "",
		"copy numbers from stdin (format binary)":          "",
		"copy numbers from stdin; drop table numbers":      "",
		"copy numbers from stdin with (format 'nonsense')": "22023",
	} {
		conn := one(t, db)
		tx := begin(t, conn)
		_, errTx := tx.Prepare(statement)
		tx.Rollback()
		_, err := conn.PrepareContext(copyContext(t), statement)
		for where, err := range map[string]error{"transaction": errTx, "connection": err} {
			if err == nil || sqlState(err) != state {
				t.Errorf("%s in a %s: %v, want SQLSTATE %q", statement, where, err, state)
			}
		}
		mustExec(t, conn, "select 1")
		conn.Close()
	}
}

func TestPreparedCopyRowErrorsReachTheLastExec(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint primary key, t text)")
	for name, tt := range map[string]struct {
		row  []any
		want string
	}{
		"server":      {[]any{"x", "y"}, "22P02"},
		"constraint":  {[]any{1, "again"}, "23505"},
		"NUL":         {[]any{3, "a\x00b"}, "row 3: value 2: string holds a NUL byte"},
		"values":      {[]any{3}, "row 3: 1 values for 2 columns"},
		"no encoding": {[]any{3, struct{ X int }{1}}, "row 3: value 2"},
	} {
		conn := one(t, db)
		stmt := prepareRows(t, conn, "copy numbers from stdin", []any{1, "one"}, []any{2, "two"})
		stmt.Exec(tt.row...) // the error is not looked at
		stmt.Exec(4, "four")
		if _, err := stmt.Exec(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		stmt.Close()
		if n := number(t, conn, "select count(*) from numbers"); n != 0 {
			t.Errorf("%s: rows = %d", name, n)
		}
		conn.Close()
	}
}

func TestPreparedCopyClosedEarly(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	tx := begin(t, db)
	if err := prepareRows(t, tx, "copy numbers from stdin", []any{1}).Close(); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	conn := one(t, db)
	if err := prepareRows(t, conn, "copy numbers from stdin", []any{2}).Close(); err != nil {
		t.Error(err)
	}
	if n := number(t, conn, "select sum(n) from numbers"); n != 1 {
		t.Errorf("sum = %d: Close ends a COPY in a transaction and aborts it outside", n)
	}
}

func TestPreparedCopyRolledBack(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	pid := backendPID(t, conn)
	tx := begin(t, conn)
	stmt := prepareRows(t, tx, "copy numbers from stdin", []any{1})
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback: %v", err)
	}
	if _, err := stmt.Exec(); err == nil {
		t.Error("the COPY went on behind the ROLLBACK")
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 || backendPID(t, conn) != pid {
		t.Errorf("rows = %d, or the connection was lost", n)
	}
}

// TestPreparedCopyOnPool uses a *sql.DB, where each Exec may take another connection.
func TestPreparedCopyOnPool(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	stmt, err := db.Prepare("copy numbers from stdin")
	if err != nil {
		t.Fatal(err)
	}
	first := one(t, db) // the connection that has prepared it
	for i := range 3 {
		if res, err := stmt.Exec(i); err == nil || !strings.Contains(err.Error(), "*sql.Tx or *sql.Conn") {
			t.Errorf("Exec on another connection: %v, %v", res, err)
		}
	}
	first.Close()
	if res, err := stmt.Exec(); err == nil || !strings.Contains(err.Error(), "*sql.Tx or *sql.Conn") {
		t.Errorf("Exec at the end: %v, %v", res, err)
	}
	tx := begin(t, db)
	if _, err := tx.Stmt(stmt).Exec(7); err == nil || !strings.Contains(err.Error(), "*sql.Tx or *sql.Conn") {
		t.Errorf("in a transaction: %v", err)
	}
	tx.Rollback()
	stmt.Close()
	conn := one(t, db)
	stmt = prepareRows(t, conn, "copy numbers from stdin", []any{1}) // the text is not refused for good
	if n, err := affected(stmt.Exec()); n != 1 || err != nil {
		t.Errorf("rows = %d, %v", n, err)
	}
}

func TestPreparedCopyTakesLines(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint, t text)")
	conn := one(t, db)
	ctx := copyContext(t)
	for _, statement := range []string{
		"copy numbers from stdin csv", "copy numbers from stdin with (format 'csv')", "copy numbers from stdin (delimiter ',')",
	} {
		err := conn.Raw(func(dc any) error {
			stmt, err := dc.(sqldriver.ConnPrepareContext).PrepareContext(ctx, statement)
			if err != nil {
				return err
			}
			if _, err := stmt.(sqldriver.StmtExecContext).ExecContext(ctx, []sqldriver.NamedValue{{Value: 1}, {Value: "x"}}); err == nil || !strings.Contains(err.Error(), "CopyData") {
				t.Errorf("%s: values: %v", statement, err)
			}
			lines := stmt.(interface {
				CopyData(context.Context, string) (sqldriver.Result, error)
			})
			for i := range 20_000 {
				if _, err := lines.CopyData(ctx, fmt.Sprintf("%d,text", i)); err != nil {
					return err
				}
			}
			res, err := stmt.(sqldriver.StmtExecContext).ExecContext(ctx, nil)
			if n, err := affected(res, err); n != 20_000 || err != nil {
				t.Errorf("%s: rows = %d, %v", statement, n, err)
			}
			return stmt.Close()
		})
		if err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestPreparedCopyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	slowTable(t, db, "before insert on numbers for each row")
	conn := one(t, db)
	pid := backendPID(t, conn)
	stmt := prepareRows(t, conn, "copy numbers from stdin")
	ctx, cancel := context.WithCancel(copyContext(t))
	whenSleeping(t, db, pid, cancel)
	var err error
	for err == nil {
		_, err = stmt.ExecContext(ctx, 1)
	}
	if !errors.Is(err, context.Canceled) || sqlState(err) != "57014" {
		t.Errorf("error = %v", err)
	}
	if _, last := stmt.Exec(); last == nil || last.Error() != err.Error() {
		t.Errorf("last Exec: %v", last)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 || backendPID(t, conn) != pid {
		t.Errorf("rows = %d, or the connection was lost", n)
	}
}

func TestPreparedCopyCostsOneRoundTrip(t *testing.T) {
	t.Parallel()
	s, f := newSpace(t), sqltest.Server(t).Fault(t)
	db := openSpace(t, s, f.Addr().String(), nil)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	before := f.RoundTrips()
	prepareRows(t, conn, "copy numbers from stdin", []any{1})
	if n := f.RoundTrips() - before; n != 1 {
		t.Errorf("Prepare took %d round trips", n)
	}
}
