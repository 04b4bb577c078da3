package ext_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
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

// wrapped is a wrapping driver, as tracers are, that forwards no more than it must.
type wrapped struct{ sqldriver.Connector }

func (w wrapped) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return wrappedConn{c.(*driver.Conn)}, nil
}

type wrappedConn struct{ inner *driver.Conn }

func (w wrappedConn) Prepare(query string) (sqldriver.Stmt, error) { return w.inner.Prepare(query) }
func (w wrappedConn) Close() error                                 { return w.inner.Close() }
func (w wrappedConn) Begin() (sqldriver.Tx, error)                 { return w.inner.Begin() }
func (w wrappedConn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	return w.inner.ExecContext(ctx, query, args)
}

func (w wrappedConn) QueryContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	return w.inner.QueryContext(ctx, query, args)
}

func wrap(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	var connector *driver.Connector
	_, err := driver.Do(context.Background(), db, "connector", func(_ context.Context, c *driver.Conn) (int64, error) {
		connector = c.Connector()
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w := sql.OpenDB(wrapped{connector})
	t.Cleanup(func() { w.Close() })
	return w
}

// onEveryHandle runs a subtest on each kind of handle.
func onEveryHandle(t *testing.T, db *sql.DB, test func(t *testing.T, q ext.Querier)) {
	t.Helper()
	t.Run("DB", func(t *testing.T) { test(t, db) })
	t.Run("Conn", func(t *testing.T) { test(t, one(t, db)) })
	t.Run("Tx", func(t *testing.T) { test(t, begin(t, db)) })
	t.Run("wrapping driver", func(t *testing.T) { test(t, wrap(t, db)) })
	t.Run("Tx of a wrapping driver", func(t *testing.T) { test(t, begin(t, wrap(t, db))) })
}

// foreign is a driver of another kind: it refuses arguments.
type foreign struct{}

var errForeign = errors.New("foreign: no arguments, please")

func (foreign) Connect(context.Context) (sqldriver.Conn, error) { return foreign{}, nil }
func (foreign) Driver() sqldriver.Driver                        { return nil }
func (foreign) Prepare(string) (sqldriver.Stmt, error)          { return nil, errForeign }
func (foreign) Close() error                                    { return nil }
func (foreign) Begin() (sqldriver.Tx, error)                    { return nil, errForeign }

func foreignDB(t testing.TB) *sql.DB {
	db := sql.OpenDB(foreign{})
	t.Cleanup(func() { db.Close() })
	return db
}

// wantForeign checks the error of a function that needs this driver and got another.
func wantForeign(t testing.TB, name string, err error) {
	t.Helper()
	if !errors.Is(err, errForeign) || !strings.Contains(err.Error(), "does not lead to a pycopg connection") {
		t.Errorf("%s on another driver: %v, want an error that says so", name, err)
	}
}

// sqlState is the SQLSTATE of a server's error, "" for any other.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}
