package ext_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/ext"
)

type audit struct {
	CreatedAt time.Time
	UpdatedBy *string
}

type address struct {
	Street string `json:"street"`
	Zip    int    `json:"zip"`
}

type mood string

type person struct {
	audit
	ID      int64
	Name    string   `db:"full_name"`
	Tags    []string `db:"tags"`
	Address address
	Scores  [][]int32
	Wait    time.Duration
	Mood    mood
	Moods   []mood
	IP      netip.Addr
	Doc     map[string]any
	Key     [16]byte
	Note    sql.Null[string]
	Parts   sql.Null[[]int]
	Amount  *big.Int
	Skipped chan int `db:"-"`
	//lint:ignore U1000 it is there to be left alone
	private int
}

const personQuery = `
	select 7 as id, 'Ada' as full_name, '{a,"b c",NULL}'::text[] as tags_with_null, array['x','y z'] as tags,
	       '{"street":"S","zip":12}'::jsonb as address, '{{1,2},{3,4}}'::int[] as scores, '1 day 02:00:00.5'::interval as wait,
	       'ok'::mood as mood, '{ok,sad}'::mood[] as moods, '10.0.0.1'::inet as ip, '{"a":[1,null]}'::json as doc,
	       '6fa459ea-ee8a-3ca4-894e-db77e160355e'::uuid as key, null::text as note, '{5}'::int[] as parts,
	       123456789012345678901234567890::numeric as amount,
	       '2024-02-03 04:05:06Z'::timestamptz as created_at, 'root' as updated_by`

func wantPerson() person {
	amount, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	root := "root"
	return person{
		audit: audit{CreatedAt: time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC).Local(), UpdatedBy: &root},
		ID:    7, Name: "Ada", Tags: []string{"x", "y z"}, Address: address{"S", 12}, Scores: [][]int32{{1, 2}, {3, 4}},
		Wait: 26*time.Hour + 500*time.Millisecond, Mood: "ok", Moods: []mood{"ok", "sad"}, IP: netip.MustParseAddr("10.0.0.1"),
		Doc:   map[string]any{"a": []any{1.0, nil}},
		Key:   [16]byte{0x6f, 0xa4, 0x59, 0xea, 0xee, 0x8a, 0x3c, 0xa4, 0x89, 0x4e, 0xdb, 0x77, 0xe1, 0x60, 0x35, 0x5e},
		Parts: sql.Null[[]int]{V: []int{5}, Valid: true}, Amount: amount,
	}
}

func TestQueryFillsStructsOnEveryHandle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create type mood as enum ('ok', 'sad')")
	query := strings.Replace(personQuery, "'{a,\"b c\",NULL}'::text[] as tags_with_null, ", "", 1)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for range 2 { // unknown to the driver, then known
			got, err := ext.Query[person](t.Context(), q, query+" from generate_series(1, $1)", 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 3 || !reflect.DeepEqual(got[2], wantPerson()) {
				t.Errorf("got\n%+v\nwant 3 of\n%+v", got, wantPerson())
			}
		}
		pointers, err := ext.Query[*person](t.Context(), q, query)
		if err != nil || len(pointers) != 1 || !reflect.DeepEqual(*pointers[0], wantPerson()) {
			t.Errorf("pointers: %+v, %v", pointers, err)
		}
	})
}

func TestQueryNamesColumnsThatDoNotFit(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type row struct {
		ID     int
		UserID int
	}
	tests := []struct{ query, want string }{
		{"select 1 as id", `no column in the result: "user_id"`},
		{"select 1 as id, 2 as user_id, 3 as x, 4 as \"Y y\"", `no field for column "x", "Y y"`},
		{"select 1 as id, 2 as user_id, 3 as id", `more than one column is called "id"`},
	}
	for _, tt := range tests {
		if _, err := ext.Query[row](t.Context(), db, tt.query); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.query, err, tt.want)
		}
		if _, err := ext.Query[ext.Lax[row]](t.Context(), db, tt.query); err != nil {
			t.Errorf("%s: Lax: %v", tt.query, err)
		}
	}
	got, err := ext.QueryOne[ext.Lax[row]](t.Context(), db, "select 5 as user_id, 'x' as other")
	if err != nil || got.Row != (row{UserID: 5}) {
		t.Errorf("Lax: %+v, %v", got, err)
	}
	if _, err := ext.Query[map[string]any](t.Context(), db, "select 1 as a, 2 as a"); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("map: %v, want an error naming the column", err)
	}
	lax, err := ext.QueryOne[ext.Lax[map[string]any]](t.Context(), db, "select 1 as a, 2 as a")
	if err != nil || lax.Row["a"] != int64(2) {
		t.Errorf("Lax map: %v, %v", lax.Row, err)
	}
	if _, err := ext.Query[int](t.Context(), db, "select 1 as a, 2 as b"); err == nil || !strings.Contains(err.Error(), "one column") {
		t.Errorf("scalar of two columns: %v", err)
	}
}

func TestStructsThatCannotBeRowsAreRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type twice struct {
		A int `db:"x"`
		B int `db:"x"`
	}
	type misspelt struct {
		A int `db:"x,omitempty"`
	}
	//lint:ignore U1000 it is there to be left alone
	type empty struct{ a int }
	for name, err := range map[string]error{
		"x":         second(ext.Query[twice](t.Context(), db, "select 1 as x")),
		"omitempty": second(ext.Query[misspelt](t.Context(), db, "select 1 as x")),
		"no export": second(ext.Query[empty](t.Context(), db, "select 1 as x")),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want an error with %q", err, name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestEmbeddedStructsAndPointersToThem(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type Base struct{ ID, Kind int }
	type outer struct {
		*Base
		Kind string
	}
	got, err := ext.Query[outer](t.Context(), db, "select i as id, 'outer' as kind from generate_series(1, 2) i")
	if err != nil || len(got) != 2 || got[0].ID != 1 || got[1].ID != 2 || got[0].Kind != "outer" {
		t.Errorf("got %+v, %v: the rows must not share the embedded struct", got, err)
	}
}

func TestNoRowAndNullAreToldApart(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		if _, err := ext.QueryVal[int](ctx, q, "select 1 where false"); err != sql.ErrNoRows {
			t.Errorf("no row: %v, want sql.ErrNoRows", err)
		}
		if _, err := ext.QueryOne[map[string]any](ctx, q, "select 1 as a where false"); err != sql.ErrNoRows {
			t.Errorf("no row: %v, want sql.ErrNoRows", err)
		}
		if got, err := ext.QueryVal[sql.Null[int]](ctx, q, "select null::int"); err != nil || got.Valid {
			t.Errorf("NULL: %v, %v", got, err)
		}
		if got, err := ext.QueryVal[*string](ctx, q, "select null::text"); err != nil || got != nil {
			t.Errorf("NULL: %v, %v", got, err)
		}
		if got, err := ext.QueryVal[*address](ctx, q, "select 'null'::jsonb"); err != nil || got != nil {
			t.Errorf("JSON null: %v, %v, want nil as of encoding/json", got, err)
		}
		if got, err := ext.QueryVal[*string](ctx, q, "select 'null'::jsonb"); err != nil || got == nil || *got != "null" {
			t.Errorf("the text of JSON null: %v, %v", got, err)
		}
		if got, err := ext.QueryVal[[]int](ctx, q, "select null::int[]"); err != nil || got != nil {
			t.Errorf("NULL: %v, %v", got, err)
		}
		if _, err := ext.QueryVal[int](ctx, q, "select null::int"); err == nil || !strings.Contains(err.Error(), "sql.Null") {
			t.Errorf("NULL into int: %v, want an error with a way out", err)
		}
		if _, err := ext.QueryVal[address](ctx, q, "select null::jsonb"); err == nil || !strings.Contains(err.Error(), "sql.Null") {
			t.Errorf("NULL into a struct: %v, want an error with a way out", err)
		}
		if got, err := ext.QueryVal[int](ctx, q, "select 42, 'more' from generate_series(1, 3)"); err != nil || got != 42 {
			t.Errorf("first of several: %v, %v", got, err)
		}
		if _, err := ext.QueryExactlyOne[int](ctx, q, "select generate_series(1, 2)"); !errors.Is(err, ext.ErrManyRows) {
			t.Errorf("two rows: %v, want ErrManyRows", err)
		}
		if got, err := ext.QueryExactlyOne[int](ctx, q, "select 7"); err != nil || got != 7 {
			t.Errorf("one row: %v, %v", got, err)
		}
	})
}

// TestMapsHoldTheTypesOfTheDocs is docs/types.md: change both.
func TestMapsHoldTheTypesOfTheDocs(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create type mood as enum ('ok', 'sad')")
	noon := time.Date(2024, 2, 3, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		expr string
		want any
	}{
		{"null::int", nil},
		{"true", true},
		{"1::int2", int64(1)},
		{"1::int4", int64(1)},
		{"1::int8", int64(1)},
		{"1::oid", int64(1)},
		{"1.5::float4", 1.5},
		{"1.5::float8", 1.5},
		{"1.50::numeric", "1.50"},
		{"'a'::text", "a"},
		{"'a'::varchar(3)", "a"},
		{"'a'::char(3)", "a  "},
		{"'a'::name", "a"},
		{`'\x00ff'::bytea`, []byte{0, 255}},
		{`'{"a": [1, 2.5, "x", null, true]}'::jsonb`, map[string]any{"a": []any{1.0, 2.5, "x", nil, true}}},
		{`'[9007199254740993]'::json`, []any{json.Number("9007199254740993")}},
		{"'6fa459ea-ee8a-3ca4-894e-db77e160355e'::uuid", "6fa459ea-ee8a-3ca4-894e-db77e160355e"},
		{"'2024-02-03'::date", time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC)},
		{"'2024-02-03 12:00'::timestamp", noon},
		{"'2024-02-03 12:00Z'::timestamptz", noon.Local()},
		{"'infinity'::timestamptz", "infinity"},
		{"'12:00'::time", "12:00:00"},
		{"'1 day'::interval", "1 day"},
		{"'10.0.0.1'::inet", "10.0.0.1"},
		{"'[1,3)'::int4range", "[1,3)"},
		{"'<a/>'::xml", "<a/>"},
		{"'ok'::mood", "ok"},
		{"'{}'::int[]", []any{}},
		{"'{1,NULL}'::int[]", []any{int64(1), nil}},
		{"'{{a,b},{c,d}}'::text[]", []any{[]any{"a", "b"}, []any{"c", "d"}}},
		{"'{t,f}'::bool[]", []any{true, false}},
		{"'{1.5}'::float4[]", []any{1.5}},
		{"'{1.50}'::numeric[]", []any{"1.50"}},
		{`array['\x00ff'::bytea]`, []any{[]byte{0, 255}}},
		{`array['{"a":1}'::jsonb]`, []any{map[string]any{"a": 1.0}}},
		{"array['2024-02-03 12:00'::timestamp]", []any{noon}},
		{"array['2024-02-03 12:00Z'::timestamptz, 'infinity']", []any{noon.Local(), "infinity"}},
		{"array['2024-02-03'::date]", []any{time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC)}},
		{"'{6fa459ea-ee8a-3ca4-894e-db77e160355e}'::uuid[]", []any{"6fa459ea-ee8a-3ca4-894e-db77e160355e"}},
	}
	for _, tt := range tests {
		for range 2 {
			m, err := ext.QueryOne[map[string]any](t.Context(), db, "select "+tt.expr+" as v")
			if err != nil || !equalValue(m["v"], tt.want) {
				t.Errorf("%s: %#v, %v, want %#v", tt.expr, m["v"], err, tt.want)
			}
		}
		s, err := ext.QueryOne[[]any](t.Context(), db, "select 1, "+tt.expr)
		if err != nil || len(s) != 2 || !equalValue(s[1], tt.want) {
			t.Errorf("%s: []any: %#v, %v, want %#v", tt.expr, s, err, tt.want)
		}
	}
}

func equalValue(got, want any) bool {
	if w, ok := want.(time.Time); ok {
		g, ok := got.(time.Time)
		return ok && g.Equal(w) && g.Location() == w.Location()
	}
	if w, ok := want.([]any); ok {
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !equalValue(g[i], w[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(got, want)
}

func TestAnyFieldsHoldWhatMapsHold(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type row struct {
		A any
		B *any
	}
	got, err := ext.QueryOne[row](t.Context(), db, `select '{1,2}'::int[] as a, 1 as b`)
	if err != nil || !reflect.DeepEqual(got.A, []any{int64(1), int64(2)}) || *got.B != int64(1) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRowsAreIndependentOfEachOther(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type row struct {
		Doc  map[string]int
		Tags []string
		Name *string
		Raw  []byte
	}
	got, err := ext.Query[row](t.Context(), db, `
		select jsonb_build_object('k' || i, i) as doc, array['t' || i] as tags, nullif('n' || i, 'n2') as name, ('r' || i)::bytea as raw
		from generate_series(1, 3) i`)
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	if len(got[1].Doc) != 1 || got[0].Tags[0] != "t1" || *got[0].Name != "n1" || got[1].Name != nil || string(got[0].Raw) != "r1" {
		t.Errorf("got %+v", got)
	}
}

func TestQueryFuncReadsRowsWithTheCallersFunction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	refuse := errors.New("no twos")
	pick := func(rows *sql.Rows) (n int, err error) {
		if err = rows.Scan(&n); n == 2 {
			err = refuse
		}
		return n * 10, err
	}
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		if got, err := ext.QueryFunc(t.Context(), q, pick, "select 1 union all select 3"); err != nil || !reflect.DeepEqual(got, []int{10, 30}) {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err := ext.QueryFunc(t.Context(), q, pick, "select generate_series(1, 3)"); !errors.Is(err, refuse) || got != nil {
			t.Errorf("got %v, %v, want the function's error", got, err)
		}
		if word(t, q, "select 1") != "1" {
			t.Error("the handle is not usable")
		}
	})
}

func TestQueryReportsErrorsOfTheServer(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := context.Background()
	for name, err := range map[string]error{
		"at once":     second(ext.Query[int](ctx, db, "select 1/0")),
		"after rows":  second(ext.Query[int](ctx, db, "select 1/(3-i) from generate_series(1, 5) i")),
		"one":         second(ext.QueryOne[int](ctx, db, "select 1/0")),
		"value":       second(ext.QueryVal[int](ctx, db, "select 1/$1", 0)),
		"behind one":  second(ext.QueryOne[int](ctx, db, "select 1/(3-i) from generate_series(1, 5) i")),
		"by function": second(ext.QueryFunc(ctx, db, func(*sql.Rows) (int, error) { return 0, nil }, "select 1/0")),
		"exec":        second(ext.Exec(ctx, db, "select 1/0")),
	} {
		if sqlState(err) != "22012" {
			t.Errorf("%s: %v, want 22012", name, err)
		}
	}
}

func TestExecReturnsTheCommandTag(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		tests := []struct {
			query string
			want  ext.Result
		}{
			{"create temp table tagged (id int)", ext.Result{Tag: "CREATE TABLE", Command: "CREATE TABLE"}},
			{"insert into tagged select generate_series(1, 3)", ext.Result{Tag: "INSERT 0 3", Command: "INSERT", RowsAffected: 3}},
			{"select 1; update tagged set id = 0", ext.Result{Tag: "UPDATE 3", Command: "UPDATE", RowsAffected: 3}},
			{"drop table tagged", ext.Result{Tag: "DROP TABLE", Command: "DROP TABLE"}},
			{"", ext.Result{}},
		}
		if _, isDB := q.(*sql.DB); isDB { // the temporary table is one connection's
			q = one(t, q.(*sql.DB))
		}
		for _, tt := range tests {
			if got, err := ext.Exec(t.Context(), q, tt.query); err != nil || got != tt.want {
				t.Errorf("%s: %+v, %v, want %+v", tt.query, got, err, tt.want)
			}
		}
	})
}
