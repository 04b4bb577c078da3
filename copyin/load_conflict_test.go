package copyin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
)

func TestLoadOnConflict(t *testing.T) {
	t.Parallel()
	const text = "id,name,note\n1,new,x\n2,new,x\n2,newer,y\n3,new,x\n,null,x\n,null,y\n"
	tables := map[string]string{
		"primary key": "create table item (id int primary key, name text, note text default 'default')",
		"unique":      "create table item (id int unique, name text, note text default 'default')",
		"identity":    "create table item (id int generated always as identity unique, name text, note text)",
	}
	for _, tt := range []struct {
		table          string
		o              copyin.LoadOptions
		text, want     string
		stored, skiped int64
	}{
		{"primary key", copyin.LoadOptions{OnConflict: copyin.ConflictNothing}, text[:strings.Index(text, "\n,")+1], "(1,old,old)(2,new,x)(3,new,x)", 2, 2},
		{"primary key", copyin.LoadOptions{OnConflict: copyin.ConflictUpdate}, text[:strings.Index(text, "\n,")+1], "(1,new,x)(2,newer,y)(3,new,x)", 3, 1},
		{"primary key", copyin.LoadOptions{OnConflict: copyin.ConflictUpdate, UpdateColumns: []string{"note"}}, text[:strings.Index(text, "\n,")+1], "(1,old,x)(2,newer,y)(3,new,x)", 3, 1},
		{"primary key", copyin.LoadOptions{OnConflict: copyin.ConflictUpdate}, "id\n1\n9\n", "(1,old,old)(9,,default)", 1, 1},
		{"unique", copyin.LoadOptions{OnConflict: copyin.ConflictNothing, ConflictColumns: []string{"id"}}, text, "(1,old,old)(2,new,x)(3,new,x)(,null,x)(,null,y)", 4, 2},
		{"unique", copyin.LoadOptions{OnConflict: copyin.ConflictUpdate, ConflictColumns: []string{"id"}}, text, "(1,new,x)(2,newer,y)(3,new,x)(,null,x)(,null,y)", 5, 1},
		{"identity", copyin.LoadOptions{OnConflict: copyin.ConflictUpdate, ConflictColumns: []string{"id"}}, text[:strings.Index(text, "\n,")+1], "(1,new,x)(2,newer,y)(3,new,x)", 3, 1},
	} {
		t.Run(tt.table, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, tables[tt.table]+"; insert into item (id, name, note) overriding system value values (1, 'old', 'old')")
			r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(tt.text), copyin.CSVOptions{}), tt.o)
			if err != nil || r.Stored != tt.stored || r.Skipped != tt.skiped || r.Read != tt.stored+tt.skiped {
				t.Errorf("%+v, %v", r, err)
			}
			if got := word(t, db, "select string_agg(i::text, '' order by id, note) from item i"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestLoadOnConflictOfEqualNulls(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	if word(t, db, "select current_setting('server_version_num')::int >= 150000") == "false" {
		t.Skip("NULLS NOT DISTINCT came with PostgreSQL 15")
	}
	mustExec(t, db, `create schema "order"; create table "order"."Odd.name" ("Key" int, b int, "the value" text, unique nulls not distinct ("Key", b))`)
	text := "the value,b,Key\na,1,1\nb,1,1\nc,,1\nd,,1\ne,,\nf,,\n"
	o := copyin.LoadOptions{OnConflict: copyin.ConflictUpdate, ConflictColumns: []string{"b", "Key"}}
	for range 2 {
		if r, err := copyin.Load(t.Context(), db, `order."Odd.name"`, copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), o); err != nil || r.Stored != 3 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if got := word(t, db, `select string_agg(o::text, '' order by "the value") from "order"."Odd.name" o`); got != "(1,1,b)(1,,d)(,,f)" {
		t.Error(got)
	}
}

// TestLastRowOfAKeyStays loads rows of few keys with many workers and small batches: the last one of each has to win.
func TestLastRowOfAKeyStays(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key, name int)")
	var text strings.Builder
	text.WriteString("id,name\n")
	const n, keys = 6000, 7
	for i := range n {
		fmt.Fprintf(&text, "%d,%d\n", i%keys, i)
	}
	for _, o := range []copyin.LoadOptions{{Workers: 4, BatchRows: 50}, {Workers: 4, BatchRows: 50, OnBad: copyin.BadSkip}, {Workers: 2}} {
		mustExec(t, db, "truncate item")
		o.OnConflict = copyin.ConflictUpdate
		if r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(text.String()), copyin.CSVOptions{}), o); err != nil || r.Read != n {
			t.Fatalf("%+v, %v", r, err)
		}
		if got := word(t, db, "select count(*) || ' ' || min(name) from item"); got != fmt.Sprintf("%d %d", keys, n-keys) {
			t.Errorf("%+v: %s", o, got)
		}
	}
}
