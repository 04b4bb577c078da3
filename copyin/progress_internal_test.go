package copyin

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressFigures(t *testing.T) {
	t.Parallel()
	r := LoadResult{Read: 300, Resumed: 100, Stored: 290, Rejected: 10, Bytes: 4000, Batches: 3, Retries: 1}
	p := newProgress(r, 1000, 10_000, 0, 2*time.Second, false)
	if p.Rows != 400 || p.Bytes != 4000 || p.RowsPerSecond != 150 || p.BytesPerSecond != 1500 || p.ETA != 4*time.Second {
		t.Errorf("%+v", p)
	}
	if share, ok := p.Share(); !ok || share != 0.4 {
		t.Errorf("share %v, %v", share, ok)
	}
	p = newProgress(r, 0, 0, 1000, 3*time.Second, false)
	if share, ok := p.Share(); !ok || share != 0.4 || p.ETA != 6*time.Second {
		t.Errorf("%+v", p)
	}
	p = newProgress(r, 0, 0, 0, 0, false)
	if _, ok := p.Share(); ok || p.ETA != 0 || p.RowsPerSecond != 0 {
		t.Errorf("%+v", p)
	}
	if p = newProgress(r, 1000, 3000, 0, time.Second, true); p.ETA != 0 || !p.Done {
		t.Errorf("%+v", p)
	}
}

func TestBarLine(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Progress{
		"[###############...............]  50 %  1200 rows  600 rows/s  1.5 MB/s  3 rejected  12s left": {
			Rows: 1200, Bytes: 5, TotalBytes: 10, RowsPerSecond: 600, BytesPerSecond: 1.5e6, Rejected: 3, ETA: 12*time.Second + time.Millisecond,
		},
		"7 rows  7 rows/s  0.0 MB/s": {Rows: 7, RowsPerSecond: 7},
		"[##############################] 100 %  20 rows  10 rows/s  0.0 MB/s  in 2s": {Rows: 20, TotalRows: 10, RowsPerSecond: 10, Elapsed: 2 * time.Second, Done: true},
	} {
		if got := barLine(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestProgressBarDrawsOverItself(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	draw := drawBar(&out)
	draw(Progress{Rows: 1000})
	draw(Progress{Rows: 7})
	draw(Progress{Rows: 8, Done: true})
	want := "\r1000 rows  0 rows/s  0.0 MB/s" + "\r7 rows  0 rows/s  0.0 MB/s   " + "\r8 rows  0 rows/s  0.0 MB/s  in 0s\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestProgressBarElsewhereIsALineForEachTenth(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := ProgressBar(&out)
	for rows := range int64(101) {
		show(Progress{Rows: rows, TotalRows: 100})
	}
	show(Progress{Rows: 100, TotalRows: 100, Done: true})
	if lines := strings.Count(out.String(), "\n"); lines != 11 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
	out.Reset()
	show = ProgressBar(&out)
	show(Progress{Rows: 1})
	show(Progress{Rows: 2})
	if lines := strings.Count(out.String(), "\n"); lines != 2 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}

func TestMergeTexts(t *testing.T) {
	t.Parallel()
	m := func(o LoadOptions, keys ...string) *merge {
		m := &merge{keys: keys, options: &o}
		m.table.Schema, m.table.Name = "app", "t"
		return m
	}
	for _, tt := range []struct {
		m       *merge
		update  []string
		merge   string
		columns []string
	}{
		{m(LoadOptions{OnConflict: ConflictNothing}), nil, `insert into "app"."t" ("a", "b") overriding system value select "a", "b" from "pg_temp"."s" order by "pycopg copyin row" on conflict do nothing`, []string{"a", "b"}},
		{m(LoadOptions{OnConflict: ConflictNothing}, "a"), nil, `insert into "app"."t" ("a") overriding system value select "a" from "pg_temp"."s" order by "pycopg copyin row" on conflict ("a") do nothing`, []string{"a"}},
		{
			m(LoadOptions{OnConflict: ConflictUpdate}, "a"),
			[]string{"b"},
			`insert into "app"."t" ("a", "b") overriding system value select "a", "b" from (select distinct on ("a", case when "a" is null then "pycopg copyin row" end) * from "pg_temp"."s"` +
				` order by "a", case when "a" is null then "pycopg copyin row" end, "pycopg copyin row" desc) as r order by "pycopg copyin row" on conflict ("a") do update set "b" = excluded."b"`,
			[]string{"a", "b"},
		},
	} {
		s := tt.m.texts("s", tt.columns, tt.update)
		if s.merge != tt.merge {
			t.Errorf("merge:\n%s\nwant\n%s", s.merge, tt.merge)
		}
		if want := `create temporary table "s" on commit drop as select ` + quoteList(tt.columns) + ` from "app"."t" with no data; alter table "pg_temp"."s" add column "pycopg copyin row" bigint generated always as identity`; s.create != want {
			t.Errorf("create:\n%s\nwant\n%s", s.create, want)
		}
	}
}
