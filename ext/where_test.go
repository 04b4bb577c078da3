package ext_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/pycopg/pycopg/ext"
)

func TestUpdateDeleteExistsAndCount(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create table "T" (id int, "N n" text default 'd'); insert into "T" select i, 'x' from generate_series(1, 10) i`)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		check := func(what string, got int64, err error, want int64) {
			t.Helper()
			if err != nil || got != want {
				t.Errorf("%s: %d, %v, want %d", what, got, err, want)
			}
		}
		mustExec(t, q, `truncate "T"; insert into "T" select i, 'x' from generate_series(1, 10) i`)
		n, err := ext.UpdateWhere(ctx, q, "T", map[string]any{"N n": "y", "id": ext.Default{}}, "id > $1 or id = $2 -- comment", 8, 1)
		check("update", n, err, 3)
		n, err = ext.Count(ctx, q, "T", `"N n" = $1 and id is null`, "y")
		check("count", n, err, 3)
		n, err = ext.DeleteWhere(ctx, q, "T", "id is null")
		check("delete", n, err, 3)
		n, err = ext.Count(ctx, q, "T", "")
		check("count all", n, err, 7)
		for where, want := range map[string]bool{"id = 2": true, "id = 1": false, "": true} {
			if got, err := ext.Exists(ctx, q, "T", where); err != nil || got != want {
				t.Errorf("exists %s: %v, %v", where, got, err)
			}
		}
		mustExec(t, q, `truncate "T"`)
	})
}

func TestEmptyConditionsAreRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	for _, where := range []string{"", " \n\t"} {
		if _, err := ext.UpdateWhere(ctx, db, "nowhere", map[string]any{"a": 1}, where); !errors.Is(err, ext.ErrNoCondition) {
			t.Errorf("update: %v", err)
		}
		if _, err := ext.DeleteWhere(ctx, db, "nowhere", where); !errors.Is(err, ext.ErrNoCondition) {
			t.Errorf("delete: %v", err)
		}
	}
	for _, err := range []error{
		second(ext.UpdateWhere(ctx, db, "nowhere", nil, "true")), second(ext.UpdateWhere(ctx, db, "a.b.c", map[string]any{"a": 1}, "true")),
		second(ext.UpdateWhere(ctx, db, "nowhere", map[string]any{"": 1}, "true")), second(ext.DeleteWhere(ctx, db, "", "true")),
		second(ext.Exists(ctx, db, `"`, "")), second(ext.Count(ctx, db, "a..b", "")),
	} {
		if err == nil || sqlState(err) != "" {
			t.Errorf("%v, want an error before anything is sent", err)
		}
	}
}

type item struct {
	ID    int
	Group string `db:"grp"`
}

func TestPaginateByNumber(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		var all []int
		for number := 0; ; number++ {
			p, err := ext.Paginate[int](t.Context(), q, ext.PageOptions{Size: 4, Number: number, Total: true},
				"select i from generate_series(1, $1::int) i order by i desc", 10)
			if err != nil || p.Total != 10 || p.Next != nil {
				t.Fatalf("%+v, %v", p, err)
			}
			if number == 0 { // the same as 1
				continue
			}
			all = append(all, p.Rows...)
			if !p.More {
				break
			}
		}
		if !slices.Equal(all, []int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}) {
			t.Errorf("got %v", all)
		}
	})
}

func TestPaginateByKeys(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table items (id int primary key, grp text); insert into items select i, chr(97 + i % 3) from generate_series(1, 20) i")
	for _, keys := range [][]ext.PageKey{
		{{Column: "id"}}, {{Column: "id", Desc: true}}, {{Column: "grp"}, {Column: "id"}}, {{Column: "grp", Desc: true}, {Column: "id"}},
	} {
		var structs, maps []int
		o := ext.PageOptions{Size: 3, Keys: keys}
		for {
			p, err := ext.Paginate[item](t.Context(), db, o, "select * from items where id > $1", 2)
			if err != nil {
				t.Fatal(err)
			}
			m, err := ext.Paginate[map[string]any](t.Context(), db, o, "select * from items where id > $1", 2)
			if err != nil || m.More != p.More {
				t.Fatal(m, err)
			}
			for i, r := range p.Rows {
				structs, maps = append(structs, r.ID), append(maps, int(m.Rows[i]["id"].(int64)))
			}
			if o.After = p.Next; !p.More {
				break
			}
		}
		order := "select * from items where id > 2 order by "
		for i, k := range keys {
			if i > 0 {
				order += ", "
			}
			order += k.Column
			if k.Desc {
				order += " desc"
			}
		}
		all, err := ext.Query[item](t.Context(), db, order)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for _, r := range all {
			want = append(want, r.ID)
		}
		if !slices.Equal(structs, want) || !slices.Equal(maps, want) {
			t.Errorf("%v: %v and %v, want %v", keys, structs, maps, want)
		}
	}
	for _, err := range []error{
		second(ext.Paginate[item](t.Context(), db, ext.PageOptions{Keys: []ext.PageKey{{Column: "id"}}, After: []any{1, 2}}, "select * from items")),
		second(ext.Paginate[item](t.Context(), db, ext.PageOptions{After: []any{1}}, "select * from items")),
		second(ext.Paginate[int](t.Context(), db, ext.PageOptions{Size: 1, Keys: []ext.PageKey{{Column: "id"}}}, "select id from items")),
	} {
		if err == nil || sqlState(err) != "" {
			t.Errorf("%v, want a client's error", err)
		}
	}
}
