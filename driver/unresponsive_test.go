package driver_test

import (
	"context"
	"errors"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// TestUnresponsiveServerIsLeftWithinCancelTimeout freezes the network under a statement whose context then ends.
func TestUnresponsiveServerIsLeftWithinCancelTimeout(t *testing.T) {
	t.Parallel()
	label := t.Name()
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("soak", label)))
	f := sqltest.Server(t).Fault(t)
	db := openSpace(t, newSpace(t), f.Addr().String(), func(cfg *driver.Config) { cfg.CancelTimeout = time.Second })
	for name, call := range sleepers {
		conn := one(t, db)
		pid := backendPID(t, conn)
		admin := one(t, openDB(t))
		err := cancelSleepingWith(t, pid, admin, f.Freeze, func(ctx context.Context) error { return call(ctx, conn) })
		if !errors.Is(err, context.Canceled) || sqlState(err) != "" {
			t.Errorf("%s: %v, want the context's error and no answer of the server", name, err)
		}
		if name != "Next" && !errors.Is(err, errReason) {
			t.Errorf("%s: %v, want the cause", name, err)
		}
		f.Thaw()
		conn.Close()
		if open := db.Stats().OpenConnections; open != 0 {
			t.Errorf("%s: %d connections are in the pool, want the frozen one closed", name, open)
		}
		gone(t, admin, pid)
	}
	db.Close()
	noGoroutines(t, label)
}

// cancelSleepingWith is cancelSleeping with something done right before the context ends. A limit of a minute stands in for
// a call that never returns.
func cancelSleepingWith(t *testing.T, pid int64, admin querier, before func(), call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	result := make(chan error, 1)
	go func() { result <- call(ctx) }()
	sleeping(t, admin, pid)
	before()
	cancel(errReason)
	select {
	case err := <-result:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the call does not return")
		return nil
	}
}

// TestFrozenTransactionEndsToo is about the rollback behind a statement that was given up.
func TestFrozenTransactionEndsToo(t *testing.T) {
	t.Parallel()
	f := sqltest.Server(t).Fault(t)
	s := newSpace(t)
	admin := openSpace(t, s, "", nil)
	db := openSpace(t, s, f.Addr().String(), func(cfg *driver.Config) { cfg.CancelTimeout = time.Second })
	mustExec(t, db, "create table item (n int)")
	tx := begin(t, db)
	pid := backendPID(t, tx)
	mustExec(t, tx, "insert into item values (1)")
	err := cancelSleepingWith(t, pid, admin, f.Freeze, func(ctx context.Context) error {
		_, err := tx.ExecContext(ctx, "select pg_sleep(60)")
		return err
	})
	if !errors.Is(err, errReason) {
		t.Errorf("Exec = %v", err)
	}
	if err := tx.Commit(); !errors.Is(err, driver.ErrCommitRolledBack) {
		t.Errorf("Commit = %v, want ErrCommitRolledBack: nothing was sent", err)
	}
	f.Thaw()
	gone(t, admin, pid)
	if n := number(t, db, "select count(*) from item"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}
