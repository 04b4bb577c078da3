package admin_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	return sqltest.DB(t, sqltest.Options{})
}

func mustExec(t testing.TB, q ext.Querier, queries ...string) {
	t.Helper()
	for _, query := range queries {
		if _, err := q.ExecContext(context.Background(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// must is a value that came without an error.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
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

// verdict checks what a function that creates or drops says.
func verdict(t testing.TB, what string, want bool) func(got bool, err error) {
	return func(got bool, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s = %t, %v; want %t", what, got, err, want)
		}
	}
}

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

// reopen is another pool for the database of db, whose settings change has changed.
func reopen(t testing.TB, db *sql.DB, change func(*driver.Config)) *sql.DB {
	t.Helper()
	other := sql.OpenDB(driver.NewConnector(config(t, db, change)))
	t.Cleanup(func() { other.Close() })
	return other
}

func config(t testing.TB, db *sql.DB, change func(*driver.Config)) *driver.Config {
	t.Helper()
	var cfg *driver.Config
	_, err := driver.Do(context.Background(), db, "settings", func(_ context.Context, c *driver.Conn) (int64, error) {
		cfg = c.Connector().Config()
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	change(cfg)
	return cfg
}

func wrap(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	w := sql.OpenDB(wrapped{driver.NewConnector(config(t, db, func(*driver.Config) {}))})
	t.Cleanup(func() { w.Close() })
	return w
}

// onEveryHandle runs a subtest on each kind of handle.
func onEveryHandle(t *testing.T, test func(t *testing.T, q ext.Querier)) {
	t.Helper()
	for name, handle := range map[string]func(t *testing.T, db *sql.DB) ext.Querier{
		"DB":                        func(_ *testing.T, db *sql.DB) ext.Querier { return db },
		"Tx":                        func(t *testing.T, db *sql.DB) ext.Querier { return begin(t, db) },
		"Conn of a wrapping driver": func(t *testing.T, db *sql.DB) ext.Querier { return one(t, wrap(t, db)) },
		"DB with other settings": func(t *testing.T, db *sql.DB) ext.Querier {
			return reopen(t, db, func(cfg *driver.Config) {
				cfg.RuntimeParams["client_min_messages"] = "error" // no notice tells what was skipped
				cfg.Placeholder, cfg.Compat = driver.PlaceholderFormat, driver.CompatPq
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := handle(t, openDB(t))
			if tx, ok := q.(*sql.Tx); ok {
				defer tx.Rollback() // ahead of what else is cleaned up, which may wait for its locks
			}
			test(t, q)
		})
	}
}

// newRole is the name of a role of the test's own, on a server that tests share. The role is dropped at the test's end.
func newRole(t testing.TB, db *sql.DB) string {
	t.Helper()
	role := "admin_test_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		if _, err := admin.DropRole(context.Background(), db, role, admin.DropRoleOptions{DropOwned: true}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return role
}

func createRole(t testing.TB, db *sql.DB, o admin.RoleOptions) string {
	t.Helper()
	role := newRole(t, db)
	if _, err := admin.CreateRole(context.Background(), db, role, o); err != nil {
		t.Fatal(err)
	}
	return role
}

// sqlState is the SQLSTATE of a server's error, "" for any other.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}
