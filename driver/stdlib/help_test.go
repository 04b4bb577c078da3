package stdlib_test

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver/stdlib"
	"github.com/pycopg/pycopg/sqltest"
)

// config is pgx's configuration for a fresh database, with settings of the form key=value.
func config(t testing.TB, settings ...string) *pgx.ConnConfig {
	t.Helper()
	return parse(t, extended(t, sqltest.DSN(t, sqltest.Options{}), settings...))
}

// extended adds settings of the form key=value to a DSN of either form.
func extended(t testing.TB, dsn string, settings ...string) string {
	t.Helper()
	if !strings.Contains(dsn, "://") {
		return strings.Join(append([]string{dsn}, settings...), " ")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		query.Set(key, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func parse(t testing.TB, dsn string) *pgx.ConnConfig {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// closed has db closed when the test ends.
func closed(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// open is OpenDB on a fresh database.
func open(t testing.TB, opts ...stdlib.OptionOpenDB) *sql.DB {
	t.Helper()
	return closed(t, stdlib.OpenDB(*config(t), opts...))
}

type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func mustExec(t testing.TB, q querier, query string, args ...any) {
	t.Helper()
	if _, err := q.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// value is the one value of query.
func value[T any](t testing.TB, q querier, query string, args ...any) T {
	t.Helper()
	var v T
	if err := q.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// one takes a connection of the pool for the test.
func one(t testing.TB, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// raw runs fn with the pgx connection below conn.
func raw(t testing.TB, conn *sql.Conn, fn func(px *pgx.Conn) error) {
	t.Helper()
	err := conn.Raw(func(driverConn any) error { return fn(driverConn.(*stdlib.Conn).Conn()) })
	if err != nil {
		t.Fatal(err)
	}
}
