package compat

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/lib/pq"              // the driver "postgres"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// The names that the drivers are registered under.
const (
	ours = "pycopg"
	pgx  = "pgx"
	pq   = "postgres"
)

// dsnOf is a fresh database's DSN in the form that all three drivers read.
func dsnOf(t testing.TB, o sqltest.Options) string {
	t.Helper()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, o))
	if err != nil {
		t.Fatal(err)
	}
	sslmode := cfg.SSLMode
	if sslmode == "" || sslmode == "prefer" || sslmode == "allow" { // lib/pq's default is another
		sslmode = "disable"
	}
	return settings(
		"host", cfg.Hosts[0].Host, "port", strconv.Itoa(int(cfg.Hosts[0].Port)), "user", cfg.User, "password", cfg.Password,
		"dbname", cfg.Database, "sslmode", sslmode,
	)
}

var valueQuoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// settings is the key=value form of pairs; those with an empty value are left out.
func settings(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(&b, "%s='%s' ", pairs[i], valueQuoter.Replace(pairs[i+1]))
		}
	}
	return strings.TrimSpace(b.String())
}

// open opens a handle that is closed before the database is dropped.
func open(t testing.TB, driverName, dsn string, pairs ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driverName, dsn+" "+settings(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close %s: %v", driverName, err)
		}
	})
	return db
}

// session is one connection of a handle of its own.
func session(t testing.TB, driverName, dsn string, pairs ...string) *sql.Conn {
	t.Helper()
	conn, err := open(t, driverName, dsn, pairs...).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("close a connection of %s: %v", driverName, err)
		}
	})
	return conn
}

// execer is a handle that runs statements.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// mustExec runs statements that have to succeed.
func mustExec(t testing.TB, h execer, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := h.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// queryVal reads the one value of a query.
func queryVal[T any](t testing.TB, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, query string, args ...any,
) (v T) {
	t.Helper()
	if err := q.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// doThrough runs a function on the connection of h, inside which it asks the server, and returns how often it ran.
func doThrough(t testing.TB, h driver.Execer) (calls int) {
	t.Helper()
	n, err := driver.Do(t.Context(), h, "ask the server", func(ctx context.Context, c *driver.Conn) (int64, error) {
		calls++
		return 7, c.Conn().Ping(ctx)
	})
	if n != 7 || err != nil {
		t.Errorf("driver.Do on %T = %d, %v, want 7", h, n, err)
	}
	return calls
}
