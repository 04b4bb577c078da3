package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestTxModeClauses(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	tests := []struct {
		mode driver.TxMode
		want string
	}{
		{driver.TxMode{}, ""},
		{driver.TxMode{ReadOnly: &yes}, "read only"},
		{driver.TxMode{ReadOnly: &no, Deferrable: &no}, "read write not deferrable"},
		{driver.TxMode{Isolation: sql.LevelSerializable, ReadOnly: &yes, Deferrable: &yes}, "isolation level serializable read only deferrable"},
		{driver.TxMode{Isolation: sql.LevelReadUncommitted}, "isolation level read uncommitted"},
		{driver.TxMode{Isolation: sql.LevelReadCommitted}, "isolation level read committed"},
		{driver.TxMode{Isolation: sql.LevelSnapshot}, "isolation level repeatable read"},
	}
	for _, tt := range tests {
		if got, err := tt.mode.Clauses(); got != tt.want || err != nil {
			t.Errorf("%+v = %q, %v, want %q", tt.mode, got, err, tt.want)
		}
	}
	if _, err := (driver.TxMode{Isolation: sql.LevelLinearizable}).Clauses(); err == nil {
		t.Error("PostgreSQL has no LevelLinearizable, but no error")
	}
}

const showMode = "select concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable'))"

func TestBeginSaysTheModeOfItsContext(t *testing.T) {
	t.Parallel()
	db, f := counted(t, nil)
	conn := one(t, db)
	mustExec(t, conn, "set default_transaction_read_only = on; set default_transaction_deferrable = on")
	no := false
	ctx, taken := driver.WithTxMode(t.Context(), driver.TxMode{Isolation: sql.LevelSerializable, ReadOnly: &no, Deferrable: &no})
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if !taken() {
		t.Error("the mode was not taken")
	}
	var got string
	if trips := cost(f, func() { got = word(t, tx, showMode) }); trips != 1 {
		t.Errorf("the first statement takes %d round trips", trips)
	}
	if want := "repeatable read off off"; got != want {
		t.Errorf("mode = %q, want %q", got, want)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if got, want := word(t, conn, showMode), "read committed on on"; got != want {
		t.Errorf("mode afterwards = %q, want %q", got, want)
	}
}

func TestManualCommit(t *testing.T) {
	t.Parallel()
	db, f := counted(t, nil)
	mustExec(t, db, "create table item (n int)")
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	c := below(t, conn)
	yes := true
	if err := c.SetManualCommit(&driver.TxMode{Isolation: sql.LevelSerializable, Deferrable: &yes}); err != nil {
		t.Fatal(err)
	}
	if trips := cost(f, func() { mustExec(t, conn, "insert into item values (1)") }); trips != 1 || c.TxStatus() != 'T' {
		t.Errorf("the first statement takes %d round trips, status %c", trips, c.TxStatus())
	}
	if got, want := word(t, conn, showMode), "serializable off on"; got != want {
		t.Errorf("mode = %q, want %q", got, want)
	}
	if err := c.SetManualCommit(nil); !errors.Is(err, driver.ErrInTransaction) {
		t.Errorf("a change inside the transaction = %v", err)
	}
	if _, err := c.ExecOutsideTx(t.Context(), "vacuum item"); !errors.Is(err, driver.ErrInTransaction) {
		t.Errorf("vacuum inside the transaction = %v", err)
	}
	if err := c.Rollback(t.Context()); err != nil || c.TxStatus() != 'I' {
		t.Errorf("rollback = %v, status %c", err, c.TxStatus())
	}
	mustExec(t, conn, "insert into item values ($1)", 2)
	if err := c.Commit(t.Context()); err != nil || c.TxStatus() != 'I' {
		t.Errorf("commit = %v, status %c", err, c.TxStatus())
	}
	if trips := cost(f, func() { c.Commit(t.Context()); c.Rollback(t.Context()) }); trips != 0 {
		t.Errorf("commit and rollback of nothing take %d round trips", trips)
	}
	if _, err := c.ExecOutsideTx(t.Context(), "vacuum item"); err != nil || c.TxStatus() != 'I' {
		t.Errorf("vacuum = %v, status %c", err, c.TxStatus())
	}
	mustExec(t, conn, "insert into item values (3)")
	conn.Close()
	mustExec(t, db, "insert into item values (4)")
	if got := word(t, db, "select string_agg(n::text, ' ' order by n) from item"); got != "2 4" {
		t.Errorf("rows = %s, want those that were committed: 2, and 4 from behind the session", got)
	}
}

// TestEverythingBeginsUnderManualCommit runs each way to insert a row, and rolls it back.
func TestEverythingBeginsUnderManualCommit(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	prepared := func(t *testing.T, conn *sql.Conn, query string, args ...any) {
		stmt, err := conn.PrepareContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		if _, err := stmt.Exec(args...); err != nil {
			t.Error(err)
		}
	}
	ways := map[string]func(t *testing.T, conn *sql.Conn){
		"Exec":           func(t *testing.T, conn *sql.Conn) { mustExec(t, conn, "insert into item values (1)") },
		"with arguments": func(t *testing.T, conn *sql.Conn) { mustExec(t, conn, "insert into item values ($1)", 1) },
		"several":        func(t *testing.T, conn *sql.Conn) { mustExec(t, conn, "insert into item values (1); select 1") },
		"rows":           func(t *testing.T, conn *sql.Conn) { number(t, conn, "insert into item values (1) returning n") },
		"prepared":       func(t *testing.T, conn *sql.Conn) { prepared(t, conn, "insert into item values ($1)", 1) },
		"COPY by Prepare": func(t *testing.T, conn *sql.Conn) {
			stmt, err := conn.PrepareContext(t.Context(), "copy item from stdin")
			if err != nil {
				t.Fatal(err)
			}
			defer stmt.Close()
			if _, err := stmt.Exec(1); err != nil {
				t.Error(err)
			}
			if _, err := stmt.Exec(); err != nil {
				t.Error(err)
			}
		},
		"CopyIn": func(t *testing.T, conn *sql.Conn) {
			inside(t, conn, func(ctx context.Context, c *driver.Conn) {
				in, err := c.CopyIn(ctx, "copy item from stdin")
				if err != nil {
					t.Error(err)
					return
				}
				in.Write([]byte("1\n"))
				if _, err := in.Close(); err != nil {
					t.Error(err)
				}
			})
		},
		"Pipeline": func(t *testing.T, conn *sql.Conn) {
			left := 2
			inside(t, conn, func(ctx context.Context, c *driver.Conn) {
				err := c.Pipeline(ctx, func() (driver.Statement, bool, error) {
					left--
					return driver.Statement{SQL: "insert into item values (1)"}, left >= 0, nil
				}, nil)
				if err != nil {
					t.Error(err)
				}
			})
		},
	}
	for name, insert := range ways {
		t.Run(name, func(t *testing.T) {
			conn := one(t, db)
			c := below(t, conn)
			if err := c.SetManualCommit(&driver.TxMode{}); err != nil {
				t.Fatal(err)
			}
			insert(t, conn)
			if c.TxStatus() != 'T' || number(t, conn, "select count(*) from item") == 0 {
				t.Errorf("status %c behind it, or no row", c.TxStatus())
			}
			if err := c.Rollback(t.Context()); err != nil || number(t, db, "select count(*) from item") != 0 {
				t.Errorf("rollback = %v, or rows stay", err)
			}
		})
	}
}
