package copyin_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	return sqltest.DB(t, sqltest.Options{})
}

// openBehindFault opens a database of the test's own through a proxy.
func openBehindFault(t testing.TB) (*sql.DB, *sqltest.Fault) {
	t.Helper()
	dsn := sqltest.DSN(t, sqltest.Options{})
	fault := sqltest.Server(t).Fault(t)
	db, err := sql.Open("pycopg", fault.DSN(dsn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, fault
}

func mustExec(t testing.TB, q ext.Querier, query string, args ...any) {
	t.Helper()
	if _, err := q.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// word is the one value of query, as text.
func word(t testing.TB, q ext.Querier, query string, args ...any) string {
	t.Helper()
	var s sql.NullString
	if err := q.QueryRowContext(context.Background(), query, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if !s.Valid {
		return "NULL"
	}
	return s.String
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

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// errStopped is the cause of the end of a context that a test ends.
var errStopped = errors.New("stopped")

// endWhen runs fn with a context that ends, because of errStopped, once query counts something.
func endWhen(t testing.TB, watch ext.Querier, query string, arg any, fn func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	returned := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for n := 0; n == 0; {
			if err := watch.QueryRowContext(context.Background(), query, arg).Scan(&n); err != nil {
				t.Errorf("%s: %v", query, err)
				break
			}
			select {
			case <-returned:
				return
			default:
			}
		}
		cancel(errStopped)
	})
	fn(ctx)
	close(returned)
	watching.Wait()
}

// onEveryHandle runs a test on a DB, a Conn and a Tx.
func onEveryHandle(t *testing.T, db *sql.DB, test func(t *testing.T, q ext.Querier)) {
	t.Run("DB", func(t *testing.T) { test(t, db) })
	t.Run("Conn", func(t *testing.T) { test(t, one(t, db)) })
	t.Run("Tx", func(t *testing.T) { test(t, begin(t, db)) })
}

// sqlState is the SQLSTATE of a server's error, "" for others.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}
