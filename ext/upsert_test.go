package ext_test

import (
	"errors"
	"testing"

	"github.com/pycopg/pycopg/ext"
)

func TestOnConflict(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		conflict ext.OnConflict
		want     ext.InsertResult
		table    string
	}{
		{"nothing", ext.OnConflict{Nothing: true}, ext.InsertResult{Inserted: 1, Skipped: 2}, "1a 2b 3new"},
		{"nothing on columns", ext.OnConflict{Nothing: true, Columns: []string{"id"}}, ext.InsertResult{Inserted: 1, Skipped: 2}, "1a 2b 3new"},
		{"update", ext.OnConflict{Columns: []string{"id"}, Update: []string{"name"}}, ext.InsertResult{Inserted: 1, Updated: 2}, "1new 2new 3new"},
		{"constraint", ext.OnConflict{Constraint: "t_pkey", Update: []string{"name"}}, ext.InsertResult{Inserted: 1, Updated: 2}, "1new 2new 3new"},
		{"where", ext.OnConflict{Columns: []string{"id"}, Update: []string{"name"}, Where: "t.name < 'b'"}, ext.InsertResult{Inserted: 1, Updated: 1, Skipped: 1}, "1new 2b 3new"},
		{"raw", ext.OnConflict{Raw: "(id) do update set name = t.name || excluded.name"}, ext.InsertResult{Inserted: 1, Updated: 2}, "1anew 2bnew 3new"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table t (id int primary key, name text, list int[] default '{1}')")
			for _, withList := range []bool{false, true} { // arrays, then row by row
				mustExec(t, db, "truncate t; insert into t values (1, 'a'), (2, 'b')")
				var rows []map[string]any
				for i := 1; i <= 3; i++ {
					row := map[string]any{"id": i, "name": "new"}
					if withList {
						row["list"] = []int{i}
					}
					rows = append(rows, row)
				}
				got, err := ext.InsertMany(t.Context(), db, "t", rows, ext.InsertOptions{OnConflict: tt.conflict, ChunkRows: 2})
				if err != nil || got != tt.want {
					t.Errorf("%+v, %v, want %+v", got, err, tt.want)
				}
				if got := word(t, db, "select string_agg(id || name, ' ' order by id) from t"); got != tt.table {
					t.Errorf("table is %s, want %s", got, tt.table)
				}
			}
		})
	}
}

func TestOnConflictThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	id, name := []string{"id"}, []string{"name"}
	for _, o := range []ext.InsertOptions{
		{OnConflict: ext.OnConflict{Columns: id}},
		{OnConflict: ext.OnConflict{Update: name}},
		{OnConflict: ext.OnConflict{Columns: id, Constraint: "x", Update: name}},
		{OnConflict: ext.OnConflict{Columns: id, Nothing: true, Update: name}},
		{OnConflict: ext.OnConflict{Raw: "do nothing", Nothing: true}},
		{OnConflict: ext.OnConflict{Columns: id, Nothing: true, Where: "true"}},
		{OnConflict: ext.OnConflict{Constraint: "x", Update: name}, KeepLast: true},
	} {
		if _, err := ext.InsertMany(t.Context(), db, "t", users(1, 1), o); err == nil || sqlState(err) != "" {
			t.Errorf("%+v: %v, want an error before anything is sent", o.OnConflict, err)
		}
	}
	if _, err := ext.UpsertMany(t.Context(), db, "t", users(1, 1), ext.UpsertOptions{}); err == nil || sqlState(err) != "" {
		t.Errorf("upsert without a key: %v", err)
	}
}

func TestUpsertMany(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, usersTable)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		upsert := func(rows []user, o ext.UpsertOptions) ext.InsertResult {
			t.Helper()
			o.Conflict, o.ChunkRows = []string{"id"}, 100
			r, err := ext.UpsertMany(t.Context(), q, "app.User data", rows, o)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		mustExec(t, q, `truncate app."User data"`)
		if got := upsert(users(1, 150), ext.UpsertOptions{}); got != (ext.InsertResult{Inserted: 150}) {
			t.Errorf("new: %+v", got)
		}
		rows := users(101, 250)
		rows[0].Email = "changed"
		if got := upsert(rows, ext.UpsertOptions{}); got != (ext.InsertResult{Inserted: 100, Updated: 50}) {
			t.Errorf("half new: %+v", got)
		}
		if got := word(t, q, `select email from app."User data" where id = 101`); got != "changed" {
			t.Errorf("the row says %q", got)
		}
		rows[0].Email = "again"
		if got := upsert(rows, ext.UpsertOptions{Update: []string{"score"}}); got != (ext.InsertResult{Updated: 150}) {
			t.Errorf("one column: %+v", got)
		}
		if got := word(t, q, `select email from app."User data" where id = 101`); got != "changed" {
			t.Errorf("the row says %q", got)
		}
		for _, o := range []ext.UpsertOptions{{Update: []string{}}, {Columns: []string{"id"}}} {
			if got := upsert(users(1, 3), o); got != (ext.InsertResult{Skipped: 3}) {
				t.Errorf("nothing to update: %+v", got)
			}
		}
		if got := upsert(users(1, 3), ext.UpsertOptions{Where: `excluded.id > 1`}); got != (ext.InsertResult{Updated: 2, Skipped: 1}) {
			t.Errorf("where: %+v", got)
		}
		mustExec(t, q, `truncate app."User data"`)
	})
	_, err := ext.UpsertMany(t.Context(), foreignDB(t), "users", users(1, 1), ext.UpsertOptions{Conflict: []string{"id"}})
	wantForeign(t, "UpsertMany", err)
}

func TestUpsertOfRowsWithOneKey(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int, b text, name text, list int[], unique (a, b))")
	key := []string{"a", "b"}
	for _, withList := range []bool{false, true} {
		mustExec(t, db, "truncate t")
		row := func(a, b any, name string) map[string]any {
			m := map[string]any{"a": a, "b": b, "name": name}
			if withList {
				m["list"] = []int{1}
			}
			return m
		}
		rows := []map[string]any{row(1, "x", "first"), row(2, "x", "other"), row(nil, "x", "null"), row(nil, "x", "null too"), row(1, "x", "last")}
		_, err := ext.UpsertMany(t.Context(), db, "t", rows, ext.UpsertOptions{Conflict: key})
		if !errors.Is(err, ext.ErrDuplicateKey) {
			t.Errorf("list %v: %v, want ErrDuplicateKey", withList, err)
		}
		if _, err := ext.UpsertMany(t.Context(), db, "t", rows, ext.UpsertOptions{Conflict: key, KeepLast: true}); err != nil {
			t.Errorf("KeepLast: %v", err)
		}
		if got := word(t, db, "select string_agg(name, ', ' order by name) from t"); got != "last, null, null too, other" {
			t.Errorf("list %v: stored %s", withList, got)
		}
	}
}

func TestUpsertLeavesDefaultsAndComputedColumnsAlone(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create table t (id int primary key, n int generated always as (id + 1) stored, name text, since int default 1);
		insert into t values (1, default, 'old', 99)`)
	type row struct {
		ID    int
		N     int
		Name  string
		Since int `db:"since,omitzero"`
	}
	got, err := ext.UpsertMany(t.Context(), db, "t", []row{{ID: 1, Name: "new"}, {ID: 2, Name: "new"}}, ext.UpsertOptions{Conflict: []string{"id"}})
	if err != nil || got != (ext.InsertResult{Inserted: 1, Updated: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got := word(t, db, "select string_agg(name || since || n, ' ' order by id) from t"); got != "new992 new13" {
		t.Errorf("stored %s", got)
	}
}

func TestInsertIntoPartitionedTablesAndViews(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create table p (id int primary key, name text) partition by range (id);
		create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20);
		create table base (id int primary key, name text); create view v as select * from base;
		create table pl (id int primary key, name text, list int[]) partition by range (id); create table pl1 partition of pl for values from (0) to (20)`)
	type row struct {
		ID   int
		Name string
	}
	for _, table := range []string{"p", "v"} {
		for i, want := range []ext.InsertResult{{Inserted: 2}, {Updated: 2}, {Inserted: 1, Updated: 1}} {
			got, err := ext.UpsertMany(t.Context(), db, table, []row{{5, "a"}, {15 + i/2, "b"}}, ext.UpsertOptions{Conflict: []string{"id"}})
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", table, got, err, want)
			}
			rows := []map[string]any{{"id": 5, "name": "a", "list": []int{1}}, {"id": 15 + i/2, "name": "b", "list": nil}}
			got, err = ext.UpsertMany(t.Context(), db, "pl", rows, ext.UpsertOptions{Conflict: []string{"id"}, KeepLast: true})
			if table == "p" && (err != nil || got != want) {
				t.Errorf("row by row: %+v, %v, want %+v", got, err, want)
			}
		}
	}
}
