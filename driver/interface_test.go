//lint:file-ignore SA1019 the deprecated methods are what is tested

package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// The methods that database/sql does not call when it has better ones; wrapping drivers call them.

func TestDriverOpensAConnection(t *testing.T) {
	t.Parallel()
	c, err := (&driver.Driver{}).Open(string(newSpace(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(sqldriver.Pinger).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestPoolByNameHasOneConnector(t *testing.T) {
	t.Parallel()
	if !slices.Contains(sql.Drivers(), "pycopg") {
		t.Fatalf("registered are %q", sql.Drivers())
	}
	db, err := sql.Open("pycopg", string(newSpace(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, ok := db.Driver().(*driver.Driver); !ok {
		t.Errorf("Driver = %T", db.Driver())
	}
	connectors := map[*driver.Connector]bool{}
	for range 2 {
		inside(t, one(t, db), func(_ context.Context, c *driver.Conn) { connectors[c.Connector()] = true })
	}
	if len(connectors) != 1 {
		t.Errorf("2 connections come from %d connectors: the DSN is parsed for each", len(connectors))
	}
}

func TestMethodsWithoutAContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		var conn sqldriver.Conn = c
		tx, err := conn.Begin()
		if err != nil {
			t.Fatal(err)
		}
		stmt, err := conn.Prepare("insert into item select $1 from generate_series(1, 2) returning n")
		if err != nil {
			t.Fatal(err)
		}
		if stmt.NumInput() != 1 {
			t.Errorf("NumInput = %d, want 1", stmt.NumInput())
		}
		res, err := stmt.Exec([]sqldriver.Value{int64(3)})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != 2 || err != nil {
			t.Errorf("RowsAffected = %d, %v, want 2", n, err)
		}
		rows, err := stmt.Query([]sqldriver.Value{int64(4)})
		if err != nil {
			t.Fatal(err)
		}
		dest := make([]sqldriver.Value, len(rows.Columns()))
		n := 0
		for ; rows.Next(dest) == nil; n++ {
			if dest[0] != int64(4) {
				t.Errorf("row = %v, want 4", dest)
			}
		}
		if err := rows.Next(dest); n != 2 || err != io.EOF {
			t.Errorf("%d rows, then %v, want 2 and io.EOF", n, err)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		if err := stmt.Close(); err != nil {
			t.Error(err)
		}
		if err := stmt.Close(); err != nil {
			t.Errorf("second Close = %v", err)
		}
		if _, err := stmt.Exec([]sqldriver.Value{int64(3)}); err == nil {
			t.Error("a closed statement runs")
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
	})
	if n := number(t, db, "select sum(n) from item"); n != 14 {
		t.Errorf("the sum is %d, want 14", n)
	}
}

func TestArgumentsAreCheckedByTheDriver(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	stmt, err := db.PrepareContext(t.Context(), "select $1::text, $2::text")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	_, ofConn := db.ExecContext(t.Context(), "select $1::text, $2::text", "x", make(chan int))
	_, ofStmt := stmt.ExecContext(t.Context(), "x", make(chan int))
	for name, err := range map[string]error{"Conn": ofConn, "Stmt": ofStmt} {
		if err == nil || !strings.Contains(err.Error(), "driver: argument $2") {
			t.Errorf("%s: error = %v, want the driver's own, naming the argument", name, err)
		}
	}
}

func TestStatementChecksItsArgumentCount(t *testing.T) {
	t.Parallel()
	stmt, err := openDB(t).PrepareContext(t.Context(), "select $1::int, $2::int")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "expected 2 arguments, got 1") {
		t.Errorf("error = %v, want database/sql's, which knows NumInput", err)
	}
}
