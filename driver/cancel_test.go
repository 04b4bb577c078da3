package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

var errReason = errors.New("the user has left")

// cancelled checks that err says everything about a statement whose context was cancelled with errReason.
func cancelled(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errReason) || sqlState(err) != "57014" {
		t.Errorf("%s: %v, want the context's error, its cause and 57014 at once", what, err)
	}
}

// cancelSleeping runs call, which sleeps on the server on the backend pid, and cancels its context there.
func cancelSleeping(t *testing.T, admin querier, pid int64, call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	result := make(chan error, 1)
	go func() { result <- call(ctx) }()
	sleeping(t, admin, pid)
	cancel(errReason)
	return <-result
}

// sleepers are the ways to run a statement that sleeps.
var sleepers = map[string]func(context.Context, *sql.Conn) error{
	"Exec": func(ctx context.Context, c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "select pg_sleep(60)")
		return err
	},
	"Exec with arguments": func(ctx context.Context, c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "select pg_sleep($1)", 60)
		return err
	},
	"Query before a row": func(ctx context.Context, c *sql.Conn) error {
		rows, err := c.QueryContext(ctx, "select pg_sleep(60)")
		if err == nil {
			rows.Close()
		}
		return err
	},
	"Next": func(ctx context.Context, c *sql.Conn) error {
		rows, err := c.QueryContext(ctx, "select 1 from generate_series(1, 5000) union all select 2 from pg_sleep(60)")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	},
	"several statements": func(ctx context.Context, c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "select 1; select pg_sleep(60)")
		return err
	},
	"*sql.Stmt Query": func(ctx context.Context, c *sql.Conn) error {
		stmt, err := c.PrepareContext(ctx, "select pg_sleep($1)")
		if err == nil {
			err = stmt.QueryRowContext(ctx, 60).Scan(new(any))
		}
		return err
	},
	"*sql.Stmt Exec": func(ctx context.Context, c *sql.Conn) error {
		stmt, err := c.PrepareContext(ctx, "select pg_sleep($1)")
		if err == nil {
			_, err = stmt.ExecContext(ctx, 60)
		}
		return err
	},
}

func TestCancelKeepsTheConnection(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	for name, call := range sleepers {
		conn := one(t, db)
		for range 3 {
			pid := backendPID(t, conn)
			err := cancelSleeping(t, admin, pid, func(ctx context.Context) error { return call(ctx, conn) })
			if name != "Next" {
				cancelled(t, name, err)
			} else if !errors.Is(err, context.Canceled) { // database/sql puts the context's bare error before the driver's
				t.Errorf("Next: %v", err)
			}
			if got := backendPID(t, conn); got != pid {
				t.Errorf("%s: backend %d after the cancel, %d before", name, got, pid)
			}
		}
		conn.Close()
	}
}

func TestDeadlineIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	pid := backendPID(t, conn)
	var err error
	for wait := 50 * time.Millisecond; sqlState(err) == "" && wait < time.Minute; wait *= 4 { // until it ends while the statement runs
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		_, err = conn.ExecContext(ctx, "select pg_sleep(60)")
		cancel()
	}
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || sqlState(err) != "57014" {
		t.Errorf("error = %v, want DeadlineExceeded and 57014", err)
	}
	if got := backendPID(t, conn); got != pid {
		t.Error("the connection was replaced")
	}
}

func TestEndedContextSendsNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create sequence s")
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := c.ExecContext(ctx, "select nextval('s')", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Exec = %v", err)
		}
		if _, err := c.QueryContext(ctx, "select nextval('s')", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Query = %v", err)
		}
		if err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Ping = %v", err)
		}
	})
	if n := executions(t, db, "s"); n != 0 {
		t.Errorf("%d executions, want 0", n)
	}
}

func TestCancelInsideATransactionFailsItOnly(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	mustExec(t, db, "create table item (n int)")
	tx := begin(t, db)
	pid := backendPID(t, tx)
	mustExec(t, tx, "insert into item values (1); savepoint here")
	err := cancelSleeping(t, admin, pid, func(ctx context.Context) error {
		_, err := tx.ExecContext(ctx, "insert into item select 2 from pg_sleep(60)")
		return err
	})
	cancelled(t, "Exec in Tx", err)
	if _, err := tx.ExecContext(t.Context(), "select 1"); sqlState(err) != "25P02" || !errors.Is(err, errReason) {
		t.Errorf("the next statement: %v, want 25P02 naming the cancel", err)
	}
	mustExec(t, tx, "rollback to savepoint here")
	mustExec(t, tx, "insert into item values (3)")
	if got := backendPID(t, tx); got != pid {
		t.Error("the transaction goes on elsewhere")
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if n := number(t, db, "select sum(n) from item"); n != 4 {
		t.Errorf("the sum is %d, want 4", n)
	}
}

func TestContextOfATransactionEndsInARollback(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	mustExec(t, db, "create table item (n int)")
	db.SetMaxOpenConns(1)
	pid := backendPID(t, db)
	ctx, cancel := context.WithCancelCause(t.Context())
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tx, "insert into item values (1)")
	result := make(chan error, 1)
	go func() {
		_, err := tx.ExecContext(ctx, "select pg_sleep(60)")
		result <- err
	}()
	sleeping(t, admin, pid)
	cancel(errReason)
	cancelled(t, "Exec", <-result)
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("Rollback = %v", err)
	}
	if got := backendPID(t, db); got != pid {
		t.Error("the connection was replaced")
	}
	if n := number(t, db, "select count(*) from item"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

func TestServersTimeoutIsNotTheContexts(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	mustExec(t, conn, "set statement_timeout = 20")
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err := conn.ExecContext(ctx, "select pg_sleep(60)")
	if sqlState(err) != "57014" || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the bare 57014", err)
	}
}

func TestCancelledPrepareBeginAndPing(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	mustExec(t, db, "create table item (n int)")
	lock := begin(t, admin)
	mustExec(t, lock, "lock table item")
	conn := one(t, db)
	pid := backendPID(t, conn)
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error, 1)
	go func() { _, err := conn.PrepareContext(ctx, "select * from item"); result <- err }() // waits for the lock
	eventually(t, admin, "select count(*) > 0 from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'", pid)
	cancel(errReason)
	cancelled(t, "Prepare", <-result)
	if got := backendPID(t, conn); got != pid {
		t.Error("the connection was replaced")
	}
}

// TestCancelNeverHitsALaterStatement cancels at every moment of short statements, the moments before and after them too.
func TestCancelNeverHitsALaterStatement(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	pid := backendPID(t, conn)
	outcomes := map[bool]int{}
	for i := range 300 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*7)*time.Microsecond)
		_, err := conn.ExecContext(ctx, "select pg_sleep(0.001)")
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("run %d: %v", i, err)
		}
		outcomes[err == nil]++
		if got := number(t, conn, "select $1::int", i); got != int64(i) {
			t.Errorf("run %d: the next statement gives %d", i, got)
		}
		cancel()
	}
	if got := backendPID(t, conn); got != pid {
		t.Errorf("the connection was replaced; %v", outcomes)
	}
}

func TestClosingRowsWithCancelStopsTheStatement(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.RowsClose = driver.RowsCloseCancel })
	conn := one(t, db)
	pid := backendPID(t, conn)
	rows, err := conn.QueryContext(t.Context(), "select n from generate_series(1, 5000) n union all select 0 from pg_sleep(60)")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	if err := rows.Close(); err != nil {
		t.Errorf("Close = %v, want nil: the stop was asked for", err)
	}
	if got := backendPID(t, conn); got != pid {
		t.Error("the connection was replaced")
	}
	tx := begin(t, conn)
	rows, err = tx.QueryContext(t.Context(), "select repeat('x', 1000) from generate_series(1, 100000) n")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Errorf("Commit = %v: closing rows must not fail a transaction", err)
	}
}

func TestCancelThatOvertakesItsStatementIsRepeated(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	conn := one(t, openSpace(t, newSpace(t), p.address(), nil))
	pid := backendPID(t, conn)
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		p.holdForCancel()
		sent := messages(p.Fault, "P")[0]
		go func() {
			for messages(p.Fault, "P")[0] == sent && ctx.Err() == nil { // until the statement is held
				<-time.After(time.Millisecond)
			}
			cancel(errReason)
		}()
		_, err := conn.ExecContext(ctx, "select pg_sleep(60)")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errReason) || sqlState(err) != "57014" {
			t.Errorf("error = %v, want the context's error, its cause and 57014 at once", err)
		}
		if got := backendPID(t, conn); got != pid {
			t.Error("the connection was replaced")
		}
		cancel(nil)
	}
}
