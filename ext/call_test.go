package ext_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/ext"
)

func TestCallFuncReadsWhatAFunctionReturns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `
		create schema app;
		create function app."Add"(a int, b int default 10) returns int language sql as 'select a + b';
		create function app.split(n int, out half int, out rest int) language sql as 'select n / 2, n % 2';
		create function app.series(n int) returns setof int language sql as 'select generate_series(1, n)';
		create function app.nothing() returns void language sql as ''`)
	type halves struct{ Half, Rest int }
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for _, args := range [][]any{{1, 2}, {sql.Named("b", 2), sql.Named("a", 1)}, {1, sql.Named("b", 2)}} {
			if got, err := ext.CallFunc[int](t.Context(), q, "app.Add", args...); err != nil || !reflect.DeepEqual(got, []int{3}) {
				t.Errorf("%v: %v, %v", args, got, err)
			}
		}
		if got, err := ext.CallFunc[int](t.Context(), q, "app.Add", 1); err != nil || got[0] != 11 {
			t.Errorf("default: %v, %v", got, err)
		}
		if got, err := ext.CallFunc[halves](t.Context(), q, "app.split", 7); err != nil || !reflect.DeepEqual(got, []halves{{3, 1}}) {
			t.Errorf("OUT: %v, %v", got, err)
		}
		if got, err := ext.CallFunc[int](t.Context(), q, "app.series", 3); err != nil || !reflect.DeepEqual(got, []int{1, 2, 3}) {
			t.Errorf("set: %v, %v", got, err)
		}
		if got, err := ext.CallFunc[any](t.Context(), q, "app.nothing"); err != nil || len(got) != 1 {
			t.Errorf("void: %v, %v", got, err)
		}
		if got, err := ext.CallFunc[string](t.Context(), q, "upper", "é'"); err != nil || got[0] != "É'" {
			t.Errorf("upper: %v, %v", got, err)
		}
	})
	if _, err := ext.CallFunc[int](t.Context(), db, "app.add", 1); sqlState(err) != "42883" || !strings.Contains(err.Error(), "app.add") {
		t.Errorf("%v, want 42883", err)
	}
	for _, bad := range [][]any{{sql.Named("a", 1), 2}, {sql.Named("", 1)}} {
		if _, err := ext.CallFunc[int](t.Context(), db, "app.Add", bad...); err == nil || sqlState(err) != "" {
			t.Errorf("%v: %v, want an error before sending", bad, err)
		}
	}
	if _, err := ext.CallFunc[int](t.Context(), db, "a.b.c"); err == nil || sqlState(err) != "" {
		t.Errorf("%v, want an error before sending", err)
	}
}

func TestCallProcFillsItsOutputs(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `
		create table log (line text);
		create procedure note(line text) language sql as 'insert into log values (line)';
		create procedure twice(n int, inout total int, inout word text) language plpgsql as
			$$ begin total := coalesce(total, 100) + 2 * n; word := word || '!'; end $$;
		create procedure only_out(n int, out square int) language plpgsql as $$ begin square := n * n; end $$;
		create procedure commits() language plpgsql as $$ begin insert into log values ('a'); commit; insert into log values ('b'); rollback; end $$`)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		if err := ext.CallProc(t.Context(), q, "note", "hello"); err != nil {
			t.Fatal(err)
		}
		total, text := 5, "x"
		if err := ext.CallProc(t.Context(), q, "twice", 3, sql.Out{Dest: &total, In: true}, sql.Out{Dest: &text, In: true}); err != nil || total != 11 || text != "x!" {
			t.Errorf("%d, %q, %v, want 11 and x!", total, text, err)
		}
		var null *string
		if err := ext.CallProc(t.Context(), q, "twice", sql.Named("word", sql.Out{Dest: &null}), sql.Named("n", 1), sql.Named("total", sql.Out{Dest: &total})); err != nil || total != 102 || null != nil {
			t.Errorf("%d, %v, %v, want 102 and nil", total, null, err)
		}
		var square int64
		if err := ext.CallProc(t.Context(), q, "only_out", 9, sql.Out{Dest: &square}); err != nil || square != 81 {
			t.Errorf("%d, %v, want 81", square, err)
		}
	})
	mustExec(t, db, "truncate log")
	if err := ext.CallProc(t.Context(), db, "commits"); err != nil || word(t, db, "select string_agg(line, '') from log") != "a" {
		t.Errorf("a procedure that commits: %v", err)
	}
	if err := ext.CallProc(t.Context(), begin(t, db), "commits"); sqlState(err) != "2D000" {
		t.Errorf("inside a transaction: %v, want 2D000", err)
	}
	var n int
	for name, args := range map[string][]any{
		"no pointer": {1, sql.Out{Dest: 7}, nil},
		"nil":        {1, sql.Out{Dest: (*int)(nil)}, nil},
		"too few":    {1, sql.Out{Dest: &n}, "x"},
		"wrong name": {sql.Named("n", 1), sql.Named("total", sql.Out{Dest: &n}), sql.Named("word", "x")},
	} {
		if err := ext.CallProc(t.Context(), db, "twice", args...); err == nil || !strings.Contains(err.Error(), "sql.Out") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCallsUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mock.ExpectQuery(`select * from "app"."f"("a" => $1)`).WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"f"}).AddRow(2))
	mock.ExpectExec(`call "p"($1)`).WithArgs("x").WillReturnResult(sqlmock.NewResult(0, 0))
	mock.ExpectQuery(`call "p"($1, $2)`).WithArgs("x", nil).WillReturnRows(sqlmock.NewRows([]string{"n"}).AddRow(3))
	if got, err := ext.CallFunc[int](t.Context(), db, "app.f", sql.Named("a", 1)); err != nil || got[0] != 2 {
		t.Error(got, err)
	}
	if err := ext.CallProc(t.Context(), db, "p", "x"); err != nil {
		t.Error(err)
	}
	var n int
	if err := ext.CallProc(t.Context(), db, "p", "x", sql.Out{Dest: &n}); err != nil || n != 3 {
		t.Error(n, err)
	}
}
