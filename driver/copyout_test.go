package driver_test

import (
	"bytes"
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// copyOut runs use on a COPY inside one call of Do, and closes it.
func copyOut(ctx context.Context, h driver.Execer, statement string, use func(co *driver.CopyOut) error) (int64, error) {
	return driver.Do(ctx, h, statement, func(ctx context.Context, c *driver.Conn) (int64, error) {
		co, err := c.CopyOut(ctx, statement)
		if err != nil {
			return 0, err
		}
		if err := use(co); err != nil {
			return 0, errors.Join(err, co.Close())
		}
		return co.Rows(), co.Close()
	})
}

// all reads to the end.
func all(dst io.Writer) func(*driver.CopyOut) error {
	return func(co *driver.CopyOut) error {
		for {
			data, err := co.Next()
			if err == io.EOF {
				_, err = co.Next()
			}
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			dst.Write(data)
		}
	}
}

func TestCopyOutReadsEverything(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for rows, want := range map[string]int64{"0": 0, "3": 3, "1000000": 1_000_000} {
		var out bytes.Buffer
		n, err := copyOut(copyContext(t), db, "copy (select n from generate_series(1, "+rows+") n) to stdout", all(&out))
		if err != nil || n != want {
			t.Fatalf("rows = %d, %v; want %d", n, err, want)
		}
		if got := int64(bytes.Count(out.Bytes(), []byte("\n"))); got != want {
			t.Errorf("lines = %d, want %d", got, want)
		}
	}
}

func TestCopyOutTellsFormat(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for statement, want := range map[string]bool{
		"copy (select 1, 2) to stdout":                      false,
		"copy (select 1, 2) to stdout with (format binary)": true,
	} {
		_, err := copyOut(copyContext(t), db, statement, func(co *driver.CopyOut) error {
			if co.Binary() != want || co.Columns() != 2 {
				t.Errorf("%s: binary %v with %d columns", statement, co.Binary(), co.Columns())
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestCopyOutErrors(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	for statement, state := range map[string]string{
		"copy nowhere to stdout": "42P01",
		"copy (select 1 / (50000 - n) from generate_series(1, 90000) n) to stdout": "22012",
		"copy numbers from stdin":         "",
		"delete from numbers returning n": "",
	} {
		_, err := copyOut(copyContext(t), conn, statement, all(io.Discard))
		if err == nil || sqlState(err) != state {
			t.Errorf("%s: %v, want SQLSTATE %q", statement, err, state)
		}
	}
	mustExec(t, conn, "select 1")
}

const endlessRows = "copy (select repeat('x', 1000), generate_series(1, 1000000000)) to stdout"

func TestCopyOutClosedEarly(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	pid := backendPID(t, conn)
	read := func(co *driver.CopyOut) error {
		for range 10 {
			if _, err := co.Next(); err != nil {
				return err
			}
		}
		return nil
	}
	if _, err := copyOut(copyContext(t), conn, endlessRows, read); err != nil {
		t.Errorf("outside of a transaction: %v", err)
	}
	tx := begin(t, conn)
	if _, err := copyOut(copyContext(t), tx, endlessRows, read); sqlState(err) != "57014" || errors.Is(err, context.Canceled) {
		t.Errorf("inside a transaction: %v", err)
	}
	inside(t, tx, func(_ context.Context, c *driver.Conn) {
		if s := c.TxStatus(); s != 'E' {
			t.Errorf("transaction status = %c", s)
		}
	})
	tx.Rollback()
	if backendPID(t, conn) != pid {
		t.Error("the connection was lost")
	}
}

func TestCopyOutEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	pid := backendPID(t, conn)
	for _, sleeps := range []bool{false, true} {
		ctx, cancel := context.WithCancel(copyContext(t))
		statement := endlessRows
		if sleeps {
			statement = "copy (select n, pg_sleep(case n when 50 then 3600 else 0 end) from generate_series(1, 100) n) to stdout"
			whenSleeping(t, db, pid, cancel)
		}
		_, err := copyOut(ctx, conn, statement, func(co *driver.CopyOut) error {
			for i := 0; ; i++ {
				if _, err := co.Next(); err != nil {
					return err
				}
				if !sleeps && i == 1000 {
					cancel()
				}
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) || sqlState(err) != "57014" {
			t.Errorf("error = %v", err)
		}
		if backendPID(t, conn) != pid {
			t.Error("the connection was lost")
		}
	}
}

func TestCopyOutOnLostConnection(t *testing.T) {
	t.Parallel()
	s, f := newSpace(t), sqltest.Server(t).Fault(t)
	db := openSpace(t, s, f.Addr().String(), nil)
	_, err := copyOut(copyContext(t), db, endlessRows, func(co *driver.CopyOut) error {
		for i := 0; ; i++ {
			if _, err := co.Next(); err != nil {
				return err
			}
			if i == 1000 {
				f.Reset()
			}
		}
	})
	if err == nil || errors.Is(err, sqldriver.ErrBadConn) || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("error = %v", err)
	}
}

func TestCopyOutOverSeveralCalls(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	pid := backendPID(t, conn)
	ctx := copyContext(t)
	var held *driver.Reservation
	var co *driver.CopyOut
	_, err := driver.Do(ctx, conn, "copy", func(ctx context.Context, c *driver.Conn) (_ int64, err error) {
		if held, err = c.Reserve("export"); err != nil {
			return 0, err
		}
		co, err = c.CopyOut(held.Context(ctx), endlessRows)
		return 0, err
	})
	for i := 0; i < 5 && err == nil; i++ {
		if _, err := conn.ExecContext(ctx, "select 1"); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("statement of others: %v", err)
		}
		_, err = driver.Do(held.Context(ctx), conn, "copy", func(context.Context, *driver.Conn) (int64, error) {
			data, err := co.Next()
			if !bytes.HasPrefix(data, []byte("xxx")) {
				t.Errorf("data %q", data)
			}
			return 0, err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	conn.Close() // in the middle
	if backendPID(t, db) != pid {
		t.Error("the connection was lost")
	}
	if _, err := co.Next(); err == nil || err == io.EOF {
		t.Errorf("Next on a returned connection: %v", err)
	}
}
