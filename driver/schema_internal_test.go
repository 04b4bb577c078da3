package driver

import (
	"fmt"
	"testing"
)

func TestAlterationsAreRead(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"select created_at, dropped from alterations":      "",
		"insert into create_log values ('drop table t')":   "",
		"select 1; -- alter table t\nselect 2":             "",
		"update t set v = 'x; alter table t' where a = $1": "",
		"create index on t (v)":                            "",
		"create unique index concurrently i on t (v)":      "",
		"alter sequence s restart":                         "",
		"drop role r":                                      "",
		"do $$ begin perform f(); end $$":                  "",
		"alter table app.t alter v type text":              "schema",
		"ALTER\tTABLE IF EXISTS ONLY t ADD c int":          "schema",
		"/* why */ drop table if exists a, \"B\".\"c.D\"":  "schema",
		"drop view v":                                       "schema",
		"select 1; drop table t":                            "schema",
		"alter type e add value 'x'":                        "schema",
		"drop function f(int)":                              "schema",
		"drop schema s cascade":                             "schema",
		"create or replace view v as select 1":              "schema",
		"create unlogged table t (n int)":                   "schema",
		"create table t as select 1":                        "schema",
		"import foreign schema s from server f into p":      "schema",
		"DO $$ begin ALTER TABLE t ADD c int; end $$":       "schema",
		"do language plpgsql 'begin execute x; end'":        "schema",
		"create temp table if not exists staging (n int)":   "temps [staging]",
		"create local temporary table pg_temp.s (n int)":    "temps [s]",
		"create table pg_temp.s (n int)":                    "temps [s]",
		"create or replace temp recursive view v (n) as ()": "temps [v]",
		"select a into temporary table x from t":            "temps [x]",
		"rollback to savepoint s":                           "undo",
		"drop table if exists pg_temp.a, pg_temp.b cascade": "local",
		"alter table pg_temp.t add c int":                   "local",
		"drop table pg_temp.a, b":                           "schemalocal",
		"discard temp":                                      "local",
		"prepare transaction 'x'":                           "defers",
		"commit prepared 'x'":                               "counts",
		"prepare p as select 1; commit; commit and chain":   "",
		"create":             "",
		"drop":               "",
		"drop table":         "schema",
		"select 1 into temp": "temps []",
	} {
		got := ""
		if a := readAlteration(sql, true); a != nil {
			for _, is := range []struct {
				so   bool
				text string
			}{
				{a.schema, "schema"},
				{a.local, "local"},
				{a.undo, "undo"},
				{a.defers, "defers"},
				{a.counts, "counts"},
				{a.temps != nil, fmt.Sprint("temps ", a.temps)},
			} {
				if is.so {
					got += is.text
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

func TestStatementsThatMayNameATemporaryTable(t *testing.T) {
	t.Parallel()
	s := newStatements(5, 100)
	if s.hidden("select * from t") {
		t.Error("there is no temporary table yet")
	}
	s.hide([]string{"t", "Odd name"})
	for sql, want := range map[string]bool{
		"select * from t": true, "select * from T where a": true, "t": true, `insert into pg_temp."t"(a)`: true,
		`delete from "Odd name"`: true, "select text from tt, t1, a_t": false, "": false, "select 1": false, "table tt, t": true,
	} {
		if got := s.hidden(sql); got != want {
			t.Errorf("%q: %v, want %v", sql, got, want)
		}
	}
	for i := range 2 * maxTemps {
		s.hide([]string{fmt.Sprint("temp", i)})
	}
	if len(s.temps) != maxTemps || !s.hidden(fmt.Sprint("table temp", 2*maxTemps-1)) || s.hidden("table temp1") {
		t.Errorf("%d names, of the last ones", len(s.temps))
	}
}

func FuzzAlterationsNeverPanic(f *testing.F) {
	f.Add("create temp table a.b.c; drop table , , ; alter", true)
	f.Add("do 'x", false)
	f.Fuzz(func(t *testing.T, sql string, standard bool) { readAlteration(sql, standard) })
}

// TestWhatASchemaOfOldSaidIsNotKept has another connection alter the schema while a statement is being described.
func TestWhatASchemaOfOldSaidIsNotKept(t *testing.T) {
	t.Parallel()
	e, s := newEngine(t, 5, textual, firstUse, firstUse, laterUse)
	s.sending = e.shared.changed
	for range 3 {
		if _, err := finished(e, query, "x"); err != nil {
			t.Fatal(err)
		}
		s.sending = nil
	}
	s.used(t, "PDSBES", "PDSBES", "PBDPES")
}

func TestALostCommitMayHaveAltered(t *testing.T) {
	t.Parallel()
	inTx := answer{tagOf("ALTER TABLE"), open}
	for name, lost := range map[string]answer{"no answer": {}, "the tag only": {tagOf("COMMIT")}} {
		e, s := newEngine(t, 5, textual, inTx, lost)
		s.status = 'T'
		before := e.shared.current()
		if _, err := finished(e, "alter table t add c int; select 1"); err != nil || e.shared.current() != before {
			t.Fatalf("%v, epoch %d after %d", err, e.shared.current(), before)
		}
		if _, err := finished(e, "commit; select 1"); err != errLost || e.shared.current() == before {
			t.Errorf("%s: %v, the epoch is still %d", name, err, before)
		}
	}
}

func TestTemporaryTablesOfOddNames(t *testing.T) {
	t.Parallel()
	var s statements
	s.hide([]string{"", `odd"name`}) // the server refuses the first; the second is written "odd""name"
	for sql, want := range map[string]bool{`select * from "odd""name"`: true, "select * from odd": false, "": false} {
		if got := s.hidden(sql); got != want {
			t.Errorf("%q names a temporary table: %t, want %t", sql, got, want)
		}
	}
}

func FuzzReadAlteration(f *testing.F) {
	for _, sql := range []string{
		`create temp table "" (a int)`, `drop table a, "b""c" cascade; select 1`, "do $$ begin alter table t add c int; end $$",
		"select 1 into temp t", "create temporary view pg_temp.v as select 1; rollback to x", `create temp table if not exists "U&"`,
	} {
		f.Add(sql, true)
	}
	f.Fuzz(func(t *testing.T, sql string, standard bool) {
		s := newStatements(5, 100)
		if a := readAlteration(sql, standard); a != nil {
			s.hide(a.temps)
		}
		s.hidden(sql)
	})
}
