package driver_test

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestStrayCopyIsRefused runs COPYs where their data has no way: nothing hangs, and the connection goes on.
func TestStrayCopyIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	pid := backendPID(t, conn)
	statements := []string{
		"copy numbers from stdin", "copy numbers to stdout", endlessRows, "select 1; " + endlessRows, "copy numbers from stdin; select 1",
		"insert into numbers values (1); copy numbers from stdin; insert into numbers values (2)",
	}
	for _, statement := range statements {
		for name, run := range map[string]func(querier) error{
			"exec":  func(q querier) error { _, err := q.ExecContext(copyContext(t), statement); return err },
			"query": func(q querier) error { return readAll(q, statement) },
			"args":  func(q querier) error { _, err := q.ExecContext(copyContext(t), statement, 1); return err },
		} {
			tx := begin(t, conn)
			mustExec(t, tx, "select 1")
			errTx := run(tx)
			tx.Rollback()
			for where, err := range map[string]error{"transaction": errTx, "connection": run(conn)} {
				if err == nil || name != "args" && !strings.Contains(err.Error(), "copyin and copyout") {
					t.Errorf("%s: %s on a %s: %v", statement, name, where, err)
				}
			}
			if backendPID(t, conn) != pid {
				t.Fatalf("%s: %s: the connection was lost", statement, name)
			}
		}
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 {
		t.Errorf("rows = %d", n)
	}
}

// readAll runs a query and returns the first error up to its end.
func readAll(q querier, query string) error {
	rows, err := q.QueryContext(context.Background(), query)
	if err != nil {
		return err
	}
	for rows.NextResultSet() {
	}
	return errors.Join(rows.Err(), rows.Close())
}
