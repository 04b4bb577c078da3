package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func numbers(from, to int) (sets [][]any) {
	for i := from; i <= to; i++ {
		sets = append(sets, []any{i, strings.Repeat("x", i%7)})
	}
	return sets
}

// sequence yields the sets, then err if it is not nil.
func sequence(sets [][]any, err error) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, set := range sets {
			if !yield(set, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// manies are the functions that run one statement for many sets.
var manies = map[string]func(context.Context, ext.Querier, string, [][]any) (int64, error){
	"ExecMany": ext.ExecMany,
	"ExecManySeq": func(ctx context.Context, q ext.Querier, sql string, sets [][]any) (int64, error) {
		return ext.ExecManySeq(ctx, q, sql, sequence(sets, nil))
	},
	"QueryMany": func(ctx context.Context, q ext.Querier, sql string, sets [][]any) (n int64, err error) {
		all, err := ext.QueryMany[int](ctx, q, sql+" returning id", sets)
		for i, rows := range all {
			n += int64(len(rows))
			if len(rows) != 1 || rows[0] != sets[i][0] {
				return 0, errors.New("wrong rows")
			}
		}
		return n, err
	},
}

func TestManySetsInOneGo(t *testing.T) {
	t.Parallel()
	for name, many := range manies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table t (id int, name text)")
			onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
				for _, count := range []int{0, 1, 999, 1000, 1001, 3500} {
					mustExec(t, q, "truncate t")
					if n, err := many(t.Context(), q, "insert into t values ($1, $2)", numbers(1, count)); err != nil || n != int64(count) {
						t.Errorf("%d sets: %d, %v", count, n, err)
					}
					if got, _ := ext.QueryVal[int](t.Context(), q, "select count(*) from t where length(name) = id % 7"); got != count {
						t.Errorf("%d sets: %d rows", count, got)
					}
				}
				mustExec(t, q, "truncate t") // and frees the table, where the handle is a transaction's
			})
			_, err := many(t.Context(), foreignDB(t), "insert into t values ($1, $2)", numbers(1, 1))
			wantForeign(t, name, err)
		})
	}
}

func TestManySetsAreAllOrNothing(t *testing.T) {
	t.Parallel()
	for name, many := range manies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table t (id int primary key, name text)")
			for _, bad := range []any{7, "no number"} {
				for _, at := range []int{50, 2400} {
					onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
						sets := numbers(1, 2500)
						sets[at][0] = bad
						_, err := many(t.Context(), q, "insert into t values ($1, $2)", sets)
						var failed *ext.BatchError
						if !errors.As(err, &failed) || failed.Index != at {
							t.Errorf("%v at %d: %v", bad, at, err)
						}
					})
					if got := word(t, db, "select count(*) from t"); got != "0" {
						t.Errorf("%v at %d: %s rows stayed", bad, at, got)
					}
				}
			}
		})
	}
}

func TestSequencesThatFailUndoEverything(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int, name text)")
	broken := errors.New("the source broke")
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for _, count := range []int{0, 5, 1500, 2000} {
			_, err := ext.ExecManySeq(t.Context(), q, "insert into t values ($1, $2)", sequence(numbers(1, count), broken))
			var failed *ext.BatchError
			if !errors.Is(err, broken) || !errors.As(err, &failed) || failed.Index != count {
				t.Errorf("after %d: %v", count, err)
			}
			if _, err := q.ExecContext(t.Context(), "select 1"); err != nil {
				t.Errorf("after %d: the handle is not usable: %v", count, err)
			}
			if conn, ok := q.(*sql.Conn); ok {
				if _, err := conn.ExecContext(t.Context(), "savepoint s"); sqlState(err) != "25P01" {
					t.Errorf("after %d: the transaction is still open: %v", count, err)
				}
			}
		}
	})
	if got := word(t, db, "select count(*) from t"); got != "0" {
		t.Errorf("%s rows stayed", got)
	}
}

func TestSequencesCannotUseTheirConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int, name text)")
	tx := begin(t, db)
	var inner error
	_, err := ext.ExecManySeq(t.Context(), tx, "insert into t values ($1, $2)", func(yield func([]any, error) bool) {
		for _, set := range numbers(1, 1500) {
			if !yield(set, nil) {
				return
			}
		}
		_, inner = tx.ExecContext(t.Context(), "select 1")
		if _, err := db.ExecContext(t.Context(), "select 1"); err != nil {
			t.Errorf("another connection: %v", err)
		}
	})
	if err != nil || !errors.Is(inner, driver.ErrBusy) || !strings.Contains(inner.Error(), "ExecManySeq") {
		t.Errorf("%v, inside %v, want ErrBusy naming ExecManySeq", err, inner)
	}
	func() {
		defer func() { recover() }()
		ext.ExecManySeq(t.Context(), db, "insert into t values ($1, $2)", func(yield func([]any, error) bool) {
			for _, set := range numbers(1, 1500) {
				yield(set, nil)
			}
			panic("in the sequence")
		})
	}()
	tx.Rollback()
	if got := word(t, db, "select count(*) from t"); got != "0" {
		t.Errorf("%s rows stayed", got)
	}
	mustExec(t, db, "drop table t")
}

func TestFailureAtTheCommitOfManySets(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int primary key, parent int references t deferrable initially deferred)")
	for _, count := range []int{2, 2500} {
		sets := make([][]any, count)
		for i := range sets {
			sets[i] = []any{i, -1}
		}
		for _, many := range []func(context.Context, ext.Querier, string, [][]any) (int64, error){manies["ExecMany"], manies["ExecManySeq"]} {
			if _, err := many(t.Context(), db, "insert into t values ($1, $2)", sets); sqlState(err) != "23503" {
				t.Errorf("%d: %v, want 23503", count, err)
			}
		}
	}
	if got := word(t, db, "select count(*) from t"); got != "0" {
		t.Errorf("%s rows stayed", got)
	}
}

func TestQueryManyReadsRowsAsQueryDoes(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type row struct {
		N    int
		Tags []string
		Doc  map[string]any
		Note *string
	}
	got, err := ext.QueryMany[row](t.Context(), db,
		"select i as n, array['a', 'b'] as tags, '{\"k\": 1}'::jsonb as doc, null::text as note from generate_series(1, $1::int) i", [][]any{{2}, {0}, {1}})
	if err != nil || len(got) != 3 || len(got[0]) != 2 || len(got[1]) != 0 || len(got[2]) != 1 {
		t.Fatal(got, err)
	}
	want := row{N: 2, Tags: []string{"a", "b"}, Doc: map[string]any{"k": 1.0}}
	if !reflect.DeepEqual(got[0][1], want) {
		t.Errorf("got %+v, want %+v", got[0][1], want)
	}
	_, err = ext.QueryMany[row](t.Context(), db, "select 1 as n from generate_series(1, $1::int)", [][]any{{0}, {1}})
	if err == nil || !strings.Contains(err.Error(), `"tags"`) {
		t.Errorf("%v, want an error naming the missing columns", err)
	}
}

func TestExecManyUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"ExecMany", "ExecManySeq"} {
		mock.ExpectExec("insert into t values ($1, $2)").WillReturnResult(sqlmock.NewResult(0, 42))
		if n, err := manies[name](t.Context(), db, "insert into t values ($1, $2)", numbers(1, 2500)); n != 42 || err != nil {
			t.Errorf("%s: %d, %v, want the mock's 42", name, n, err)
		}
	}
	mock.ExpectExec("insert into t values ($1, $2)").WillReturnResult(sqlmock.NewResult(0, 1))
	if r, err := ext.Exec(t.Context(), db, "insert into t values ($1, $2)", 1, 2); err != nil || r != (ext.Result{RowsAffected: 1}) {
		t.Errorf("Exec: %+v, %v", r, err)
	}
	if err := mock.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}
