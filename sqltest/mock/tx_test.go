package mock_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// code is the SQLSTATE of err.
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func TestFailedTransactionRefusesStatements(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectExec("insert").WillReturnError(mock.PgError("23505", mock.Fields{}))
	m.ExpectCommit()
	tx := begin(t, db)
	if _, err := tx.ExecContext(t.Context(), "insert into t values (1)"); code(err) != "23505" {
		t.Errorf("insert: %v", err)
	}
	if _, err := tx.ExecContext(t.Context(), "select 1"); code(err) != "25P02" {
		t.Errorf("select in a failed transaction: %v", err)
	}
	if err := tx.Commit(); !errors.Is(err, driver.ErrCommitRolledBack) || code(err) != "23505" {
		t.Errorf("commit: %v", err)
	}
}

func TestSavepointRecoversATransaction(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectExec("insert").WillReturnError(mock.PgError("23505", mock.Fields{}))
	m.ExpectExec("update").WillAffect(1)
	m.ExpectCommit()
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		err := ext.InTx(t.Context(), tx, ext.TxOptions{}, func(tx *ext.Tx) error {
			_, err := tx.ExecContext(t.Context(), "insert into t values (1)")
			return err
		})
		if code(err) != "23505" {
			t.Errorf("insert: %v", err)
		}
		_, err = tx.ExecContext(t.Context(), "update t set n = 2")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSavepointMayBeExpected(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectExec("savepoint").WillReturnError(mock.PgError("3B001", mock.Fields{}))
	m.ExpectRollback()
	tx := begin(t, db)
	if _, err := tx.ExecContext(t.Context(), "savepoint a"); code(err) != "3B001" {
		t.Errorf("savepoint: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

func TestErrorsOfBeginCommitAndRollback(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	boom := errors.New("boom")
	m.ExpectBegin().WillReturnError(boom)
	if _, err := db.BeginTx(t.Context(), nil); err != boom {
		t.Errorf("Begin = %v", err)
	}
	m.ExpectBegin()
	m.ExpectCommit().WillReturnError(mock.PgError("23503", mock.Fields{Message: "deferred"}))
	if err := begin(t, db).Commit(); code(err) != "23503" {
		t.Errorf("Commit = %v", err)
	}
	m.ExpectBegin()
	m.ExpectCommit().WillReturnError(boom)
	if err := begin(t, db).Commit(); err != boom {
		t.Errorf("Commit = %v", err)
	}
	m.ExpectBegin()
	m.ExpectRollback().WillReturnError(boom)
	if err := begin(t, db).Rollback(); err != boom {
		t.Errorf("Rollback = %v", err)
	}
	m.ExpectExec("select")
	if _, err := db.ExecContext(t.Context(), "select"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTransactionOfSQLText(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m.ExpectBegin()
	m.ExpectExec("insert")
	m.ExpectExec("prepare transaction")
	for _, text := range []string{"begin isolation level serializable", "insert into t values (1)", "prepare transaction 'a'"} {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := conn.Raw(func(c any) error {
		if status := c.(interface{ TxStatus() byte }).TxStatus(); status != 'I' {
			t.Errorf("status %c after PREPARE TRANSACTION", status)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
