package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func reserve(t *testing.T, h driver.Execer, operation string) *driver.Reservation {
	t.Helper()
	var r *driver.Reservation
	inside(t, h, func(_ context.Context, c *driver.Conn) {
		var err error
		if r, err = c.Reserve(operation); err != nil {
			t.Fatal(err)
		}
		if c.Busy() != operation {
			t.Errorf("Busy = %q, want %q", c.Busy(), operation)
		}
	})
	return r
}

func TestReservedConnectionRefusesOthers(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create sequence s")
	tx := begin(t, db)
	stmt, err := tx.PrepareContext(t.Context(), "select nextval('s')")
	if err != nil {
		t.Fatal(err)
	}
	r := reserve(t, tx, "COPY into users")
	attempts := map[string]func(context.Context) error{
		"Exec":    func(ctx context.Context) error { _, err := tx.ExecContext(ctx, "select nextval('s')"); return err },
		"Query":   func(ctx context.Context) error { _, err := tx.QueryContext(ctx, "select nextval('s')"); return err },
		"Prepare": func(ctx context.Context) error { _, err := tx.PrepareContext(ctx, "select 1"); return err },
		"stmt":    func(ctx context.Context) error { _, err := stmt.ExecContext(ctx); return err },
		"Do": func(ctx context.Context) error {
			_, err := driver.Do(ctx, tx, "x", func(context.Context, *driver.Conn) (int64, error) { return 0, nil })
			return err
		},
	}
	for name, attempt := range attempts {
		if err := attempt(t.Context()); !errors.Is(err, driver.ErrBusy) || !strings.Contains(err.Error(), "COPY into users") {
			t.Errorf("%s = %v, want ErrBusy naming the operation", name, err)
		}
	}
	if n := executions(t, db, "s"); n != 0 {
		t.Errorf("%d refused statements were executed", n)
	}
	ctx := r.Context(t.Context())
	if _, err := tx.ExecContext(ctx, "select nextval('s')"); err != nil {
		t.Errorf("the holder is refused: %v", err)
	}
	if _, err := driver.Do(ctx, tx, "release", func(_ context.Context, c *driver.Conn) (int64, error) {
		if _, err := c.Reserve("another"); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("second Reserve = %v, want ErrBusy", err)
		}
		r.Release()
		r.Release()
		if c.Busy() != "" {
			t.Errorf("Busy = %q after the release", c.Busy())
		}
		return 0, nil
	}); err != nil {
		t.Error(err)
	}
	mustExec(t, tx, "select nextval('s')")
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestReleaseOfAnOldReservationLeavesTheNew(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	old := reserve(t, conn, "old")
	var next *driver.Reservation
	if _, err := driver.Do(old.Context(t.Context()), conn, "x", func(_ context.Context, c *driver.Conn) (int64, error) {
		old.Release()
		var err error
		next, err = c.Reserve("new")
		old.Release()
		return 0, err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(old.Context(t.Context()), "select 1"); !errors.Is(err, driver.ErrBusy) {
		t.Errorf("under the old reservation: %v, want ErrBusy", err)
	}
	if _, err := conn.ExecContext(next.Context(t.Context()), "select 1"); err != nil {
		t.Error(err)
	}
}

func TestReservationEndsWithTheUseOfTheConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	reserve(t, conn, "forgotten")
	conn.Close()
	if n := number(t, db, "select 1"); n != 1 {
		t.Error("the connection is still reserved")
	}
}

func TestRollbackOfAReservedTransactionFreesThePool(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create table item (n int)")
	tx := begin(t, db)
	mustExec(t, tx, "insert into item values (1)")
	reserve(t, tx, "a stream")
	tx.Rollback()
	if n := number(t, db, "select count(*) from item"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

// TestEndOfAReservationWaitsForTheRollback ends the transaction of a reservation by its context, while its connection is
// in other hands: database/sql says that the transaction is over before it has rolled back.
func TestEndOfAReservationWaitsForTheRollback(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := reserve(t, tx, "a stream")
	taken, let, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go conn.Raw(func(any) error { // holds database/sql's lock on the connection
		close(taken)
		<-let
		close(left)
		return nil
	})
	<-taken
	cancel()
	for !errors.Is(tx.Commit(), sql.ErrTxDone) { // until database/sql has noticed: Commit returns the context's error before
		runtime.Gosched()
	}
	err = r.End(ctx, execThen{tx, func() { go close(let) }}, "end", func(context.Context, *driver.Conn) error {
		t.Error("the cleanup ran outside of its transaction")
		return nil
	})
	if !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("End = %v", err)
	}
	select {
	case <-left:
	default:
		t.Error("End returned before the rollback could run")
	}
	if n := number(t, conn, "select 1"); n != 1 {
		t.Error("the connection is still reserved")
	}
}

// execThen calls then behind each ExecContext.
type execThen struct {
	driver.Execer
	then func()
}

func (e execThen) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	defer e.then()
	return e.Execer.ExecContext(ctx, query, args...)
}
