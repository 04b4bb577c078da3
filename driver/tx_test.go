package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestIsolationLevels(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for level, want := range map[sql.IsolationLevel]string{
		sql.LevelDefault:         "read committed",
		sql.LevelReadUncommitted: "read uncommitted",
		sql.LevelReadCommitted:   "read committed",
		sql.LevelRepeatableRead:  "repeatable read",
		sql.LevelSnapshot:        "repeatable read",
		sql.LevelSerializable:    "serializable",
	} {
		for _, readOnly := range []bool{false, true} {
			tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level, ReadOnly: readOnly})
			if err != nil {
				t.Errorf("%s: %v", level, err)
				continue
			}
			wantReadOnly := map[bool]string{false: "off", true: "on"}[readOnly]
			if got := word(t, tx, "show transaction_isolation"); got != want {
				t.Errorf("%s: the server says %q, want %q", level, got, want)
			}
			if got := word(t, tx, "show transaction_read_only"); got != wantReadOnly {
				t.Errorf("%s: read only is %s, want %s", level, got, wantReadOnly)
			}
			tx.Rollback()
		}
	}
}

func TestUnknownIsolationLevelsAreRefused(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	for _, level := range []sql.IsolationLevel{sql.LevelWriteCommitted, sql.LevelLinearizable, 99} {
		if _, err := conn.BeginTx(t.Context(), &sql.TxOptions{Isolation: level}); err == nil || !strings.Contains(err.Error(), level.String()) {
			t.Errorf("%s: %v, want an error that names it", level, err)
		}
		inside(t, conn, func(_ context.Context, c *driver.Conn) {
			if c.TxStatus() != 'I' {
				t.Errorf("%s: the session is in state %c", level, c.TxStatus())
			}
		})
	}
}

func TestReadWriteIsSentForCompatPqOnly(t *testing.T) {
	t.Parallel()
	for compat, want := range map[driver.Compat]string{driver.CompatPgx: "on", driver.CompatPq: "off"} {
		conn := one(t, openConfig(t, func(cfg *driver.Config) { cfg.Compat = compat }))
		mustExec(t, conn, "set default_transaction_read_only = on")
		tx := begin(t, conn)
		if got := word(t, tx, "show transaction_read_only"); got != want {
			t.Errorf("compat=%s: read only is %s, want %s", compat, got, want)
		}
		tx.Rollback()
	}
}

func TestCommitAndRollback(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	tx := begin(t, db)
	mustExec(t, tx, "insert into item values (1)")
	if n := number(t, db, "select count(*) from item"); n != 0 {
		t.Errorf("%d rows are visible outside before the commit", n)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	tx = begin(t, db)
	mustExec(t, tx, "insert into item values (2)")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "select count(*) from item"); n != 1 {
		t.Errorf("%d rows, want the committed one", n)
	}
}

func TestBeginInsideATransactionIsRefused(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	mustExec(t, conn, "begin")
	if _, err := conn.BeginTx(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "inside a transaction") {
		t.Errorf("BeginTx = %v", err)
	}
	mustExec(t, conn, "rollback")
}

func TestCommitOfAFailedTransaction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int unique)")
	mustExec(t, db, "insert into item values (1)")
	tx := begin(t, db)
	mustExec(t, tx, "insert into item values (2)")
	if _, err := tx.ExecContext(t.Context(), "insert into item values ($1)", 1); sqlState(err) != "23505" {
		t.Fatalf("insert: %v, want a unique violation", err)
	}
	err := tx.Commit()
	if !errors.Is(err, driver.ErrCommitRolledBack) || sqlState(err) != "23505" {
		t.Errorf("Commit = %v, want ErrCommitRolledBack with the first failure", err)
	}
	if n := number(t, db, "select count(*) from item"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestFailedCommitIsTheServersError(t *testing.T) {
	t.Parallel()
	db := lateDB(t)
	tx := begin(t, db)
	mustExec(t, tx, "insert into child values (1)")
	if err := tx.Commit(); sqlState(err) != foreignKeyViolation || errors.Is(err, driver.ErrCommitUnknown) {
		t.Errorf("Commit = %v, want the foreign key violation", err)
	}
}

func TestRefusalsNameTheFirstFailure(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	failed := func(t *testing.T, tx *sql.Tx, want string) {
		t.Helper()
		for range 2 {
			_, err := tx.ExecContext(t.Context(), "select 1")
			if sqlState(err) != "25P02" || !strings.Contains(err.Error(), want) {
				t.Errorf("refusal = %v, want 25P02 and %q", err, want)
			}
		}
	}
	t.Run("at once", func(t *testing.T) {
		tx := begin(t, db)
		tx.ExecContext(t.Context(), "select 1/0")
		failed(t, tx, "division by zero")
	})
	t.Run("after an error of the driver", func(t *testing.T) {
		tx := begin(t, db)
		if _, err := tx.ExecContext(t.Context(), "select \x00"); err == nil {
			t.Error("NUL was sent")
		}
		if _, err := tx.ExecContext(t.Context(), "select 1", 1); err == nil {
			t.Error("a superfluous argument was sent")
		}
		tx.ExecContext(t.Context(), "select 1/0")
		failed(t, tx, "division by zero")
		if err := tx.Commit(); sqlState(err) != "22012" {
			t.Errorf("Commit = %v, want the division by zero in it", err)
		}
	})
	t.Run("after a savepoint was rolled back", func(t *testing.T) {
		tx := begin(t, db)
		mustExec(t, tx, "savepoint s")
		tx.ExecContext(t.Context(), "select missing")
		mustExec(t, tx, "rollback to savepoint s")
		tx.ExecContext(t.Context(), "select 1/0")
		failed(t, tx, "division by zero")
	})
	t.Run("while rows were read", func(t *testing.T) {
		tx := begin(t, db)
		rows, err := tx.QueryContext(t.Context(), "select 1 / (3000 - n) from generate_series(1, 5000) n")
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
		failed(t, tx, "division by zero")
	})
	t.Run("in the transaction before", func(t *testing.T) {
		conn := one(t, db)
		tx := begin(t, conn)
		tx.ExecContext(t.Context(), "select missing")
		tx.Rollback()
		mustExec(t, conn, "begin")
		conn.ExecContext(t.Context(), "select 1/0")
		_, err := conn.ExecContext(t.Context(), "select 1")
		if sqlState(err) != "25P02" || strings.Contains(err.Error(), "missing") {
			t.Errorf("refusal = %v, want the failure of this transaction", err)
		}
		mustExec(t, conn, "rollback")
	})
}

func TestStatementsAfterCommitAreRefusedByDatabaseSQL(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("Rollback = %v, want ErrTxDone", err)
	}
}

func TestRollbackAfterItsContextEndedMakesNoNoise(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if _, err := tx.ExecContext(ctx, "select 1"); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("run %d: %v, want nil or ErrTxDone", i, err)
		}
	}
	if open := db.Stats().OpenConnections; open == 0 {
		t.Error("no connection survived, want them kept")
	}
}
