package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// soakRestarts is the variable with the number of restarts of the restart tests.
const soakRestarts = "PYCOPG_SOAK_RESTARTS"

// TestSoakOfRestartsBelowAnIdlePool restarts the server below idle connections: no use of the pool afterwards fails.
func TestSoakOfRestartsBelowAnIdlePool(t *testing.T) {
	t.Parallel()
	in := privateServer(t, sqltest.StartOptions{TLS: true})
	plain := strings.Replace(in.TCP("postgres"), "sslmode=verify-full", "sslmode=disable", 1)
	pools := map[string]*sql.DB{"TCP": openDSN(t, plain, nil), "TLS": openDSN(t, in.TCP("postgres"), nil)}
	const size = 10
	for restart := range soakSize(t, soakRestarts, 2) {
		for _, db := range pools {
			db.SetMaxOpenConns(size)
			db.SetMaxIdleConns(size)
			var conns []*sql.Conn
			for range size {
				conn := one(t, db)
				number(t, conn, "select $1::int", 1)
				conns = append(conns, conn)
			}
			for _, conn := range conns {
				conn.Close()
			}
		}
		how := sqltest.StopFast
		if restart%2 == 1 { // as after a crash
			how = sqltest.StopImmediate
		}
		if err := in.Stop(t.Context(), how); err != nil {
			t.Fatal(err)
		}
		if err := in.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, db := range pools {
			var users sync.WaitGroup
			for i := range 2 * size {
				users.Go(func() {
					for kind, use := range idleUses {
						if err := use(t.Context(), db, i); err != nil {
							t.Errorf("%s over %s behind a restart: %v", kind, name, err)
						}
					}
				})
			}
			users.Wait()
		}
	}
}

// idleUses are first uses of a connection that has idled.
var idleUses = map[string]func(ctx context.Context, db *sql.DB, i int) error{
	"Exec": func(ctx context.Context, db *sql.DB, i int) error {
		_, err := db.ExecContext(ctx, "select 1")
		return err
	},
	"QueryRow": func(ctx context.Context, db *sql.DB, i int) error {
		return db.QueryRowContext(ctx, "select $1::int", i).Scan(&i)
	},
	"Ping": func(ctx context.Context, db *sql.DB, _ int) error { return db.PingContext(ctx) },
	"Prepare": func(ctx context.Context, db *sql.DB, i int) error {
		stmt, err := db.PrepareContext(ctx, "select $1::int + 1")
		if err != nil {
			return err
		}
		defer stmt.Close()
		return stmt.QueryRowContext(ctx, i).Scan(&i)
	},
	"Begin": func(ctx context.Context, db *sql.DB, i int) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "select $1::int", i); err != nil {
			return err
		}
		return tx.Commit()
	},
	"Do": func(ctx context.Context, db *sql.DB, _ int) error {
		_, err := driver.Do(ctx, db, "test", func(ctx context.Context, c *driver.Conn) (int64, error) { return 0, c.Ping(ctx) })
		return err
	},
}

// trueLoss reports whether err says why a statement failed around a restart: the server's words, the end of the connection,
// or that none could be made. "driver: bad connection" says nothing.
func trueLoss(err error) bool {
	var connect *driver.ConnectError
	switch {
	case errors.Is(err, sqldriver.ErrBadConn):
		return false
	case sqlState(err) == "57P01" || sqlState(err) == "57P02" || sqlState(err) == "57P03" || errors.As(err, &connect):
		return true
	}
	return err != nil && strings.Contains(err.Error(), "connection lost")
}

// TestSoakOfRestartsBelowABusyPool restarts the server below 32 goroutines that insert numbered rows. A statement that was on
// its way fails once, with the reason; none runs twice; what was said to have happened has.
func TestSoakOfRestartsBelowABusyPool(t *testing.T) {
	t.Parallel()
	in := privateServer(t, sqltest.StartOptions{Settings: map[string]string{"synchronous_commit": "on"}})
	db := openDSN(t, in.DSN("postgres"), nil)
	db.SetMaxOpenConns(soakWorkers)
	db.SetMaxIdleConns(soakWorkers)
	mustExec(t, db, "create table ledger (n bigint, worker int)")
	var next, lost, unconnected atomic.Int64
	var stop atomic.Bool
	var mu sync.Mutex
	kept, failed := map[int64]bool{}, map[int64]bool{} // what was said to be there, and what may be
	var workers sync.WaitGroup
	for worker := range soakWorkers {
		workers.Go(func() {
			for !stop.Load() {
				n := next.Add(1)
				err := insertOnce(db, n, worker)
				mu.Lock()
				if err == nil {
					kept[n] = true
				} else {
					failed[n] = true
				}
				mu.Unlock()
				var connect *driver.ConnectError
				switch {
				case err == nil:
				case !trueLoss(err):
					t.Errorf("statement %d: %v", n, err)
				case errors.As(err, &connect):
					unconnected.Add(1)
				default:
					lost.Add(1)
				}
			}
		})
	}
	for range soakSize(t, soakRestarts, 2) {
		for target := next.Load() + 500; next.Load() < target; {
			mustExec(t, openOnce(t, in), "select pg_sleep(0.02)")
		}
		if err := in.Restart(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for target := next.Load() + 500; next.Load() < target; {
		mustExec(t, openOnce(t, in), "select pg_sleep(0.02)")
	}
	stop.Store(true)
	workers.Wait()
	t.Logf("%d statements, %d of them lost with their connection, %d found no server", next.Load(), lost.Load(), unconnected.Load())
	rows, err := db.QueryContext(t.Context(), "select n, count(*) from ledger group by n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n, times int64
		if err := rows.Scan(&n, &times); err != nil {
			t.Fatal(err)
		}
		if times != 1 || !kept[n] && !failed[n] {
			t.Errorf("row %d is there %d times", n, times)
		}
		delete(kept, n)
	}
	if rows.Err() != nil || len(kept) > 0 {
		t.Errorf("%d rows are missing that were inserted without an error; %v", len(kept), rows.Err())
	}
	if lost.Load() == 0 {
		t.Error("no statement was hit by a restart")
	}
}

// openOnce is a pool for the test's own statements, on connections that no restart has seen.
func openOnce(t *testing.T, in *sqltest.Instance) *sql.DB {
	t.Helper()
	db := openDSN(t, in.DSN("postgres"), nil)
	db.SetMaxIdleConns(0)
	return db
}

// insertOnce inserts row n in one of several ways.
func insertOnce(db *sql.DB, n int64, worker int) error {
	ctx := context.Background()
	switch worker % 4 {
	case 0:
		_, err := db.ExecContext(ctx, "insert into ledger values ($1, $2)", n, worker)
		return err
	case 1:
		return db.QueryRowContext(ctx, "insert into ledger select $1, $2 from pg_sleep(0.01) returning n", n, worker).Scan(&n)
	case 2:
		stmt, err := db.PrepareContext(ctx, "insert into ledger values ($1, $2)")
		if err != nil {
			return err
		}
		defer stmt.Close()
		_, err = stmt.ExecContext(ctx, n, worker)
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "insert into ledger values ($1, $2)", n, worker); err != nil {
		return err
	}
	return tx.Commit()
}
