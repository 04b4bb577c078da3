package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// longCopy is a COPY over several calls of Do, as a helper that pulls its rows from user code has it.
type longCopy struct {
	conn *sql.Conn
	held *driver.Reservation
	ci   *driver.CopyIn
}

func startLongCopy(t *testing.T, ctx context.Context, conn *sql.Conn) *longCopy {
	t.Helper()
	l := &longCopy{conn: conn}
	_, err := driver.Do(ctx, conn, "copy", func(ctx context.Context, c *driver.Conn) (_ int64, err error) {
		if l.held, err = c.Reserve("load of numbers"); err != nil {
			return 0, err
		}
		l.ci, err = c.CopyIn(l.held.Context(ctx), "copy numbers from stdin")
		return 0, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *longCopy) do(ctx context.Context, fn func() (int64, error)) (int64, error) {
	return driver.Do(l.held.Context(ctx), l.conn, "copy", func(context.Context, *driver.Conn) (int64, error) { return fn() })
}

func (l *longCopy) write(ctx context.Context, rows int) error {
	_, err := l.do(ctx, func() (int64, error) { return 0, lines(rows)(l.ci) })
	return err
}

func (l *longCopy) close(ctx context.Context) (int64, error) {
	return l.do(ctx, func() (int64, error) {
		defer l.held.Release()
		return l.ci.Close()
	})
}

func numbersConn(t *testing.T) (*sql.DB, *sql.Conn) {
	t.Helper()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	return db, one(t, db)
}

func TestCopyInOverSeveralCalls(t *testing.T) {
	t.Parallel()
	_, conn := numbersConn(t)
	first, cancel := context.WithCancel(copyContext(t))
	l := startLongCopy(t, first, conn)
	cancel() // a context that has served its call is nobody's any more
	ctx := copyContext(t)
	for range 3 {
		if err := l.write(ctx, 50_000); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(ctx, "select 1"); !errors.Is(err, driver.ErrBusy) || !strings.Contains(err.Error(), "load of numbers") {
			t.Errorf("statement of others: %v", err)
		}
		if _, err := conn.ExecContext(l.held.Context(ctx), "select 1"); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("statement under the reservation: %v", err)
		}
	}
	if n, err := l.close(ctx); n != 150_000 || err != nil {
		t.Errorf("rows = %d, %v", n, err)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 150_000 {
		t.Errorf("rows = %d", n)
	}
}

func TestCopyInOverSeveralCallsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, conn := numbersConn(t)
	pid := backendPID(t, conn)
	l := startLongCopy(t, copyContext(t), conn)
	ctx, cancel := context.WithCancel(copyContext(t))
	_, err := l.do(ctx, func() (int64, error) {
		lines(20_000)(l.ci)
		cancel()
		return 0, lines(20_000)(l.ci)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if n, err := l.close(copyContext(t)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %d, %v", n, err)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 || backendPID(t, conn) != pid {
		t.Errorf("rows = %d, or the connection was lost", n)
	}
}

// TestCopyInPausedByEndedContext ends the context behind the last write of a call: the call that follows finds out.
func TestCopyInPausedByEndedContext(t *testing.T) {
	t.Parallel()
	_, conn := numbersConn(t)
	l := startLongCopy(t, copyContext(t), conn)
	ctx, cancel := context.WithCancel(copyContext(t))
	if _, err := l.do(ctx, func() (int64, error) { cancel(); return 0, nil }); err != nil {
		t.Fatal(err)
	}
	if n, err := l.close(copyContext(t)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %d, %v", n, err)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 {
		t.Errorf("rows = %d", n)
	}
}

func TestConnectionReturnedInTheMiddleOfACopy(t *testing.T) {
	t.Parallel()
	db, conn := numbersConn(t)
	db.SetMaxOpenConns(1)
	pid := backendPID(t, conn)
	l := startLongCopy(t, copyContext(t), conn)
	if err := l.write(copyContext(t), 50_000); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if n := number(t, db, "select count(*) from numbers"); n != 0 || backendPID(t, db) != pid {
		t.Errorf("rows = %d, or the connection was lost", n)
	}
	if n, err := l.ci.Close(); n != 0 || err == nil {
		t.Errorf("Close: %d, %v", n, err)
	}
}

func TestTransactionEndedInTheMiddleOfACopy(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(tx *sql.Tx, cancel func()) error{
		"commit":   func(tx *sql.Tx, _ func()) error { return tx.Commit() },
		"rollback": func(tx *sql.Tx, _ func()) error { return tx.Rollback() },
		"the end of its context": func(tx *sql.Tx, cancel func()) error {
			cancel()
			return tx.Rollback() // or database/sql's own does it
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, conn := numbersConn(t)
			pid := backendPID(t, conn)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tx, err := conn.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = driver.Do(copyContext(t), tx, "copy", func(ctx context.Context, c *driver.Conn) (int64, error) {
				held, err := c.Reserve("load")
				if err != nil {
					return 0, err
				}
				ci, err := c.CopyIn(held.Context(ctx), "copy numbers from stdin")
				if err != nil {
					return 0, err
				}
				return 0, lines(50_000)(ci)
			})
			if err != nil {
				t.Fatal(err)
			}
			switch err := end(tx, cancel); name {
			case "commit":
				if !errors.Is(err, driver.ErrBusy) || !errors.Is(err, driver.ErrCommitRolledBack) || !strings.Contains(err.Error(), "load") {
					t.Errorf("Commit = %v, want both errors, and the operation", err)
				}
			default:
				if err != nil && !errors.Is(err, sql.ErrTxDone) {
					t.Errorf("Rollback = %v", err)
				}
			}
			for { // database/sql's own takes its time
				if _, err := conn.ExecContext(copyContext(t), "select 1"); !errors.Is(err, driver.ErrBusy) {
					break
				}
			}
			for _, again := range []*sql.Conn{conn, one(t, db)} {
				if n := number(t, again, "select count(*) from numbers"); n != 0 {
					t.Errorf("rows = %d", n)
				}
			}
			if backendPID(t, conn) != pid {
				t.Error("the connection was lost")
			}
		})
	}
}
