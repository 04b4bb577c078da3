package mock_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	pycopg "github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func TestConnectionIsLostBeforeTheRequest(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert").WillLose(mock.BeforeWrite)
	m.ExpectExec("insert").WillAffect(1) // database/sql takes another connection
	if res, err := db.ExecContext(t.Context(), "insert into t values (1)"); err != nil {
		t.Error(err)
	} else if n, _ := res.RowsAffected(); n != 1 {
		t.Errorf("%d rows", n)
	}
	m.ExpectBegin()
	m.ExpectExec("insert").WillLose(mock.BeforeWrite)
	tx := begin(t, db)
	if _, err := tx.ExecContext(t.Context(), "insert into t values (1)"); err == nil || errors.Is(err, driver.ErrBadConn) {
		t.Errorf("in a transaction: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback on a lost connection: %v", err)
	}
}

func TestConnectionIsLostAfterTheRequest(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert").WillLose(mock.AfterWrite) // and never again
	if _, err := db.ExecContext(t.Context(), "insert into t values (1)"); err == nil || errors.Is(err, driver.ErrBadConn) {
		t.Errorf("error = %v", err)
	}
	m.ExpectQuery("select").WillLose(mock.AfterWrite)
	if _, err := db.QueryContext(t.Context(), "select 1"); err == nil {
		t.Error("no error")
	}
}

func TestConnectionIsLostInTheResult(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectQuery("select").WillReturnRows(m.NewRows([]string{"n"}).AddRow(1).AddRow(2).AddRow(3)).WillLoseAfterRows(2)
	rows, err := db.QueryContext(t.Context(), "select n from t")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if n != 2 || rows.Err() == nil {
		t.Errorf("%d rows, then %v", n, rows.Err())
	}
}

func TestConnectionIsLostAtCommit(t *testing.T) {
	t.Parallel()
	for at, want := range map[mock.Fault]error{mock.BeforeWrite: pycopg.ErrCommitRolledBack, mock.AfterWrite: pycopg.ErrCommitUnknown} {
		db, m := mock.New(t)
		m.ExpectBegin()
		m.ExpectExec("insert")
		m.ExpectCommit().WillLose(at)
		tx := begin(t, db)
		if _, err := tx.ExecContext(t.Context(), "insert into t values (1)"); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(); !errors.Is(err, want) {
			t.Errorf("Commit = %v, want %v", err, want)
		}
	}
}

func TestDroppedConnectionsAreMadeAgain(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("one")
	m.ExpectExec("two")
	if _, err := db.ExecContext(t.Context(), "one"); err != nil {
		t.Error(err)
	}
	if n := m.DropConnections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if _, err := db.ExecContext(t.Context(), "two"); err != nil {
		t.Error(err)
	}
}

func TestCapabilitiesAreReachedByRaw(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("select 1")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		real, ok := c.(interface{ Info() pycopg.Info })
		if !ok || real.Info().Vendor != "PostgreSQL" {
			t.Errorf("%T is no connection of the driver", c)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := conn.ExecContext(t.Context(), "select 1"); err != nil {
		t.Error(err)
	}
	var _ *sql.Conn = conn
}
