package ext_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/ext"
)

const pairTypes = `create type mood as enum ('sad', 'ok'); create domain positive as int check (value > 0); create domain doc as jsonb;
	create type pair as (a positive, "b c" text); create type nest as (p pair, ps pair[], at timestamptz, mood mood, j doc, raw bytea, n numeric, moods mood[]);
	create table item (id int, p pair, ps pair[], nest nest)`

type pair struct {
	A int
	B *string `db:"b c"`
}

type nest struct {
	P     *pair
	Ps    []pair
	At    time.Time
	Mood  string
	J     map[string]int
	Raw   []byte
	N     ext.Numeric
	Moods []string
}

func newNest() nest {
	text := "quote \" back\\slash, (paren) {brace} \n'ä"
	empty := ""
	n, _ := ext.ParseNumeric("1.50")
	return nest{
		P: &pair{1, &text}, Ps: []pair{{2, &empty}, {3, nil}}, At: time.Date(2024, 2, 29, 12, 30, 0, 123000, time.UTC), Mood: "ok",
		J: map[string]int{"a": 1}, Raw: []byte{0, 1, 255, '"'}, N: n, Moods: []string{"sad", "ok"},
	}
}

func TestCompositesAreStructs(t *testing.T) {
	t.Parallel()
	inEveryMode(t, "create extension if not exists hstore; "+pairTypes, func(t *testing.T, db *sql.DB) {
		want := newNest()
		wantRow(t, db, want, "select $1::nest as x", want)
		wantRow(t, db, &want, "select $1::nest as x", &want)
		wantRow(t, db, (*nest)(nil), "select $1::nest as x", (*nest)(nil))
		wantRow(t, db, []nest{want, want}, "select $1::nest[] as x", []nest{want, want})
		wantRow(t, db, want.Ps, "select ($1::nest).ps", want)
		type row struct {
			ID   int
			Nest nest
			P    *pair
			Ps   []*pair
		}
		wantRow(t, db, row{1, want, nil, []*pair{{A: 5}, nil}}, "select 1 as id, $1::nest as nest, null::pair as p, array[row(5,null)::pair, null] as ps", want)
		type single struct{ Pair pair } // a row of one column, which is a composite
		wantRow(t, db, single{pair{A: 4}}, "select row(4, null)::pair as pair")
		if got := word(t, db, "select ($1::nest).p::text", want); !strings.HasPrefix(got, "(1,") {
			t.Errorf("as text: %s", got)
		}
		wantRow(t, db, pair{7, nil}, "select $1::pair as x", map[string]any{"a": 7, "b c": nil})
		wantRow(t, db, pair{7, nil}, "select $1::pair as x", []any{7, nil})
		var p pair
		var anonymous struct {
			N    int
			Text string
		}
		for range 7 {
			if err := db.QueryRowContext(t.Context(), "select $1::pair, row(5, 'x,y')", ext.Composite(&pair{8, nil})).Scan(ext.Composite(&p), ext.Composite(&anonymous)); err != nil ||
				p != (pair{8, nil}) || anonymous.N != 5 || anonymous.Text != "x,y" {
				t.Errorf("Composite: %v, %v, %v", p, anonymous, err)
			}
		}
		wantRow(t, db, anonymous, "select row(5, 'x,y') as r")
		wantRow(t, db, map[string]any{"p": "(1,x)"}, "select '(1,x)'::pair as p") // as ever, before LoadTypes
		if _, err := ext.LoadTypes(t.Context(), db, "pair", "nest", "hstore", "mood"); err != nil {
			t.Fatal(err)
		}
		wantRow(t, db, map[string]any{"p": map[string]any{"a": int64(1), "b c": "x"}, "ps": []any{map[string]any{"a": int64(2), "b c": nil}, nil}, "m": "ok"},
			"select '(1,x)'::pair as p, array['(2,)'::pair, null] as ps, 'ok'::mood as m")
		one, null := "1", (*string)(nil)
		wantRow(t, db, []any{map[string]*string{"a": &one, "b": null}}, "select 'a=>1, b=>null'::hstore")
		whole, err := ext.QueryVal[any](t.Context(), db, "select $1::nest", want)
		m, _ := whole.(map[string]any)
		if err != nil || m["mood"] != "ok" || m["n"] != "1.50" || !reflect.DeepEqual(m["raw"], want.Raw) || !reflect.DeepEqual(m["j"], map[string]any{"a": 1.0}) ||
			!m["at"].(time.Time).Equal(want.At) || !reflect.DeepEqual(m["moods"], []any{"sad", "ok"}) {
			t.Errorf("any: %v, %v", whole, err)
		}
	})
}

func TestCompositesTravelByCopyAndInBatches(t *testing.T) {
	t.Parallel()
	inEveryMode(t, pairTypes, func(t *testing.T, db *sql.DB) {
		type item struct {
			ID   int
			P    *pair
			Ps   []pair
			Nest nest
		}
		items := []item{{1, &pair{A: 3}, []pair{{A: 1}}, newNest()}, {2, nil, nil, newNest()}}
		check := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			got, err := ext.Query[item](t.Context(), db, "select * from item order by id")
			if err != nil || !reflect.DeepEqual(got, items) {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
			var copied []item
			for v, err := range copyout.Rows[item](t.Context(), db, copyout.Query("select * from item order by id")) {
				if err != nil {
					t.Fatalf("%s: copyout: %v", what, err)
				}
				copied = append(copied, v)
			}
			if !reflect.DeepEqual(copied, items) {
				t.Errorf("%s: copyout: %+v", what, copied)
			}
			mustExec(t, db, "delete from item")
		}
		_, err := ext.InsertMany(t.Context(), db, "item", items, ext.InsertOptions{})
		check("InsertMany", err)
		var sets [][]any
		for _, i := range items {
			sets = append(sets, []any{i.ID, i.P, i.Ps, i.Nest})
		}
		_, err = ext.ExecMany(t.Context(), db, "insert into item values ($1, $2, $3, $4)", sets)
		check("ExecMany", err)
		_, err = copyin.Structs(t.Context(), db, "item", items, copyin.Options{})
		check("copyin.Structs", err)
		_, err = copyin.Rows(t.Context(), db, "item", sets, copyin.Options{})
		check("copyin.Rows", err)
	})
}

func TestTypesOfAnOpenTransaction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx := begin(t, db)
	mustExec(t, tx, "create type fresh as (a int, b text)")
	type fresh struct {
		A int
		B string
	}
	if _, err := ext.LoadTypes(t.Context(), tx, "fresh"); err != nil {
		t.Fatal(err)
	}
	wantRow(t, tx, fresh{1, "x"}, "select $1::fresh", fresh{1, "x"})
}

func TestStructsThatDoNotFitACompositeAreRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create type pair as (a int, b text)")
	type less struct{ A int }
	type more struct {
		A int
		B string
		C bool
	}
	for _, tt := range []struct {
		query string
		args  []any
		want  string
	}{
		{"select $1::pair", []any{less{1}}, `no field for field "b" of type pair`},
		{"select $1::pair", []any{more{}}, `type pair has no field for "c"`},
		{"select $1::pair", []any{map[string]any{"a": 1}}, `no key for field "b"`},
		{"select $1::pair", []any{map[string]any{"a": 1, "b": "", "c": 2}}, "keys that are no fields"},
		{"select $1::pair", []any{[]any{1}}, "1 values for type pair of 2 fields"},
		{"select $1::pair", []any{map[string]any{"a": 1, "b": "\x00"}}, `field "b"`},
	} {
		_, err := db.ExecContext(t.Context(), tt.query, tt.args...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.args, err, tt.want)
		}
	}
	if _, err := ext.QueryVal[less](t.Context(), db, "select '(1,x)'::pair as p"); err == nil || !strings.Contains(err.Error(), `no field for field "b"`) {
		t.Errorf("result: %v", err)
	}
	if _, err := ext.QueryVal[pair](t.Context(), db, "select '(,x)'::pair as p"); err == nil {
		t.Error("a composite of other fields was read")
	}
	if n := word(t, db, "select 1"); n != "1" {
		t.Error(n)
	}
}
