package driver_test

import (
	"context"
	"database/sql"
	"testing"
)

// lateDB has a table whose foreign key is checked at commit: `insert into child values (1)` succeeds, its commit fails
// with 23503.
func lateDB(t *testing.T) *sql.DB {
	t.Helper()
	db := openDB(t)
	mustExec(t, db, `create table parent (n int primary key);
		create table child (n int references parent deferrable initially deferred);
		create function add() returns setof int language sql as
			$$ insert into child values (1); select * from generate_series(1, 5000) $$`)
	return db
}

const foreignKeyViolation = "23503"

// lateStatements fail at the commit that the server does behind them.
var lateStatements = []struct {
	query string
	args  []any
	early bool // has rows: rows can be closed before their end
}{
	{query: "insert into child values (1)"},
	{query: "insert into child values ($1)", args: []any{1}},
	{query: "insert into child values ($1) returning n", args: []any{1}, early: true},
	{query: "select * from add()", early: true},
	{query: "select * from add() where $1 = 1", args: []any{1}, early: true},
	{query: "select 1; insert into child values (1)", early: true},
	{query: "insert into child values (1); select 1", early: true},
	{query: "insert into child values (1); select 1 where false", early: true},
}

func TestExecReportsAFailedCommit(t *testing.T) {
	t.Parallel()
	db := lateDB(t)
	for _, tt := range lateStatements {
		for range 7 { // unprepared first, prepared later
			if _, err := db.ExecContext(t.Context(), tt.query, tt.args...); sqlState(err) != foreignKeyViolation {
				t.Fatalf("%q: %v, want a foreign key violation", tt.query, err)
			}
		}
	}
	if n := number(t, db, "select count(*) from child"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

func TestReadingToTheEndReportsAFailedCommit(t *testing.T) {
	t.Parallel()
	db := lateDB(t)
	for _, tt := range lateStatements {
		for range 7 {
			rows, err := db.QueryContext(t.Context(), tt.query, tt.args...)
			if err == nil {
				_, err = readSets(rows)
			}
			if sqlState(err) != foreignKeyViolation {
				t.Fatalf("%q: %v, want a foreign key violation", tt.query, err)
			}
		}
	}
}

func TestClosingRowsEarlyReportsAFailedCommit(t *testing.T) {
	t.Parallel()
	db := lateDB(t)
	for _, tt := range lateStatements {
		if !tt.early {
			continue
		}
		for _, read := range []int{0, 1} {
			rows, err := db.QueryContext(t.Context(), tt.query, tt.args...)
			if err == nil {
				for range read {
					rows.Next()
				}
				if err = rows.Close(); err == nil {
					err = rows.Err()
				}
			}
			if sqlState(err) != foreignKeyViolation {
				t.Errorf("%q, %d rows read: %v, want a foreign key violation", tt.query, read, err)
			}
		}
	}
}

func TestPreparedStatementReportsAFailedCommit(t *testing.T) {
	t.Parallel()
	db := lateDB(t)
	for _, tt := range lateStatements[1:5] {
		stmt, err := db.PrepareContext(t.Context(), tt.query)
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		if _, err := stmt.ExecContext(t.Context(), tt.args...); sqlState(err) != foreignKeyViolation {
			t.Errorf("Exec of %q: %v, want a foreign key violation", tt.query, err)
		}
	}
}

func TestClosingRowsEarlyKeepsWhatTheStatementDid(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	rows, err := db.QueryContext(t.Context(), "insert into item select * from generate_series(1, 50000) returning n")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "select count(*) from item"); n != 50000 {
		t.Errorf("%d rows were kept, want 50000", n)
	}
}

func TestErrorBeforeTheFirstRowIsQuerysOwn(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int unique)")
	mustExec(t, db, "insert into item values (1)")
	for range 7 {
		rows, err := db.QueryContext(context.Background(), "insert into item values ($1) returning n", 1)
		if sqlState(err) != "23505" {
			t.Errorf("Query = %v, %v, want a unique violation", rows, err)
		}
	}
	rows, err := db.QueryContext(t.Context(), "select 1 / (3000 - n) from generate_series(1, 5000) n")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if n != 2999 || sqlState(rows.Err()) != "22012" {
		t.Errorf("%d rows and %v, want 2999 and division by zero", n, rows.Err())
	}
}
