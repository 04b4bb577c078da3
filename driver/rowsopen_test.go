package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestStatementsWhileRowsAreOpenAreRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create sequence s")
	tx := begin(t, db)
	prepared, err := tx.PrepareContext(t.Context(), "select nextval('s') + $1")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tx.QueryContext(t.Context(), "select 7 as held from generate_series(1, 3)")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Fatal("no row")
	}
	attempts := map[string]func() error{
		"Exec": func() error { _, err := tx.ExecContext(t.Context(), "select nextval('s')"); return err },
		"Query": func() error {
			return tx.QueryRowContext(t.Context(), "select nextval('s') where $1 = 1", 1).Scan(new(int))
		},
		"Prepare":  func() error { _, err := tx.PrepareContext(t.Context(), "select 4"); return err },
		"prepared": func() error { _, err := prepared.ExecContext(t.Context(), 1); return err },
		"Do": func() error {
			_, err := driver.Do(t.Context(), tx, "x", func(context.Context, *driver.Conn) (int64, error) {
				t.Error("the function of Do ran")
				return 0, nil
			})
			return err
		},
	}
	for name, attempt := range attempts {
		if err := attempt(); !errors.Is(err, driver.ErrRowsOpen) || !strings.Contains(err.Error(), "select 7 as held") {
			t.Errorf("%s: %v, want ErrRowsOpen naming the open statement", name, err)
		}
	}
	count := 1
	for rows.Next() {
		count++
	}
	if count != 3 || rows.Err() != nil {
		t.Errorf("the open rows gave %d rows, %v, want 3", count, rows.Err())
	}
	if n := executions(t, tx, "s"); n != 0 {
		t.Errorf("%d refused statements were executed", n)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestOpenRowsDoNotHideBehindALongText(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	long := "select 'x" + strings.Repeat("é", 5000) + "'"
	rows, err := conn.QueryContext(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	_, err = conn.ExecContext(t.Context(), "select 1")
	if !errors.Is(err, driver.ErrRowsOpen) || len(err.Error()) > 500 || strings.ToValidUTF8(err.Error(), "") != err.Error() {
		t.Errorf("error of %d bytes: %v", len(err.Error()), err)
	}
}

func TestRollbackAndCommitWithOpenRows(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create table item (n int)")
	for _, finish := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx := begin(t, db)
		mustExec(t, tx, "insert into item values (1)")
		rows, err := tx.QueryContext(t.Context(), "select * from generate_series(1, 10000)")
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		if err := finish(tx); err != nil {
			t.Errorf("finish with open rows: %v", err)
		}
		if rows.Next() {
			t.Error("rows go on after their transaction")
		}
	}
	if n := number(t, db, "select count(*) from item"); n != 1 {
		t.Errorf("%d rows, want the committed one", n)
	}
}
