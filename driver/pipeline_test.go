package driver_test

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// list gives statements one after the other.
func list(statements ...driver.Statement) func() (driver.Statement, bool, error) {
	return func() (s driver.Statement, ok bool, err error) {
		if len(statements) == 0 {
			return s, false, nil
		}
		s, statements = statements[0], statements[1:]
		return s, true, nil
	}
}

func text(sql string, args ...any) driver.Statement { return driver.Statement{SQL: sql, Args: args} }

// allRows reads the rows of an outcome.
func allRows(t testing.TB, o *driver.Outcome) (all []string) {
	t.Helper()
	rows := o.SQLRows()
	dest := make([]sqldriver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(dest); err {
		case nil:
			all = append(all, strings.Trim(fmt.Sprint(dest), "[]"))
		case io.EOF:
			return all
		default:
			t.Fatal(err)
		}
	}
}

func TestPipelineRunsStatementsInOrderAndKeepsRows(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int, name text)")
	for _, h := range []driver.Execer{db, one(t, db), begin(t, db)} {
		var got []string
		inside(t, h, func(ctx context.Context, c *driver.Conn) {
			err := c.Pipeline(ctx, list(
				text("insert into t values ($1, $2)", 1, "a"), text("insert into t values ($1, $2)", int64(2), nil),
				driver.Statement{SQL: "delete from t returning id, name", Rows: true},
				driver.Statement{SQL: "select $1::text[]", Args: []any{[]string{"x", "y z"}}, Rows: true},
				text(""),
			), func(i int, o *driver.Outcome) {
				got = append(got, fmt.Sprint(i, o.Tag, o.RowsAffected, allRows(t, o), o.Err))
			})
			if err != nil {
				t.Error(err)
			}
		})
		want := []string{
			"0INSERT 0 11 [] <nil>", "1INSERT 0 11 [] <nil>", "2DELETE 22 [1 a 2 <nil>] <nil>",
			`3SELECT 11 [{x,"y z"}] <nil>`, "40 [] <nil>",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%T: got\n%s\nwant\n%s", h, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestPipelineIsAllOrNothingAndNamesTheFailure(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int primary key, parent int references t deferrable initially deferred)")
	insert := "insert into t values ($1, $2)"
	tests := []struct {
		name       string
		statements []driver.Statement
		index      int
		failed     []int
	}{
		{"at once", []driver.Statement{text("insert into nowhere values ($1)", 1), text(insert, 1, 1)}, 0, []int{0, 1}},
		{"in the middle", []driver.Statement{text(insert, 1, 1), text(insert, 1, 1), text(insert, 3, 3)}, 1, []int{1, 2}},
		{"at the end", []driver.Statement{text(insert, 1, 1), text(insert, 2, 2), text(insert, 1, 1)}, 2, []int{2}},
		{"when committing", []driver.Statement{text(insert, 1, 99)}, -1, nil},
		{"client's", []driver.Statement{text(insert, 1, 1), text(insert, "no number", 1), text(insert, 3, 3)}, 1, []int{1, 2}},
		{"too many arguments", []driver.Statement{text(insert, 1, 1), text(insert, 1, 2, 3)}, 1, []int{1}},
		{"COPY", []driver.Statement{text(insert, 1, 1), text("copy t from stdin"), text("select 1")}, 1, []int{1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, h := range []driver.Execer{db, begin(t, db)} {
				if tt.index < 0 && h != driver.Execer(db) {
					continue
				}
				var failed []int
				_, err := driver.Do(t.Context(), h, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
					return 0, c.Pipeline(ctx, list(tt.statements...), func(i int, o *driver.Outcome) {
						if o.Err != nil {
							failed = append(failed, i)
							if i > tt.index && !errors.Is(o.Err, driver.ErrPipelineAborted) {
								t.Errorf("statement %d: %v, want ErrPipelineAborted", i, o.Err)
							}
						}
					})
				})
				var pe *driver.PipelineError
				if !errors.As(err, &pe) || pe.Index != tt.index || errors.Is(err, driver.ErrPipelineAborted) || !slices.Equal(failed, tt.failed) {
					t.Errorf("%T: %v, failed %v, want index %d and %v", h, err, failed, tt.index, tt.failed)
				}
			}
			if n := number(t, db, "select count(*) from t"); n != 0 {
				t.Errorf("%d rows stayed", n)
			}
		})
	}
}

func TestPipelineSynchronisationPointsBoundAFailure(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int primary key)")
	insert := "insert into t values ($1)"
	synced := func(args ...any) driver.Statement { return driver.Statement{SQL: insert, Args: args, Sync: true} }
	failed := map[int]bool{}
	_, err := driver.Do(t.Context(), db, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Pipeline(ctx, list(
			synced(1),
			text(insert, 2), text(insert, 1), synced(3),
			text(insert, 4), synced(5),
			synced("no number"),
			text(insert, 6), synced("no number"),
			synced(7),
		), func(i int, o *driver.Outcome) { failed[i] = o.Err != nil })
	})
	var pe *driver.PipelineError
	if !errors.As(err, &pe) || pe.Index != 2 {
		t.Errorf("error = %v, want that of statement 2", err)
	}
	if got := word(t, db, "select string_agg(id::text, ' ' order by id) from t"); got != "1 4 5 7" {
		t.Errorf("stored %s, want 1 4 5 7", got)
	}
	for i, want := range []bool{false, true, true, true, false, false, true, true, true, false} {
		if i != 1 && i != 7 && failed[i] != want {
			t.Errorf("statement %d failed: %v, want %v", i, failed[i], want)
		}
	}
}

func TestPipelineOfAnySizeDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	const count = 3000
	value := strings.Repeat("x", 10_000)
	n, rows := 0, 0
	inside(t, db, func(ctx context.Context, c *driver.Conn) {
		err := c.Pipeline(ctx, func() (driver.Statement, bool, error) {
			n++
			return driver.Statement{SQL: "select $1::text || $2::text", Args: []any{value, n}, Rows: true}, n <= count, nil
		}, func(i int, o *driver.Outcome) {
			if got := allRows(t, o); len(got) == 1 && len(got[0]) > len(value) {
				rows++
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	if rows != count {
		t.Errorf("%d results came back whole, want %d", rows, count)
	}
}

func TestPipelineEndsWithItsContextAndKeepsTheConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	pid := backendPID(t, conn)
	mustExec(t, db, "create table t (id int)")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("changed my mind")
	whenSleeping(t, db, pid, func() { cancel(cause) })
	_, err := driver.Do(ctx, conn, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Pipeline(ctx, list(text("insert into t values (1)"), text("select pg_sleep(60)"), text("select 1")), nil)
	})
	var pe *driver.PipelineError
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || sqlState(err) != "57014" || !errors.As(err, &pe) || pe.Index != 1 {
		t.Errorf("error = %v, want Canceled, its cause and 57014 of statement 1", err)
	}
	if backendPID(t, conn) != pid || number(t, conn, "select count(*) from t") != 0 {
		t.Error("the connection was lost, or a row stayed")
	}
}

func TestPipelineAfterTheTypesHaveChanged(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create table t (v int)")
	run := func(v any) error {
		_, err := driver.Do(t.Context(), db, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
			return 0, c.Pipeline(ctx, list(text("insert into t values ($1)", v), text("insert into t values ($1)", v)), nil)
		})
		return err
	}
	if err := run(1); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "alter table t alter v type uuid using null")
	id := "6fa459ea-ee8a-3ca4-894e-db77e160355e"
	if err := run(id); err != nil && !errors.Is(err, driver.ErrStalePlan) {
		t.Errorf("%v, want success or ErrStalePlan", err)
	}
	if err := run(id); err != nil {
		t.Errorf("after ErrStalePlan: %v", err)
	}
}

func TestPipelineErrorOfTheSourceUndoesWhatWasSent(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int)")
	n, broken := 0, errors.New("the source broke")
	_, err := driver.Do(t.Context(), db, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Pipeline(ctx, func() (driver.Statement, bool, error) {
			if n++; n > 20_000 {
				return driver.Statement{}, false, broken
			}
			return text("insert into t values ($1)", n), true, nil
		}, nil)
	})
	var pe *driver.PipelineError
	if !errors.Is(err, broken) || !errors.As(err, &pe) || pe.Index != 20_000 {
		t.Errorf("error = %v, want the source's with its index", err)
	}
	if n := number(t, db, "select count(*) from t"); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
}

func TestDescribeTellsTypesWithoutRunning(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int, name varchar(7)); create sequence s")
	inside(t, db, func(ctx context.Context, c *driver.Conn) {
		d, err := c.Describe(ctx, "select name, id + $1::int8 as n, nextval('s') from t where id = $2")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(d.Params, []uint32{20, 23}) || len(d.Columns) != 3 {
			t.Fatalf("got %+v", d)
		}
		if got := d.Columns[0]; got.Name != "name" || got.OID != 1043 || got.TypeMod != 11 || got.Attribute != 2 || got.Table == 0 {
			t.Errorf("name: %+v", got)
		}
		if got := d.Columns[1]; got.Name != "n" || got.OID != 20 || got.Table != 0 || got.TypeMod != -1 {
			t.Errorf("n: %+v", got)
		}
		if _, err := c.Describe(ctx, "select from nowhere"); sqlState(err) != "42P01" {
			t.Errorf("error = %v, want 42P01", err)
		}
	})
	if n := executions(t, db, "s"); n != 0 {
		t.Errorf("the statement ran %d times", n)
	}
}

func TestCommandTagReachesTheCaller(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int)")
	var tag string
	mustExec(t, db, "insert into t values ($1), (2)", driver.QueryOptions{Tag: &tag}, 1)
	if tag != "INSERT 0 2" {
		t.Errorf("tag = %q by argument", tag)
	}
	ctx := driver.WithCommandTag(driver.WithQueryOptions(t.Context(), driver.QueryOptions{Simple: true}), &tag)
	rows, err := db.QueryContext(ctx, "select * from t; select 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil || tag != "SELECT 1" {
		t.Errorf("tag = %q by context, %v", tag, err)
	}
	if _, err := db.ExecContext(ctx, "select 1/0"); err == nil || tag != "SELECT 1" {
		t.Errorf("tag = %q after an error", tag)
	}
	stmt, err := db.PrepareContext(t.Context(), "delete from t")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(driver.WithCommandTag(t.Context(), &tag)); err != nil || tag != "DELETE 2" {
		t.Errorf("tag = %q of a prepared statement, %v", tag, err)
	}
}
