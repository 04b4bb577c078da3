package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// usedBy brings a statement to where the server has it prepared (or the driver only remembers its types).
func usedBy(t *testing.T, q querier, query string, args ...any) {
	t.Helper()
	for range 3 {
		number(t, q, query, args...)
	}
}

// schemaChanges are what a migration does to a statement in use, each with the statement and the value that it must give.
var schemaChanges = []struct {
	name   string
	query  string
	args   []any
	change string
	want   int64
}{
	{"a result column changes its type", "select b from item where a = $1", []any{1}, "alter table item alter b type bigint using b + 1", 8},
	{"a star's only column changes its type", "select * from single where a = $1", []any{1}, "alter table single alter a type bigint", 1},
	{"a parameter changes its type", "select b from item where a = $1", []any{1}, "alter table item alter a type text using a::text", 7},
	{"the table is another one", "select b from item where a = $1", []any{1}, "drop table item; create table item (b int, a int); insert into item values (9, 1)", 9},
}

func TestSchemaChangeOutsideATransactionIsUnseen(t *testing.T) {
	t.Parallel()
	for _, threshold := range []int{0, 1, 2, -1} {
		for _, tt := range schemaChanges {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				space := newSpace(t)
				db, other := openSpace(t, space, "", prepareAfter(threshold, 100)), openSpace(t, space, "", nil)
				conn := one(t, db)
				mustExec(t, conn, "create table item (a int, b int); insert into item values (1, 7)")
				mustExec(t, conn, "create table single (a int); insert into single values (1)")
				usedBy(t, conn, tt.query, tt.args...)
				stmt, err := conn.PrepareContext(t.Context(), tt.query)
				if err != nil {
					t.Fatal(err)
				}
				defer stmt.Close()
				mustExec(t, other, tt.change) // another pool's, unseen
				for range 3 {
					var got int64
					if err := stmt.QueryRowContext(t.Context(), tt.args...).Scan(&got); err != nil || got != tt.want {
						t.Fatalf("the *sql.Stmt gives %d, %v, want %d", got, err, tt.want)
					}
					if got := number(t, conn, tt.query, tt.args...); got != tt.want {
						t.Fatalf("the text gives %d, want %d", got, tt.want)
					}
				}
			})
		}
	}
}

func TestSchemaChangeAddsAColumnToAStar(t *testing.T) {
	t.Parallel()
	for _, threshold := range []int{0, 2, -1} {
		space := newSpace(t)
		conn, other := one(t, openSpace(t, space, "", prepareAfter(threshold, 100))), openSpace(t, space, "", nil)
		mustExec(t, conn, "create table item (a int); insert into item values (1)")
		for range 4 {
			number(t, conn, "select * from item where a = $1", 1)
		}
		mustExec(t, other, "alter table item add b int default 7")
		for range 2 {
			var a, b int
			if err := conn.QueryRowContext(t.Context(), "select * from item where a = $1", 1).Scan(&a, &b); err != nil || a != 1 || b != 7 {
				t.Errorf("threshold %d: %d, %d, %v, want 1, 7", threshold, a, b, err)
			}
		}
		mustExec(t, other, "alter table item rename b to c")
		rows, err := conn.QueryContext(t.Context(), "select * from item where a = $1", 1)
		if err != nil {
			t.Fatal(err)
		}
		if columns, _ := rows.Columns(); len(columns) != 2 || columns[1] != "c" {
			t.Errorf("threshold %d: columns = %q, want the new name", threshold, columns)
		}
		rows.Close()
	}
}

func TestStalePlanInsideATransactionIsNamed(t *testing.T) {
	t.Parallel()
	space := newSpace(t)
	db, other := openSpace(t, space, "", prepareAfter(0, 100)), openSpace(t, space, "", nil)
	mustExec(t, db, "create table item (a int); insert into item values (1)")
	conn := one(t, db)
	const query = "select * from item where a = $1"
	usedBy(t, conn, query, 1)
	mustExec(t, other, "alter table item alter a type bigint") // another pool's, unseen
	tx := begin(t, conn)
	_, err := tx.QueryContext(t.Context(), query, 1)
	if !errors.Is(err, driver.ErrStalePlan) || sqlState(err) != "0A000" {
		t.Errorf("error = %v, want ErrStalePlan with the server's 0A000", err)
	}
	if _, err := tx.ExecContext(t.Context(), "select 1"); sqlState(err) != "25P02" || !errors.Is(err, driver.ErrStalePlan) {
		t.Errorf("the next statement: %v, want 25P02 naming the stale plan", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	tx = begin(t, conn)
	if got := number(t, tx, query, 1); got != 1 {
		t.Errorf("the next transaction gives %d, want 1", got)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestVanishedStatementIsPreparedAgain(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, prepareAfter(0, 100)))
	// The driver cannot notice what a function does.
	const hidden = "select pg_temp.hidden()"
	mustExec(t, conn, "create function pg_temp.hidden() returns void language plpgsql as $$ begin execute 'deallocate all'; end $$")
	stmt, err := conn.PrepareContext(t.Context(), "select $1::int + 1")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 3 {
		var got int
		if err := stmt.QueryRowContext(t.Context(), 1).Scan(&got); err != nil || got != 2 {
			t.Fatalf("the *sql.Stmt gives %d, %v", got, err)
		}
		usedBy(t, conn, "select $1::int", 5)
		mustExec(t, conn, hidden)
		if got := number(t, conn, "select $1::int", 6); got != 6 {
			t.Fatalf("the text gives %d", got)
		}
		mustExec(t, conn, hidden)
	}
	number(t, conn, "select $1::int", 6)
	mustExec(t, conn, hidden)
	tx := begin(t, conn)
	if err := tx.QueryRowContext(t.Context(), "select $1::int", 7).Scan(new(int)); !errors.Is(err, driver.ErrStalePlan) || sqlState(err) != "26000" {
		t.Errorf("inside a transaction: %v, want ErrStalePlan with the server's 26000", err)
	}
}

func TestErrorsInsideAStatementAreNotMistakenForAStalePlan(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"26000", "0A000", "08P01", "42804", "42883", "22P03"} {
		db := openConfig(t, prepareAfter(0, 100))
		mustExec(t, db, `create table item (n int);
			create procedure work(n int) language plpgsql as $$ begin
				insert into item values (n);
				commit;
				raise exception 'inside' using errcode = '`+code+`';
			end $$`)
		run := func(name string, exec func() (sql.Result, error)) {
			t.Helper()
			before := number(t, db, "select count(*) from item")
			if _, err := exec(); sqlState(err) != code || errors.Is(err, driver.ErrStalePlan) {
				t.Errorf("%s of a procedure that raises %s: %v", name, code, err)
			}
			if got := number(t, db, "select count(*) from item") - before; got != 1 {
				t.Errorf("%s of a procedure that raises %s: executed %d times, want once", name, code, got)
			}
		}
		stmt, err := db.PrepareContext(t.Context(), "call work($1)")
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		for range 3 {
			run("Exec", func() (sql.Result, error) { return db.ExecContext(context.Background(), "call work($1)", 1) })
			run("*sql.Stmt", func() (sql.Result, error) { return stmt.ExecContext(context.Background(), 1) })
		}
	}
}
