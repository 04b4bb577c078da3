package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// querier is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func mustExec(t testing.TB, q querier, query string, args ...any) {
	t.Helper()
	if _, err := q.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// number is the one value of query, an integer.
func number(t testing.TB, q querier, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := q.QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// word is the one value of query, a text.
func word(t testing.TB, q querier, query string, args ...any) string {
	t.Helper()
	var s string
	if err := q.QueryRowContext(context.Background(), query, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

// executions is how often nextval has been called on the sequence.
func executions(t testing.TB, q querier, sequence string) int64 {
	t.Helper()
	return number(t, q, "select case when is_called then last_value else 0 end from "+sequence)
}

func backendPID(t testing.TB, q querier) int64 {
	t.Helper()
	return number(t, q, "select pg_backend_pid()")
}

// one takes a connection of the pool for the test.
func one(t testing.TB, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func begin(t testing.TB, db interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
},
) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// eventually runs a query that returns a truth value until it is true. The server does the waiting.
func eventually(t testing.TB, q querier, query string, args ...any) {
	t.Helper()
	for range 2000 {
		if number(t, q, "select coalesce(("+query+")::int, 0)", args...) == 1 {
			return
		}
		mustExec(t, q, "select pg_sleep(0.005)")
	}
	t.Fatalf("never came true: %s %v", query, args)
}

// sleeping waits until the backend executes pg_sleep.
func sleeping(t testing.TB, q querier, pid int64) {
	t.Helper()
	eventually(t, q, "select count(*) > 0 from pg_stat_activity where pid = $1 and state = 'active' and wait_event = 'PgSleep'", pid)
}

// whenSleeping calls do when the backend executes pg_sleep, and also when that never comes true, so that the test goes on.
func whenSleeping(t testing.TB, q querier, pid int64, do func()) {
	go func() {
		defer do()
		sleeping(t, q, pid)
	}()
}

// gone waits until the backend has ended.
func gone(t testing.TB, q querier, pid int64) {
	t.Helper()
	eventually(t, q, "select count(*) = 0 from pg_stat_activity where pid = $1", pid)
}

// terminate ends a backend and waits until it has.
func terminate(t testing.TB, q querier, pid int64) {
	t.Helper()
	mustExec(t, q, "select pg_terminate_backend($1)", pid)
	gone(t, q, pid)
}

// sqlState is the SQLSTATE of a server's error, "" for any other.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// inside runs fn with the connection below h.
func inside(t testing.TB, h driver.Execer, fn func(ctx context.Context, c *driver.Conn)) {
	t.Helper()
	_, err := driver.Do(context.Background(), h, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
		fn(ctx, c)
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// digits is a number in digits.
func digits[N int | uint16 | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// shortDir is a folder whose path is short enough for a unix socket in it.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
