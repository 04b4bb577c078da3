package copyout_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

const kindTable = `create type mood as enum ('sad', 'ok'); create domain positive as int check (value > 0); create type pair as (a int, b text);
create table kind (i2 smallint, i4 int, i8 bigint, f4 real, f8 float8, b bool, t text, c char(3), v varchar, at timestamptz, ts timestamp, d date,
	u uuid, y bytea, n numeric, j jsonb, js json, m mood, p positive, r pair, ip inet, nums int[], texts text[], span int4range, iv interval);
insert into kind values (1, 2, 3, 1.5, 2.5, true, 'text', 'ab', 'v', '2024-05-06 07:08:09.123456+00', '2024-05-06 07:08:09', '2024-05-06',
	'00010203-0405-0607-0809-0a0b0c0d0e0f', '\x0001ff', 123.4500, '{"a": 1}', '[1, 2]', 'ok', 7, '(1,x)', '10.0.0.1', '{1,NULL,3}', '{a,"b,c"}', '[1,5)', '1 day 02:00'),
	(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`

// agree compares copyout.Rows with ext.Query on one query.
func agree[T any](t *testing.T, q ext.Querier, sql string, args ...any) {
	t.Helper()
	want, err := ext.Query[T](t.Context(), q, sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	var got []T
	for v, err := range copyout.Rows[T](t.Context(), q, copyout.Query(sql, args...)) {
		if err != nil {
			t.Fatalf("%T: %s: %v", *new(T), sql, err)
		}
		got = append(got, v)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%+v, want\n%+v", sql, got, want)
	}
}

func TestRowsAreThoseOfAQuery(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, kindTable)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		agree[map[string]any](t, q, "select * from kind")
		agree[[]any](t, q, "select * from kind")
		type plain struct {
			I2, I4, I8 *int
			F8         sql.NullFloat64
			B          *bool
			T, C, V, N sql.Null[string]
			At, TS, D  *time.Time
			U          *[16]byte
			Y          []byte
			M          *string
			P          sql.NullInt64
		}
		agree[plain](t, q, "select i2, i4, i8, f8, b, t, c, v, n, at, ts, d, u, y, m, p from kind where i2 is not null")
		type usual struct {
			I8 int64
			F8 float64
			T  string
			At time.Time
		}
		agree[usual](t, q, "select i8, f8, t, at from kind where i2 = $1", 1)
		agree[*usual](t, q, "select at, i8, f8, t from kind where i2 = $1", 1)
		type rich struct {
			J     map[string]int
			Js    []int
			Nums  []*int
			Texts []string
			Iv    time.Duration
			IP    string
			R     string
			Span  string
		}
		agree[rich](t, q, "select j, js, nums, texts, iv, ip, r, span from kind where i2 = 1")
		agree[int](t, q, "select i from generate_series(1, 10000) i")
		agree[string](t, q, "select repeat('x', i) from generate_series(1, 300) i")
		agree[[]byte](t, q, "select convert_to(repeat('x', 100000), 'UTF8') from generate_series(1, 3)")
		agree[uint8](t, q, "select 255")
		agree[*string](t, q, "select null::text union all select 'a'")
		agree[any](t, q, "select 1.5::float8")
		agree[int](t, q, "select 1 where false")
		agree[[]any](t, q, "select 1 as a, 2 as a, 'infinity'::timestamptz, 'NaN'::numeric, 'x'::\"char\", '{10.0.0.1}'::inet[]")
	})
	for v, err := range copyout.Rows[[]any](t.Context(), db, copyout.Table("kind", "i4")) {
		if err != nil || len(v) != 1 {
			t.Errorf("%v, %v", v, err)
		}
	}
}

// failure is the error of ranging over rows, which must come last.
func failure[T any](ctx context.Context, q ext.Querier, src copyout.Source) (n int, failure error) {
	for _, err := range copyout.Rows[T](ctx, q, src) {
		if failure != nil {
			return n, fmt.Errorf("rows behind the error %w", failure)
		}
		if failure = err; err == nil {
			n++
		}
	}
	return n, failure
}

func TestRowsFailByName(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type one struct{ A int }
	tests := []struct {
		name string
		run  func() (int, error)
		n    int
		code string
	}{
		{"server", func() (int, error) {
			return failure[int](t.Context(), db, copyout.Query("select 1/(3-i) from generate_series(1, 5) i"))
		}, 2, "22012"},
		{"syntax", func() (int, error) { return failure[int](t.Context(), db, copyout.Query("selec")) }, 0, "42601"},
		{"no table", func() (int, error) { return failure[int](t.Context(), db, copyout.Table("Nothing")) }, 0, "42P01"},
		{"NULL", func() (int, error) { return failure[int](t.Context(), db, copyout.Query("select null::int")) }, 0, ""},
		{"range", func() (int, error) { return failure[int8](t.Context(), db, copyout.Query("select 300")) }, 0, ""},
		{"negative", func() (int, error) { return failure[uint64](t.Context(), db, copyout.Query("select -1")) }, 0, ""},
		{"field", func() (int, error) { return failure[one](t.Context(), db, copyout.Query("select 1 as b")) }, 0, ""},
		{"two columns", func() (int, error) { return failure[int](t.Context(), db, copyout.Query("select 1, 2")) }, 0, ""},
		{"no rows", func() (int, error) { return failure[int](t.Context(), db, copyout.Query("vacuum")) }, 0, ""},
		{"two statements", func() (int, error) { return failure[int](t.Context(), db, copyout.Query("select 1; select 2")) }, 0, ""},
	}
	for _, tt := range tests {
		n, err := tt.run()
		if err == nil || n > tt.n || sqlState(err) != tt.code {
			t.Errorf("%s: %d rows, %v", tt.name, n, err)
		}
	}
	mustExec(t, db, "select 1")
}

func TestLeavingRowsEarlyLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int)")
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		mustExec(t, q, "insert into t values (1)")
		type row struct {
			I int
			S string
		}
		for range copyout.Rows[row](t.Context(), q, copyout.Query("select i, repeat('x', 100) as s from generate_series(1, 3000000) i")) {
			break
		}
		for range copyout.Rows[map[string]any](t.Context(), q, copyout.Query("select i, repeat('x', 100) as s from generate_series(1, 3000000) i")) {
			break
		}
		func() {
			defer func() { recover() }()
			for range copyout.Rows[int](t.Context(), q, copyout.Query("select generate_series(1, 3000000)")) {
				panic("in the loop")
			}
		}()
		if got := word(t, q, "select count(*) from t"); got != "1" {
			t.Errorf("%s rows", got)
		}
		mustExec(t, q, "delete from t")
	})
}

func TestLoopThatUsesTheConnectionGetsErrBusy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, rows := range []int{1, 2, 50_000} {
		for _, q := range []ext.Querier{one(t, db), begin(t, db)} {
			n := 0
			for _, err := range copyout.Rows[int](t.Context(), q, copyout.Query("select generate_series(1, $1::int)", rows)) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n > 1 && n < rows {
					continue
				}
				if _, err := q.ExecContext(t.Context(), "select 1"); !errors.Is(err, driver.ErrBusy) {
					t.Errorf("%T, row %d of %d: %v, want ErrBusy", q, n, rows, err)
				}
				for _, err := range copyout.Rows[int](t.Context(), q, copyout.Query("select 1")) {
					if !errors.Is(err, driver.ErrBusy) {
						t.Errorf("%T, row %d of %d: inner rows: %v, want ErrBusy", q, n, rows, err)
					}
				}
			}
			if n != rows {
				t.Errorf("%d rows, want %d", n, rows)
			}
			mustExec(t, q, "select 1")
			for range copyout.Rows[int](t.Context(), q, copyout.Query("select 1")) {
				break
			}
			mustExec(t, q, "select 1")
		}
	}
	n := 0 // a pool has other connections
	for range copyout.Rows[int](t.Context(), db, copyout.Query("select generate_series(1, 20)")) {
		mustExec(t, db, "select 1")
		n++
	}
	if n != 20 {
		t.Errorf("%d rows", n)
	}
}

func TestRowsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range copyout.Rows[int](ctx, db, copyout.Query("select i from generate_series(1, 10000000) i")) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("last error = %v", last)
	}
	mustExec(t, db, "select 1")
}

func TestReaderIsTheStream(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	r, err := copyout.NewReader(t.Context(), db, "copy (select i, null from generate_series(1, 50000) i) to stdout (format binary)")
	if err != nil {
		t.Fatal(err)
	}
	d, err := copyout.NewDecoder(r, copyout.DecoderOptions{Format: copyout.Binary, Types: []uint32{23, 25}})
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for row, err := range d.Rows() {
		if n++; err != nil || row[0] != n || row[1] != nil {
			t.Fatal(row, err)
		}
	}
	if n != 50_000 || r.Rows() != n || r.Close() != nil || r.Close() != nil {
		t.Errorf("%d rows, %d", n, r.Rows())
	}
	if _, err := copyout.NewReader(t.Context(), db, "select 1"); err == nil {
		t.Error("a statement that is no COPY was accepted")
	}
	r, err = copyout.NewReader(t.Context(), one(t, db), "copy (select generate_series(1, 3000000)) to stdout")
	if err != nil {
		t.Fatal(err)
	}
	r.Read(make([]byte, 10))
	r.Close()
	if _, err := r.Read(make([]byte, 10)); err == nil {
		t.Error("Read after Close is nil")
	}
}
