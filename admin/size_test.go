package admin_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func TestSizesAreWrittenAsTheServerDoes(t *testing.T) {
	t.Parallel()
	sizes := []int64{0, 1, -1, 999, 1024, 10239, 10240, 10241, -10240, 7953 * 1024, 20479, 20480, math.MaxInt64, math.MinInt64 + 1}
	for bits := range 63 {
		for _, d := range []int64{-1, 0, 1} {
			sizes = append(sizes, 1<<bits+d, 10<<min(bits, 58)+d, -(20<<min(bits, 57))+d, 20<<min(bits, 57)-1<<min(bits, 50)/2+d)
		}
	}
	db := openDB(t)
	limit := int64(math.MaxInt64)
	if sqltest.Server(t).MajorVersion() < 15 {
		limit = 10239 << 40 // servers before 15 know nothing bigger than TB
	}
	for _, n := range sizes {
		if n > limit || n < -limit {
			continue
		}
		if got, want := admin.Size(n).String(), word(t, db, "select pg_size_pretty($1::bigint)", n); got != want {
			t.Errorf("%d: %s, the server writes %s", n, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		mustExec(t, q, "create table big (id int primary key, doc text)", "insert into big select i, (select string_agg(md5((i * j)::text), '') from generate_series(1, 400) j) from generate_series(1, 200) i", "create table small (id int)", "create view v as select 1 as x",
			"create table parts (a int primary key) partition by range (a)", "create table part1 partition of parts for values from (0) to (1000)", "insert into parts select generate_series(0, 999)")
		s := must(admin.TableSize(ctx, q, "big"))(t)
		if s.Total != s.Heap+s.Index+s.Toast || s.Toast < 100_000 || s.Heap == 0 || s.Index == 0 || s.Name != "big" || s.Schema != "public" {
			t.Errorf("big = %+v", s)
		}
		if got := word(t, q, "select pg_total_relation_size('big')"); got != strconv.FormatInt(int64(s.Total), 10) {
			t.Errorf("big has %s bytes, not %d", got, s.Total)
		}
		if s := must(admin.TableSize(ctx, q, "v"))(t); s.Total != 0 {
			t.Errorf("v = %+v", s)
		}
		parts := must(admin.TableSize(ctx, q, "parts"))(t)
		if parts.Total == 0 || parts.Heap == 0 || parts.Index == 0 {
			t.Errorf("parts = %+v", parts)
		}
		all := must(admin.ListTableSizes(ctx, q, "public", admin.SizesOptions{}))(t)
		if len(all) != 3 || all[0] != s || all[1] != parts || all[2].Name != "small" || all[2].Total != 0 {
			t.Errorf("all = %+v", all)
		}
		if first := must(admin.ListTableSizes(ctx, q, "", admin.SizesOptions{Limit: 1}))(t); len(first) != 1 || first[0] != s {
			t.Errorf("the first = %+v", first)
		}
		if size := must(admin.DatabaseSize(ctx, q))(t); size < s.Total || !strings.HasSuffix(size.String(), "kB") && !strings.HasSuffix(size.String(), "MB") {
			t.Errorf("the database has %d bytes, %s", size, size)
		}
	})
}

func TestRowCount(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, "create table t (a int)", "insert into t select generate_series(1, 1000)", "create view v as select * from t",
		"create table parts (a int) partition by range (a)", "create table p1 partition of parts for values from (0) to (100)", "create table p2 partition of parts for values from (100) to (200)",
		"create table p3 partition of parts for values from (200) to (300) partition by range (a)", "create table p31 partition of p3 for values from (200) to (250)", "insert into parts select generate_series(0, 249)", `create table "Odd.name" (a int)`)
	for table, want := range map[string]int64{"t": 1000, "v": 1000, "parts": 250, `"Odd.name"`: 0} {
		for _, estimate := range []bool{false, true} {
			if got, err := admin.RowCount(ctx, db, table, admin.RowCountOptions{Estimate: estimate}); err != nil || got != want {
				t.Errorf("RowCount(%s, %t) = %d, %v; want %d", table, estimate, got, err, want)
			}
		}
	}
	mustExec(t, db, "analyze", "insert into t select generate_series(1, 10)", "insert into p1 values (1)")
	for table, want := range map[string][2]int64{"t": {1010, 1000}, "parts": {251, 250}} {
		for i, estimate := range []bool{false, true} {
			if got, err := admin.RowCount(ctx, db, table, admin.RowCountOptions{Estimate: estimate}); err != nil || got != want[i] {
				t.Errorf("RowCount(%s, %t) = %d, %v; want %d", table, estimate, got, err, want[i])
			}
		}
	}
}
