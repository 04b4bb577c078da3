package driver_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// preparedTexts are the statements that the server holds for the connection. The look is a text of two statements, which
// is never prepared, and carries the closing of evicted statements.
func preparedTexts(t testing.TB, q querier) []string {
	t.Helper()
	rows, err := q.QueryContext(context.Background(), "set local client_min_messages = error; select statement from pg_prepared_statements order by statement")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	texts := []string{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return texts
}

func prepareAfter(threshold, most int) func(*driver.Config) {
	return func(cfg *driver.Config) { cfg.PrepareThreshold, cfg.PreparedMax = threshold, most }
}

func TestStatementIsPreparedAfterItsThreshold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		threshold int
		before    int // executions that leave the server without a prepared statement
	}{{5, 5}, {1, 1}, {0, 0}, {2, 2}} {
		conn := one(t, openConfig(t, prepareAfter(tt.threshold, 100)))
		for i := range tt.before {
			number(t, conn, "select $1::int", i)
			if got := preparedTexts(t, conn); len(got) != 0 {
				t.Errorf("threshold %d, after %d executions the server holds %q", tt.threshold, i+1, got)
			}
		}
		for range 3 {
			number(t, conn, "select $1::int", 1)
			if got := preparedTexts(t, conn); !slices.Equal(got, []string{"select $1::int"}) {
				t.Errorf("threshold %d, after one more than %d executions the server holds %q", tt.threshold, tt.before, got)
			}
		}
	}
}

func TestNothingIsPreparedWithoutThresholdOrRoom(t *testing.T) {
	t.Parallel()
	for _, cfg := range []func(*driver.Config){prepareAfter(-1, 100), prepareAfter(0, 0)} {
		conn := one(t, openConfig(t, cfg))
		for i := range 8 {
			number(t, conn, "select $1::int", i)
		}
		if got := preparedTexts(t, conn); len(got) != 0 {
			t.Errorf("the server holds %q", got)
		}
	}
}

func TestLeastRecentlyUsedStatementIsEvicted(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, prepareAfter(1, 2)))
	use := func(names ...string) {
		for _, name := range names {
			for range 2 {
				number(t, conn, "select 1 as "+name)
			}
		}
	}
	held := func(want ...string) {
		t.Helper()
		for i := range want {
			want[i] = "select 1 as " + want[i]
		}
		if got := preparedTexts(t, conn); !slices.Equal(got, want) {
			t.Errorf("the server holds %q, want %q", got, want)
		}
	}
	use("a", "b")
	held("a", "b")
	use("a", "c") // b is the least recently used
	held("a", "c")
	use("b")
	held("b", "c")
}

func TestUnlimitedStatements(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, prepareAfter(0, -1)))
	const many = 700
	for range 2 {
		for i := range many {
			number(t, conn, fmt.Sprintf("select %d", i))
		}
	}
	if got := len(preparedTexts(t, conn)); got != many {
		t.Errorf("the server holds %d statements, want %d", got, many)
	}
}

func TestForgottenStatementsAreNoticed(t *testing.T) {
	t.Parallel()
	for _, forget := range []string{"discard all", "deallocate all", "select 1; deallocate all"} {
		conn := one(t, openConfig(t, prepareAfter(0, 100)))
		number(t, conn, "select $1::int", 1)
		number(t, conn, "select $1::int", 1)
		mustExec(t, conn, forget)
		tx := begin(t, conn) // inside a transaction no retry could hide it
		if got := number(t, tx, "select $1::int", 2); got != 2 {
			t.Errorf("after %s: got %d", forget, got)
		}
		if err := tx.Commit(); err != nil {
			t.Errorf("after %s: %v", forget, err)
		}
	}
}

func TestExplicitStatements(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	stmt, err := conn.PrepareContext(t.Context(), "select $1::int + $2::int")
	if err != nil {
		t.Fatal(err)
	}
	if got := preparedTexts(t, conn); len(got) != 1 {
		t.Errorf("the server holds %q, want the statement", got)
	}
	again, err := conn.PrepareContext(t.Context(), "select $1::int + $2::int")
	if err != nil {
		t.Fatal(err)
	}
	if got := preparedTexts(t, conn); len(got) != 1 {
		t.Errorf("the server holds %q, want one statement for two of the same text", got)
	}
	if err := stmt.Close(); err != nil {
		t.Fatal(err)
	}
	var sum int
	if err := again.QueryRowContext(t.Context(), 1, 2).Scan(&sum); err != nil || sum != 3 {
		t.Errorf("the other statement gives %d, %v", sum, err)
	}
	again.Close()
	if _, err := again.ExecContext(t.Context(), 1, 2); err == nil {
		t.Error("a closed statement runs")
	}
	if got := number(t, conn, "select $1::int + $2::int", 3, 4); got != 7 {
		t.Errorf("the text without a statement gives %d", got)
	}
}

func TestClosedStatementsLeaveTheServer(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, prepareAfter(-1, 100)))
	for i := range 10 {
		stmt, err := conn.PrepareContext(t.Context(), fmt.Sprintf("select %d", i))
		if err != nil {
			t.Fatal(err)
		}
		stmt.Close()
	}
	if got := preparedTexts(t, conn); len(got) != 0 {
		t.Errorf("the server holds %q, want nothing", got)
	}
}

func TestPinnedStatementsAreNotEvicted(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, prepareAfter(0, 1)))
	stmt, err := conn.PrepareContext(t.Context(), "select 'pinned'")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for i := range 5 {
		number(t, conn, fmt.Sprintf("select %d", i))
		number(t, conn, fmt.Sprintf("select %d", i))
	}
	if got := preparedTexts(t, conn); !slices.Contains(got, "select 'pinned'") || len(got) > 3 {
		t.Errorf("the server holds %q", got)
	}
}

func TestPrepareReportsTheServersError(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for range 2 {
		if _, err := db.PrepareContext(t.Context(), "select missing"); sqlState(err) != "42703" {
			t.Errorf("Prepare: %v, want an undefined column", err)
		}
	}
	if _, err := db.PrepareContext(t.Context(), "select 1; select 2"); sqlState(err) != "42601" {
		t.Errorf("Prepare of two statements: %v, want a syntax error", err)
	}
	if n := number(t, db, "select 1"); n != 1 {
		t.Error("the connection is not usable")
	}
}

func TestStatementOfAPoolWorksOnEveryConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	stmt, err := db.PrepareContext(t.Context(), "select pg_backend_pid() where $1 = 1")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	seen := map[int]bool{}
	var open []*sql.Rows
	for range 3 {
		rows, err := stmt.QueryContext(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, rows)
		var pid int
		if !rows.Next() || rows.Scan(&pid) != nil {
			t.Fatal(rows.Err())
		}
		seen[pid] = true
	}
	for _, rows := range open {
		rows.Close()
	}
	if len(seen) != 3 {
		t.Errorf("3 open results are on %d connections", len(seen))
	}
}
func TestPrepareInAFailedTransactionIsAnError(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx := begin(t, db)
	defer tx.Rollback()
	mustExec(t, tx, "select $1::int", 1)
	if _, err := tx.Exec("select 1/0"); err == nil {
		t.Fatal("no error of the division")
	}
	if _, err := tx.Prepare("select $1::int"); sqlState(err) != "25P02" {
		t.Errorf("known statement: %v, want 25P02", err)
	}
}
