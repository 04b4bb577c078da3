package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"testing"

	"github.com/pycopg/pycopg/ext"
)

func TestStreamGivesRowsAndEndsAtTheFirstError(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		n := 0
		for v, err := range ext.Stream[int](t.Context(), q, "select i from generate_series(1, $1::int) i", 1000) {
			if n++; v != n || err != nil {
				t.Fatalf("row %d: %d, %v", n, v, err)
			}
		}
		if n != 1000 {
			t.Errorf("%d rows", n)
		}
		var errs []error
		n = 0
		for _, err := range ext.Stream[int](t.Context(), q, "select 1/(3-i) from generate_series(1, 5) i") {
			if err == nil {
				n++
				continue
			}
			errs = append(errs, err)
		}
		if n != 2 || len(errs) != 1 || sqlState(errs[0]) != "22012" {
			t.Errorf("%d rows, then %v, want 2 and one 22012", n, errs)
		}
	})
}

func TestBreakingOffAStreamLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for v, err := range ext.Stream[string](t.Context(), q, "select repeat('x', 200) from generate_series(1, 20000)") {
			if len(v) != 200 || err != nil {
				t.Fatal(v, err)
			}
			break
		}
		if word(t, q, "select 1") != "1" {
			t.Error("the handle is not usable")
		}
	})
	pid := word(t, conn, "select pg_backend_pid()")
	func() {
		defer func() { recover() }()
		for range ext.Stream[int](t.Context(), conn, "select generate_series(1, 1000)") {
			panic("in the loop")
		}
	}()
	if word(t, conn, "select pg_backend_pid()") != pid {
		t.Error("a panic in the loop cost the connection")
	}
}

func TestStreamOfAMillionRowsTakesLittleMemory(t *testing.T) {
	db := openDB(t)
	type row struct {
		ID   int
		Text string
	}
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	start, most, n := live(), uint64(0), 0
	for r, err := range ext.Stream[row](t.Context(), db, "select i as id, repeat('x', 192) as text from generate_series(1, 1000000) i") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; r.ID != n {
			t.Fatalf("row %d has number %d", n, r.ID)
		}
		if n%100_000 == 0 {
			most = max(most, live())
		}
	}
	if n != 1_000_000 || most > start+32<<20 {
		t.Errorf("%d rows, %d MiB above the start", n, (most-start)>>20)
	}
}

func TestStreamPagesLetsOtherStatementsRunInBetween(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int primary key, done bool not null default false); insert into t select generate_series(1, 25)")
	for name, tx := range map[string]*sql.Tx{"Tx": begin(t, db), "wrapping driver": begin(t, wrap(t, db))} {
		n := 0
		for id, err := range ext.StreamPages[int](t.Context(), tx, 10, "select id from t where id > $1 order by id", 0) {
			if n++; id != n || err != nil {
				t.Fatalf("%s: row %d: %d, %v", name, n, id, err)
			}
			mustExec(t, tx, "update t set done = true where id = $1", id)
			for inner, err := range ext.StreamPages[int](t.Context(), tx, 1, "values (1), (2)") {
				if err != nil {
					t.Fatal(err)
				}
				if inner == 1 {
					break
				}
			}
		}
		if n != 25 || word(t, tx, "select count(*) from t where done") != "25" {
			t.Errorf("%s: %d rows", name, n)
		}
		if left := word(t, tx, "select count(*) from pg_cursors where name like 'pycopg%'"); left != "0" {
			t.Errorf("%s: %s cursors are left", name, left)
		}
		tx.Rollback()
	}
}

func TestStreamPagesNeedsATransaction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, q := range []ext.Querier{db, one(t, db)} {
		n := 0
		for _, err := range ext.StreamPages[int](t.Context(), q, 0, "select 1") {
			if n++; !errors.Is(err, ext.ErrNoTransaction) {
				t.Errorf("%T: %v, want ErrNoTransaction", q, err)
			}
		}
		if n != 1 {
			t.Errorf("%T: yielded %d times", q, n)
		}
	}
	tx := begin(t, db)
	for _, err := range ext.StreamPages[int](t.Context(), tx, 2, "select 1/(3-i) from generate_series(1, 5) i") {
		if err != nil && sqlState(err) != "22012" {
			t.Error(err)
		}
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range ext.Stream[int](ctx, db, "select i from generate_series(1, 10000000) i") {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("last error = %v, want Canceled", last)
	}
	if word(t, db, "select 1") != "1" {
		t.Error("the pool is not usable")
	}
}

func TestDescribeNamesTypes(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create schema app; create type app.mood as enum ('ok'); create table app.t (m app.mood, n numeric(10,2), v varchar(5)[])")
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		d, err := ext.Describe(t.Context(), q, "select m, n, v, $1::text as x from app.t where m = $2")
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Params) != 2 || d.Params[0] != (ext.Param{OID: 25, Type: "text"}) || d.Params[1].Type != "app.mood" {
			t.Errorf("params: %+v", d.Params)
		}
		want := []struct {
			name, typ string
			attribute uint16
		}{{"m", "app.mood", 1}, {"n", "numeric(10,2)", 2}, {"v", "character varying(5)[]", 3}, {"x", "text", 0}}
		if len(d.Columns) != len(want) {
			t.Fatalf("columns: %+v", d.Columns)
		}
		for i, w := range want {
			if c := d.Columns[i]; c.Name != w.name || c.Type != w.typ || c.Attribute != w.attribute || (c.Table == 0) != (w.attribute == 0) {
				t.Errorf("column %d: %+v, want %+v", i, c, w)
			}
		}
		if d, err := ext.Describe(t.Context(), q, "create table x ()"); err != nil || d.Params != nil || d.Columns != nil {
			t.Errorf("no parameters, no rows: %+v, %v", d, err)
		}
		if _, err := ext.Describe(t.Context(), q, "select from nowhere"); sqlState(err) != "42P01" {
			t.Errorf("error = %v, want 42P01", err)
		}
	})
	_, err := ext.Describe(t.Context(), foreignDB(t), "select 1")
	wantForeign(t, "Describe", err)
}
