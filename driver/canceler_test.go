package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

func canceler(t testing.TB, conn *sql.Conn) (k *driver.Canceler) {
	t.Helper()
	inside(t, conn, func(_ context.Context, c *driver.Conn) { k = c.NewCanceler() })
	return k
}

func TestCancelerStopsWhatRuns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for name, sleep := range sleepers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := one(t, db)
			pid := backendPID(t, conn)
			k := canceler(t, conn)
			for range 2 {
				if err := k.Cancel(t.Context()); err != nil {
					t.Errorf("while nothing runs: %v", err)
				}
				result := make(chan error, 1)
				go func() { result <- sleep(context.Background(), conn) }()
				sleeping(t, db, pid)
				if err := k.Cancel(t.Context()); err != nil {
					t.Error(err)
				}
				if err := <-result; sqlState(err) != "57014" || errors.Is(err, context.Canceled) {
					t.Errorf("%v, want 57014", err)
				}
			}
			if backendPID(t, conn) != pid {
				t.Error("the connection was replaced")
			}
		})
	}
}

func TestCancelerNeverHitsALaterStatement(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	pid := backendPID(t, conn)
	k := canceler(t, conn)
	for i := range 200 {
		var group sync.WaitGroup
		start := make(chan struct{})
		for range 3 {
			group.Go(func() {
				<-start
				if err := k.Cancel(t.Context()); err != nil {
					t.Errorf("run %d: Cancel: %v", i, err)
				}
			})
		}
		close(start)
		if _, err := conn.ExecContext(t.Context(), "select pg_sleep(0.0005)"); err != nil && sqlState(err) != "57014" {
			t.Errorf("run %d: %v", i, err)
		}
		group.Wait()
		if got := number(t, conn, "select $1::int", i); got != int64(i) {
			t.Errorf("run %d: the next statement gives %d", i, got)
		}
	}
	if backendPID(t, conn) != pid {
		t.Error("the connection was replaced")
	}
}

func TestCancelerWithOpenRowsDoesNotHang(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	k := canceler(t, conn)
	rows, err := conn.QueryContext(t.Context(), "select repeat('x', 1000) from generate_series(1, 100000)")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	if err := k.Cancel(t.Context()); err != nil {
		t.Error(err)
	}
	for rows.Next() {
	}
	if err := rows.Err(); sqlState(err) != "57014" {
		t.Errorf("%v, want 57014", err)
	}
	if number(t, conn, "select 1") != 1 {
		t.Error("the connection does not go on")
	}
}

func TestCancelerEndsWithItsUser(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	k := canceler(t, conn)
	conn.Close()
	result := make(chan error, 1)
	next := one(t, db)
	go func() {
		_, err := next.ExecContext(context.Background(), "select pg_sleep(0.2)")
		result <- err
	}()
	for range 20 {
		if err := k.Cancel(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := <-result; err != nil {
		t.Errorf("the next user's statement: %v", err)
	}
	var unused driver.Canceler
	if err := unused.Cancel(t.Context()); err != nil {
		t.Errorf("zero value: %v", err)
	}
}

func TestCancelerThatCannotTellInTimeSaysSo(t *testing.T) {
	t.Parallel()
	black := make(chan struct{})
	var deaf bool
	var mu sync.Mutex
	cfg := func(cfg *driver.Config) {
		cfg.CancelTimeout = 100 * time.Millisecond
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if deaf {
				client, server := net.Pipe()
				go func() {
					io.Copy(io.Discard, server) // takes the request and never answers
					<-black
				}()
				return client, nil
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	db := openConfig(t, cfg)
	defer close(black)
	holder := one(t, db)
	mustExec(t, holder, "select pg_advisory_lock(1)")
	conn := one(t, db)
	pid := backendPID(t, conn)
	k := canceler(t, conn)
	result := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(t.Context(), "select pg_advisory_lock(1)")
		result <- err
	}()
	eventually(t, holder, "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1", pid)
	mu.Lock()
	deaf = true
	mu.Unlock()
	if err := k.Cancel(t.Context()); !errors.Is(err, driver.ErrCancellationTimeout) {
		t.Errorf("%v, want ErrCancellationTimeout", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Cancel(ctx); !errors.Is(err, driver.ErrCancellationTimeout) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want ErrCancellationTimeout and the context's error", err)
	}
	mustExec(t, holder, "select pg_advisory_unlock(1)")
	if err := <-result; err != nil {
		t.Errorf("the statement: %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "select 1"); err == nil {
		t.Error("a connection that a late request may hit goes on")
	}
}
