package ext_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/ext"
)

type user struct {
	ID    int
	Email string
	Score *float64
}

func users(from, to int) (all []user) {
	for i := from; i <= to; i++ {
		u := user{ID: i, Email: fmt.Sprintf(`u%d "q" \ {,}@x`, i)}
		if i%3 > 0 {
			f := float64(i) / 2
			u.Score = &f
		}
		all = append(all, u)
	}
	return all
}

func asMaps(rows []user) (maps []map[string]any) {
	for _, u := range rows {
		maps = append(maps, map[string]any{"id": u.ID, "email": u.Email, "score": u.Score})
	}
	return maps
}

func values[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range rows {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// inserts are the ways to insert users.
var inserts = map[string]func(t *testing.T, q ext.Querier, table string, rows []user, o ext.InsertOptions) (ext.InsertResult, error){
	"structs": func(t *testing.T, q ext.Querier, table string, rows []user, o ext.InsertOptions) (ext.InsertResult, error) {
		return ext.InsertMany(t.Context(), q, table, rows, o)
	},
	"pointers": func(t *testing.T, q ext.Querier, table string, rows []user, o ext.InsertOptions) (ext.InsertResult, error) {
		pointers := make([]*user, len(rows))
		for i := range rows {
			pointers[i] = &rows[i]
		}
		return ext.InsertMany(t.Context(), q, table, pointers, o)
	},
	"maps": func(t *testing.T, q ext.Querier, table string, rows []user, o ext.InsertOptions) (ext.InsertResult, error) {
		return ext.InsertMany(t.Context(), q, table, asMaps(rows), o)
	},
	"sequence": func(t *testing.T, q ext.Querier, table string, rows []user, o ext.InsertOptions) (ext.InsertResult, error) {
		return ext.InsertManySeq(t.Context(), q, table, values(rows), o)
	},
}

const usersTable = `create schema app; create table app."User data" (id int primary key, email text unique, score float8)`

func TestInsertManyInsertsAnyNumberOfRows(t *testing.T) {
	t.Parallel()
	for name, insert := range inserts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, usersTable)
			onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
				for _, count := range []int{0, 1, 10, 11, 205} {
					mustExec(t, q, `truncate app."User data"`)
					rows := users(1, count)
					got, err := insert(t, q, "app.User data", rows, ext.InsertOptions{ChunkRows: 10})
					if err != nil || got != (ext.InsertResult{Inserted: int64(count)}) {
						t.Errorf("%d rows: %+v, %v", count, got, err)
					}
					back, err := ext.Query[user](t.Context(), q, `select * from app."User data" order by id`)
					if err != nil || len(back) != count || count > 0 && !reflect.DeepEqual(back, rows) {
						t.Errorf("%d rows: %d came back changed: %v", count, len(back), err)
					}
				}
				mustExec(t, q, `truncate app."User data"`)
			})
			_, err := insert(t, foreignDB(t), "users", users(1, 1), ext.InsertOptions{})
			wantForeign(t, name, err)
		})
	}
}

func TestInsertManyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	for name, insert := range inserts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, usersTable)
			rows := users(1, 55)
			rows[54].ID = 1
			onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
				got, err := insert(t, q, "app.User data", rows, ext.InsertOptions{ChunkRows: 10})
				var failed *ext.BatchError
				if sqlState(err) != "23505" || !errors.As(err, &failed) || failed.Index != 50 || failed.Count != 5 || got != (ext.InsertResult{}) {
					t.Errorf("%+v, %v, want 23505 of rows 50 to 54", got, err)
				}
			})
			if got := word(t, db, `select count(*) from app."User data"`); got != "0" {
				t.Errorf("%s rows stayed", got)
			}
		})
	}
}

type point struct{ X, Y int }

type everything struct {
	ID      int64          `db:"id"`
	Twice   int            `db:"twice"`
	Ints    []int          `db:"ints"`
	Grid    [][]string     `db:"grid"`
	Doc     map[string]any `db:"doc"`
	Raw     json.RawMessage
	Mood    mood
	Pair    *string
	At      time.Time
	Bytes   []byte
	Wait    time.Duration
	Key     [16]byte
	IP      netip.Addr
	Amount  string
	Flag    bool
	Nothing *int
	Created time.Time `db:"created,omitzero"`
	Point   point
}

const everythingTable = `
	create type mood as enum ('ok', 'sad'); create type pair as (a int, b text);
	create table everything (
		id int8 generated always as identity, twice int generated always as (2 * 21) stored, ints int[], grid text[], doc jsonb, raw json,
		mood mood, pair pair, at timestamptz, bytes bytea, wait interval, key uuid, ip inet, amount numeric(10,2), flag bool,
		nothing int, created timestamptz default '2000-01-01Z', point jsonb)`

func TestInsertManyOfEveryKindOfColumn(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, everythingTable)
	at := time.Date(2024, 2, 3, 4, 5, 6, 7000, time.UTC)
	pair := "(1,x)"
	row := everything{
		Ints: []int{1, 2}, Grid: [][]string{{"a", "b"}, {`c"`, `\d`}}, Doc: map[string]any{"k": []any{1.0, "x"}}, Raw: json.RawMessage(`{"a":1}`),
		Mood: "sad", Pair: &pair, At: at, Bytes: []byte{0, 255}, Wait: 90 * time.Minute, Key: [16]byte{1, 15: 2}, IP: netip.MustParseAddr("::1"),
		Amount: "12.50", Flag: true, Point: point{1, 2},
	}
	later := row
	later.Created = at
	all := []string{"ints", "grid", "doc", "raw", "mood", "pair", "at", "bytes", "wait", "key", "ip", "amount", "flag", "nothing", "created", "point"}
	without := slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c == "ints" || c == "grid" || c == "pair" })
	for name, columns := range map[string][]string{"row by row": nil, "arrays": without} {
		for _, rows := range [][]everything{{row, row}, {row, later}} {
			mustExec(t, db, "truncate everything restart identity")
			if got, err := ext.InsertMany(t.Context(), db, "everything", rows, ext.InsertOptions{Columns: columns}); err != nil || got.Inserted != 2 {
				t.Fatalf("%s: %+v, %v", name, got, err)
			}
			back, err := ext.Query[everything](t.Context(), db, "select * from everything order by id")
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range back {
				want := rows[i]
				want.ID, want.Twice, want.At = int64(i+1), 42, want.At.Local()
				if want.Created.IsZero() {
					want.Created = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
				}
				want.Created = want.Created.Local()
				if columns != nil {
					want.Ints, want.Grid, want.Pair = nil, nil, nil
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: row %d\n got %+v\nwant %+v", name, i, got, want)
				}
			}
		}
	}
	if _, err := ext.InsertMany(t.Context(), db, "everything", []everything{{ID: 77, Mood: "ok"}},
		ext.InsertOptions{Columns: []string{"id", "mood"}, Overriding: true}); err != nil || word(t, db, "select count(*) from everything where id = 77") != "1" {
		t.Errorf("overriding: %v", err)
	}
}

func TestInsertManyOfManyColumnsAndDefaults(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	row := map[string]any{}
	var columns []string
	for i := range 300 {
		row[fmt.Sprintf("c%d", i)] = i
		columns = append(columns, fmt.Sprintf("c%d int", i))
	}
	mustExec(t, db, "create table wide ("+strings.Join(columns, ", ")+")")
	rows := slices.Repeat([]map[string]any{row}, 1000) // 300 000 values
	if got, err := ext.InsertMany(t.Context(), db, "wide", rows, ext.InsertOptions{}); err != nil || got.Inserted != 1000 {
		t.Fatalf("%+v, %v", got, err)
	}
	mustExec(t, db, "create table d (a int default 7, b text default 'x')")
	mixed := []map[string]any{{"a": 1, "b": ext.Default{}}, {"a": ext.Default{}, "b": nil}, {"a": ext.Default{}, "b": ext.Default{}}}
	for _, rows := range [][]map[string]any{mixed, mixed[:1], mixed[1:2], mixed[2:]} {
		if _, err := ext.InsertMany(t.Context(), db, "d", rows, ext.InsertOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := word(t, db, "select string_agg(concat(a, coalesce(b, 'null')), ' ' order by ctid) from d"); got != "1x 7null 7x 1x 7null 7x" {
		t.Errorf("defaults: %s", got)
	}
}

func TestInsertManyRefusesRowsThatDiffer(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int, b int)")
	tests := []struct {
		rows []map[string]any
		want string
	}{
		{[]map[string]any{{"a": 1, "b": 2}, {"a": 1}}, `row 1 has no key "b"`},
		{[]map[string]any{{"a": 1}, {"a": 1, "b": 2}}, `row 1 has the key "b"`},
		{[]map[string]any{{"a": 1, "c": 2}}, `no column "c"`},
		{[]map[string]any{{"a": make(chan int)}}, `column "a"`},
		{[]map[string]any{{"": 1}}, "empty name"},
	}
	for _, tt := range tests {
		if _, err := ext.InsertMany(t.Context(), db, "t", tt.rows, ext.InsertOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %s", tt.rows, err, tt.want)
		}
	}
	if _, err := ext.InsertMany(t.Context(), db, "t", []*user{nil}, ext.InsertOptions{}); err == nil || !strings.Contains(err.Error(), "row 0 is nil") {
		t.Errorf("nil row: %v", err)
	}
	if _, err := ext.InsertMany(t.Context(), db, "t", []int{1}, ext.InsertOptions{}); err == nil {
		t.Error("rows of int were taken")
	}
	if _, err := ext.InsertMany(t.Context(), db, "T", []map[string]any{{"a": 1}}, ext.InsertOptions{}); sqlState(err) != "42P01" || !strings.Contains(err.Error(), `"t" does`) {
		t.Errorf("table in capitals: %v, want a hint", err)
	}
	if _, err := ext.InsertMany(t.Context(), db, "t", []map[string]any{{"a": 1}, {"a": "x"}}, ext.InsertOptions{}); sqlState(err) != "22P02" {
		t.Errorf("bad value: %v", err)
	}
	if got := word(t, db, "select count(*) from t"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

func TestInsertReturning(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int generated always as identity, name text, tags text[])")
	type in struct {
		Name string
		Tags []string
	}
	type out struct {
		ID   int
		Name string
		Tags []string
	}
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for _, columns := range [][]string{nil, {"name"}} {
			var rows []in
			for i := range 25 {
				rows = append(rows, in{Name: fmt.Sprint("n", i), Tags: []string{"a"}})
			}
			got, err := ext.InsertReturning[out](t.Context(), q, "t", rows, ext.InsertOptions{ChunkRows: 10, Columns: columns})
			if err != nil || len(got) != 25 {
				t.Fatal(len(got), err)
			}
			for i, r := range got {
				if r.Name != rows[i].Name || r.ID != got[0].ID+i || (columns == nil) != (len(r.Tags) == 1) {
					t.Fatalf("row %d: %+v", i, r)
				}
			}
		}
		ids, err := ext.InsertReturning[int](t.Context(), q, "t", []in{{Name: "x"}}, ext.InsertOptions{Returning: []string{"id"}})
		if err != nil || len(ids) != 1 || ids[0] == 0 {
			t.Errorf("scalar: %v, %v", ids, err)
		}
		all, err := ext.InsertReturning[map[string]any](t.Context(), q, "t", []in{{Name: "x"}}, ext.InsertOptions{})
		if err != nil || len(all) != 1 || len(all[0]) != 3 {
			t.Errorf("map: %v, %v", all, err)
		}
	})
	if _, err := ext.InsertReturning[int](t.Context(), db, "t", []in{{}}, ext.InsertOptions{}); err == nil {
		t.Error("a scalar without a column was taken")
	}
}

func TestInsertAfterTheTableHasChanged(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create table t (v int)")
	insert := func(v any) error {
		return second(ext.InsertMany(t.Context(), db, "t", []map[string]any{{"v": v}}, ext.InsertOptions{}))
	}
	if err := insert(1); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "alter table t alter v type text")
	for range 2 { // the first may fail with what was known of the table
		if err := insert("text"); err == nil {
			return
		}
	}
	t.Error("the pool never learns")
}

func TestInsertManyUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, want := range map[string]string{
		"structs": `insert into "app"."t" ("id", "email", "score")`, "maps": `insert into "app"."t" ("email", "id", "score")`, "sequence": `insert into "app"."t"`,
	} {
		mock.ExpectExec(want).WillReturnResult(sqlmock.NewResult(0, 42))
		if r, err := inserts[name](t, db, "app.t", users(1, 3), ext.InsertOptions{}); err != nil || r.Inserted != 42 {
			t.Errorf("%s: %+v, %v, want the mock's 42", name, r, err)
		}
	}
}
