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

// endless writes rows until that fails.
func endless(ci *driver.CopyIn) error {
	line := []byte("1234567890\n")
	for {
		if _, err := ci.Write(line); err != nil {
			return err
		}
	}
}

// slowTable makes a table whose rows, or whose end, wait for an hour.
func slowTable(t testing.TB, q querier, when string) {
	t.Helper()
	mustExec(t, q, `create table numbers (n bigint);
		create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(3600); return new; end';
		create trigger slow `+when+` execute function slow()`)
}

func TestCopyInEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct {
		trigger string
		fill    func(*driver.CopyIn) error
		between bool // the context ends between two writes
	}{
		"between writes": {between: true},
		"in Write":       {trigger: "before insert on numbers for each row", fill: endless},
		"in Close":       {trigger: "after insert on numbers", fill: lines(10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			if mustExec(t, db, "create table numbers (n bigint)"); at.trigger != "" {
				mustExec(t, db, "drop table numbers")
				slowTable(t, db, at.trigger)
			}
			conn := one(t, db)
			pid := backendPID(t, conn)
			ctx, cancel := context.WithCancelCause(copyContext(t))
			because := errors.New("because")
			fill := at.fill
			if at.between {
				fill = func(ci *driver.CopyIn) error {
					io.WriteString(ci, "1\n")
					cancel(because)
					return endless(ci)
				}
			} else {
				whenSleeping(t, db, pid, func() { cancel(because) })
			}
			_, err := copyIn(ctx, conn, "copy numbers from stdin", fill)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, because) || sqlState(err) != "57014" {
				t.Errorf("error = %v", err)
			}
			if n := number(t, conn, "select count(*) from numbers"); n != 0 {
				t.Errorf("rows = %d", n)
			}
			if got := backendPID(t, conn); got != pid {
				t.Errorf("the connection was lost")
			}
		})
	}
}

func TestCopyInOnLostConnection(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, s space, f *sqltest.Fault, pid int64){
		"terminated": func(t *testing.T, s space, _ *sqltest.Fault, pid int64) {
			terminate(t, openSpace(t, s, "", nil), pid)
		},
		"cut":   func(_ *testing.T, _ space, f *sqltest.Fault, _ int64) { f.Cut() },
		"reset": func(_ *testing.T, _ space, f *sqltest.Fault, _ int64) { f.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := newSpace(t), sqltest.Server(t).Fault(t)
			db := openSpace(t, s, f.Addr().String(), nil)
			mustExec(t, db, "create table numbers (n bigint)")
			conn := one(t, db)
			pid := backendPID(t, conn)
			calls := 0
			_, err := copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
				calls++
				if err := lines(100_000)(ci); err != nil {
					return err
				}
				lose(t, s, f, pid)
				return endless(ci)
			})
			if err == nil || errors.Is(err, sqldriver.ErrBadConn) || calls != 1 {
				t.Errorf("error after %d calls = %v", calls, err)
			}
			// A server that leaves with data unread resets the connection, which can overtake its last words.
			if state := sqlState(err); name == "terminated" && state != "57P01" && state != "" {
				t.Errorf("error = %v, want the server's or the loss of the connection", err)
			}
			if n := number(t, db, "select count(*) from numbers"); n != 0 {
				t.Errorf("rows = %d", n)
			}
		})
	}
}

func TestCopyInAbortStoresNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	_, err := copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
		lines(50_000)(ci)
		if err := ci.Abort(errors.New("odd\x00reason\xff")); err != nil {
			t.Errorf("Abort: %v", err)
		}
		if err := ci.Abort(nil); err != nil {
			t.Errorf("second Abort: %v", err)
		}
		if n, err := ci.Close(); n != 0 || err == nil {
			t.Errorf("Close after Abort: %d, %v", n, err)
		}
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Error(err)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 {
		t.Errorf("rows = %d", n)
	}
}

func TestCopyInBelongsToItsTransaction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	for _, commit := range []bool{false, true} {
		tx := begin(t, db)
		if n, err := copyIn(copyContext(t), tx, "copy numbers from stdin", lines(1000)); err != nil || n != 1000 {
			t.Fatalf("rows = %d, %v", n, err)
		}
		want, end := int64(0), tx.Rollback
		if commit {
			want, end = 1000, tx.Commit
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if n := number(t, db, "select count(*) from numbers"); n != want {
			t.Errorf("commit %v: rows = %d, want %d", commit, n, want)
		}
	}
	tx := begin(t, db)
	copyIn(copyContext(t), tx, "copy numbers from stdin", func(*driver.CopyIn) error { return errStop })
	inside(t, tx, func(_ context.Context, c *driver.Conn) {
		if s := c.TxStatus(); s != 'E' {
			t.Errorf("transaction status after an aborted COPY = %c", s)
		}
	})
	if err := tx.Commit(); !errors.Is(err, driver.ErrCommitRolledBack) {
		t.Errorf("Commit: %v", err)
	}
}

func TestCopyInKeepsOthersOut(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	n, err := driver.Do(copyContext(t), db, "copy", func(ctx context.Context, c *driver.Conn) (int64, error) {
		ci, err := c.CopyIn(ctx, "copy numbers from stdin")
		if err != nil {
			return 0, err
		}
		_, exec := c.ExecContext(ctx, "select 1", nil)
		_, query := c.QueryContext(ctx, "select 1", nil)
		_, prepare := c.PrepareContext(ctx, "select 1")
		_, begin := c.BeginTx(ctx, sqldriver.TxOptions{})
		_, in := c.CopyIn(ctx, "copy numbers from stdin")
		_, out := c.CopyOut(ctx, "copy numbers to stdout")
		for i, err := range []error{exec, query, prepare, begin, in, out, c.Ping(ctx)} {
			if !errors.Is(err, driver.ErrBusy) || !strings.Contains(err.Error(), "copy numbers from stdin") {
				t.Errorf("statement %d: %v", i, err)
			}
		}
		if c.Busy() != "copy numbers from stdin" {
			t.Errorf("Busy = %q", c.Busy())
		}
		lines(3)(ci)
		return ci.Close()
	})
	if n != 3 || err != nil {
		t.Errorf("rows = %d, %v", n, err)
	}
}

func TestCopyInLeftOpenIsEnded(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	pid := backendPID(t, conn)
	var left *driver.CopyIn
	_, err := driver.Do(copyContext(t), conn, "copy", func(ctx context.Context, c *driver.Conn) (_ int64, err error) {
		left, err = c.CopyIn(ctx, "copy numbers from stdin")
		lines(50_000)(left)
		return 0, err
	})
	if err == nil || !strings.Contains(err.Error(), "left its COPY open") {
		t.Errorf("error = %v", err)
	}
	if _, late := left.Write([]byte("1\n")); late == nil || late.Error() != err.Error() {
		t.Errorf("late Write: %v", late)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 || backendPID(t, conn) != pid {
		t.Errorf("rows = %d, or the connection was lost", n)
	}
}

func TestCopyInSurvivesPanic(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	mustExec(t, db, "create table numbers (n bigint)")
	ctx, cancel := context.WithCancel(copyContext(t))
	func() {
		defer func() { recover() }()
		copyIn(ctx, db, "copy numbers from stdin", func(ci *driver.CopyIn) error {
			lines(50_000)(ci)
			panic("source")
		})
	}()
	cancel()
	if n := number(t, db, "select count(*) from numbers"); n != 0 {
		t.Errorf("rows = %d", n)
	}
}

func TestCopyInReportsToHooks(t *testing.T) {
	t.Parallel()
	var starts []string
	var ends []driver.QueryEnd
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnQueryStart = func(ctx context.Context, q driver.QueryStart) context.Context {
			starts = append(starts, q.SQL)
			return ctx
		}
		cfg.OnQueryEnd = func(_ context.Context, q driver.QueryEnd) { ends = append(ends, q) }
	})
	mustExec(t, db, "create table numbers (n bigint)")
	starts, ends = nil, nil
	copyIn(copyContext(t), db, "copy numbers from stdin", lines(5))
	copyIn(copyContext(t), db, "copy numbers from stdin", func(ci *driver.CopyIn) error { return errStop })
	if len(starts) != 2 || starts[0] != "copy numbers from stdin" {
		t.Errorf("starts = %q", starts)
	}
	if len(ends) != 2 || ends[0].Tag != "COPY 5" || ends[0].Rows != 5 || ends[0].Err != nil || ends[0].Duration <= 0 || ends[1].Err == nil {
		t.Errorf("ends = %+v", ends)
	}
}

func TestCopyInThroughRaw(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	err := conn.Raw(func(dc any) error {
		ci, err := dc.(*driver.Conn).CopyIn(copyContext(t), "copy numbers from stdin")
		if err != nil {
			return err
		}
		if _, err := io.Copy(ci, bytes.NewReader(bytes.Repeat([]byte("7\n"), 100_000))); err != nil {
			return err
		}
		_, err = ci.Close()
		return err
	})
	if n := number(t, conn, "select count(*) from numbers"); err != nil || n != 100_000 {
		t.Errorf("rows = %d, %v", n, err)
	}
}
