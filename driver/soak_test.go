package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// soaker does one call after another, each with a number that it must get back.
type soaker struct {
	t      *testing.T
	db     *sql.DB
	random *rand.Rand
	next   int64
	done   []atomic.Int64 // calls of each kind
}

// soakCalls are the kinds of calls. ctx may end at any moment: a call then returns its error, but never a wrong number.
var soakCalls = [...]func(*soaker, context.Context, int64) error{
	func(s *soaker, ctx context.Context, n int64) error { // QueryRow
		return s.same(n, s.db.QueryRowContext(ctx, "select $1::int8", n))
	},
	func(s *soaker, ctx context.Context, n int64) error { // a text of its own
		return s.same(n, s.db.QueryRowContext(ctx, fmt.Sprintf("select %d", n)))
	},
	func(s *soaker, ctx context.Context, n int64) error { // a slow one
		return s.same(n, s.db.QueryRowContext(ctx, "select $1::int8 from pg_sleep(0.003)", n))
	},
	(*soaker).several, (*soaker).rows, (*soaker).prepared, (*soaker).transaction, (*soaker).do, (*soaker).pinned,
	func(s *soaker, ctx context.Context, n int64) error { // Exec
		res, err := s.db.ExecContext(ctx, "select from generate_series(1, $1)", n%50)
		if err != nil {
			return err
		}
		if got, _ := res.RowsAffected(); got != n%50 {
			s.t.Errorf("Exec counts %d, want %d", got, n%50)
		}
		return nil
	},
	func(s *soaker, ctx context.Context, n int64) error { // an error of its own
		err := s.db.QueryRowContext(ctx, "select ('x' || $1::text)::int8", n).Scan(&n)
		if sqlState(err) == "22P02" {
			return nil
		}
		return err
	},
	func(s *soaker, ctx context.Context, _ int64) error { return s.db.PingContext(ctx) },
	(*soaker).suicide, (*soaker).pool,
}

func (s *soaker) same(n int64, row *sql.Row) error {
	var got int64
	if err := row.Scan(&got); err != nil {
		return err
	}
	if got != n {
		s.t.Errorf("got %d, want %d", got, n)
	}
	return nil
}

func (s *soaker) several(ctx context.Context, n int64) error {
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf("select %d; select %d where false; select %d", n, n, n+1))
	if err != nil {
		return err
	}
	sets, err := readSets(rows)
	if want := fmt.Sprintf("[[%d] [] [%d]]", n, n+1); err == nil && ctx.Err() == nil && fmt.Sprint(sets) != want {
		s.t.Errorf("sets %v, want %s", sets, want)
	}
	return err
}

func (s *soaker) rows(ctx context.Context, n int64) error {
	rows, err := s.db.QueryContext(ctx, "select $1::int8 + i from generate_series(0, 200) i", n)
	if err != nil {
		return err
	}
	defer rows.Close()
	for want := n; rows.Next() && want < n+s.random.Int64N(300); want++ { // often closed early
		var got int64
		if err := rows.Scan(&got); err != nil {
			return err
		}
		if got != want {
			s.t.Errorf("row %d, want %d", got, want)
		}
	}
	return errors.Join(rows.Close(), rows.Err())
}

func (s *soaker) prepared(ctx context.Context, n int64) error {
	stmt, err := s.db.PrepareContext(ctx, "select $1::int8 + 0")
	if err != nil {
		return err
	}
	defer stmt.Close()
	return errors.Join(s.same(n, stmt.QueryRowContext(ctx, n)), s.same(n+1, stmt.QueryRowContext(ctx, n+1)))
}

func (s *soaker) transaction(ctx context.Context, n int64) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := s.same(n, tx.QueryRowContext(ctx, "select $1::int8", n)); err != nil {
		return err
	}
	if n%3 == 0 {
		return tx.Rollback()
	}
	return tx.Commit()
}

func (s *soaker) do(ctx context.Context, n int64) error {
	got, err := driver.Do(ctx, s.db, "soak", func(ctx context.Context, c *driver.Conn) (int64, error) {
		res, err := c.ExecContext(ctx, fmt.Sprintf("select from generate_series(1, %d)", n%20), nil)
		if err != nil {
			return 0, err
		}
		return res.RowsAffected()
	})
	if err == nil && got != n%20 {
		s.t.Errorf("Do gives %d, want %d", got, n%20)
	}
	return err
}

// pinned leaves transactions and rows behind on a connection of its own.
func (s *soaker) pinned(ctx context.Context, n int64) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "begin"); err != nil {
		return err
	}
	return s.same(n, conn.QueryRowContext(ctx, "select $1::int8", n))
}

// suicide loses the connection now and then.
func (s *soaker) suicide(ctx context.Context, n int64) error {
	if n%10 != 0 {
		return nil
	}
	_, err := s.db.ExecContext(ctx, "select pg_terminate_backend(pg_backend_pid())")
	if sqlState(err) == "57P01" {
		return nil
	}
	return err
}

// pool opens and closes a pool beside the others.
func (s *soaker) pool(ctx context.Context, n int64) error {
	if n%10 != 0 {
		return nil
	}
	var connector *driver.Connector
	if _, err := driver.Do(ctx, s.db, "connector", func(_ context.Context, c *driver.Conn) (int64, error) {
		connector = c.Connector()
		return 0, nil
	}); err != nil {
		return err
	}
	db := sql.OpenDB(driver.NewConnector(connector.Config()))
	defer db.Close()
	return s.same(n, db.QueryRowContext(ctx, "select $1::int8", n))
}

func (s *soaker) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.next++
		kind := s.random.IntN(len(soakCalls))
		callCtx, cancel := ctx, context.CancelFunc(func() {})
		if s.random.IntN(4) == 0 {
			callCtx, cancel = context.WithTimeout(ctx, time.Duration(s.random.IntN(4000))*time.Microsecond)
		}
		err := soakCalls[kind](s, callCtx, s.next)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			<-callCtx.Done() // package net looks at the deadline, and can be a moment ahead of the context
		}
		if err != nil && callCtx.Err() == nil {
			s.t.Errorf("call %d: %v", kind, err)
		}
		cancel()
		s.done[kind].Add(1)
	}
}

// TestManyGoroutinesOnOnePool runs alone: it counts goroutines.
func TestManyGoroutinesOnOnePool(t *testing.T) {
	length := 2 * time.Second
	if os.Getenv("PYCOPG_SOAK") != "" {
		length = 10 * time.Second
	}
	s := newSpace(t)
	admin := openSpace(t, s, "", nil)
	mustExec(t, admin, "select 1")
	admin.SetMaxOpenConns(1)
	before := runtime.NumGoroutine()

	db := openSpace(t, s, "", func(cfg *driver.Config) { cfg.PrepareThreshold, cfg.PreparedMax = 2, 4 })
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(10)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	done := make([]atomic.Int64, len(soakCalls))
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			w := &soaker{t: t, db: db, random: rand.New(rand.NewPCG(1, uint64(i))), next: int64(i) * 1_000_000, done: done}
			w.run(ctx)
		})
	}
	all.Wait()
	for kind := range done {
		if done[kind].Load() == 0 {
			t.Errorf("call %d never ran", kind)
		}
	}
	for range 1000 { // contexts that ended give their connections back a moment later
		if db.Stats().InUse == 0 {
			break
		}
		mustExec(t, admin, "select pg_sleep(0.005)")
	}
	if stats := db.Stats(); stats.InUse != 0 || stats.OpenConnections != stats.Idle || stats.Idle > 10 {
		t.Errorf("after the run: %+v", stats)
	}
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	db.Close()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		mustExec(t, admin, "select pg_sleep(0.005)")
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}
