package admin_test

import (
	"slices"
	"testing"

	"github.com/pycopg/pycopg/admin"
)

func TestBloatIsWhatRowsDoNotNeed(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	fill := "select g as id, md5(g::text) as name, case when g % 3 = 0 then g end as maybe from generate_series(1, 30000) g"
	mustExec(t, db,
		"create table fresh with (autovacuum_enabled = off) as "+fill, "create index fresh_name on fresh (name)", "create index fresh_expr on fresh (lower(name))",
		"create table half with (autovacuum_enabled = off, fillfactor = 50) as "+fill,
		"create table bloated with (autovacuum_enabled = off) as "+fill, "create index bloated_name on bloated (name)", "create table never (id int)",
		"delete from bloated where id % 5 <> 0", "vacuum bloated", "vacuum analyze fresh, half", "analyze bloated", "delete from fresh where id < 100")
	list, err := admin.ListBloat(ctx, db, admin.BloatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]admin.Bloat{}
	for _, b := range list {
		found[b.Table+"/"+b.Index] = b
		if b.Wasted < 0 || b.Ratio() < 0 || b.Ratio() > 1 || b.Schema != "public" {
			t.Errorf("%+v", b)
		}
	}
	for name, limits := range map[string][2]float64{
		"fresh/": {0, 0.12}, "half/": {0, 0.15}, "fresh/fresh_name": {0, 0.15}, "fresh/fresh_expr": {0, 0.15}, "bloated/": {0.7, 0.85}, "bloated/bloated_name": {0.6, 0.9},
	} {
		b, ok := found[name]
		if r := b.Ratio(); !ok || r < limits[0] || r > limits[1] || b.Size == 0 {
			t.Errorf("%s: ratio %.2f of %+v, want %v", name, r, b, limits)
		}
	}
	await(t, db, "the vacuum is counted", func() bool {
		list, err := admin.ListBloat(ctx, db, admin.BloatOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(b admin.Bloat) bool {
			return b.Table == "bloated" && b.LastVacuum != nil && b.LastAnalyze != nil
		})
	})
	if _, ok := found["never/"]; ok {
		t.Error("a table that was never analyzed has an estimate")
	}
	if !slices.IsSortedFunc(list, func(a, b admin.Bloat) int { return int(b.Wasted - a.Wasted) }) {
		t.Error("not by what is wasted")
	}
	some, err := admin.ListBloat(ctx, db, admin.BloatOptions{Schema: "public", MinWasted: 1 << 20})
	if err != nil || len(some) == 0 || len(some) >= len(list) {
		t.Errorf("a megabyte or more: %+v, %v", some, err)
	}
	if none, err := admin.ListBloat(ctx, db, admin.BloatOptions{Schema: "absent"}); err != nil || len(none) != 0 {
		t.Errorf("of no schema: %+v, %v", none, err)
	}
}

func TestUnusedIndexesDoNothingElse(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, "create table t (id int primary key, a int, b int, c int, d int, unique (b))",
		"insert into t select g, g, g, g, g from generate_series(1, 5000) g", "create index t_a on t (a)", "create index t_c on t (c)", "create unique index t_d on t (d)",
		"create index t_both on t (a, c)", "analyze t", "set enable_seqscan = off")
	unused := func(o admin.UnusedOptions) (names []string) {
		t.Helper()
		list, err := admin.UnusedIndexes(ctx, db, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			names = append(names, i.Index)
			if i.Schema != "public" || i.Table != "t" || i.Size == 0 || i.Def == "" {
				t.Errorf("%+v", i)
			}
		}
		slices.Sort(names)
		return names
	}
	if got := unused(admin.UnusedOptions{}); !slices.Equal(got, []string{"t_a", "t_both", "t_c"}) {
		t.Errorf("unused: %v", got)
	}
	mustExec(t, db, "select * from t where c = 3")
	await(t, db, "the scan is counted", func() bool { return slices.Equal(unused(admin.UnusedOptions{}), []string{"t_a", "t_both"}) })
	if got := unused(admin.UnusedOptions{MaxScans: 100, Schema: "public"}); len(got) != 3 {
		t.Errorf("hardly used: %v", got)
	}
}
