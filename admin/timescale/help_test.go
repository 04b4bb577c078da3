package timescale_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/admin/timescale"
	_ "github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// private are the servers that the tests start for themselves, where the shared one has the extension's files and has not loaded
// its library: by the extension's licence.
var private = map[string]func() (*sqltest.Instance, error){
	"timescale": sync.OnceValues(func() (*sqltest.Instance, error) { return start("timescale") }),
	"apache":    sync.OnceValues(func() (*sqltest.Instance, error) { return start("apache") }),
}

var (
	startedLock sync.Mutex
	started     []*sqltest.Instance
)

func start(license string) (*sqltest.Instance, error) {
	server, err := sqltest.Start(context.Background(), sqltest.StartOptions{Settings: map[string]string{
		"shared_preload_libraries":           "timescaledb",
		"timescaledb.telemetry_level":        "off",
		"timescaledb.license":                license,
		"timescaledb.max_background_workers": "4",
	}})
	if err == nil {
		startedLock.Lock()
		started = append(started, server)
		startedLock.Unlock()
	}
	return server, err
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, server := range started {
		server.Close()
	}
	os.Exit(code)
}

// openAny is a database with the extension, of whatever licence.
func openAny(t testing.TB) *sql.DB {
	t.Helper()
	db := sqltest.DB(t, sqltest.Options{})
	if !value[bool](t, db, "select exists (select from pg_available_extensions where name = 'timescaledb')") {
		t.Skip("TimescaleDB is not among the server's pg_available_extensions")
	}
	if strings.Contains(value[string](t, db, "show shared_preload_libraries"), "timescaledb") {
		mustExec(t, db, "create extension timescaledb")
		return db
	}
	return openPrivate(t, "timescale")
}

// openPrivate is a database with the extension on a server that the tests start.
func openPrivate(t testing.TB, license string) *sql.DB {
	t.Helper()
	server, err := private[license]()
	if err != nil {
		t.Fatal(err)
	}
	root, err := sql.Open("pycopg", server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	name := "t_" + strings.ToLower(rand.Text())
	mustExec(t, root, "create database "+name)
	db, err := sql.Open("pycopg", server.DSN(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	mustExec(t, db, "create extension timescaledb")
	return db
}

// openFull is a database with the extension and its full licence.
func openFull(t testing.TB) *sql.DB {
	t.Helper()
	db := openAny(t)
	if license := value[string](t, db, "show timescaledb.license"); license != "timescale" {
		t.Skipf("the server's TimescaleDB has the %s licence: this needs the full one", license)
	}
	return db
}

// openApache is a database with the extension and its Apache licence.
func openApache(t testing.TB) *sql.DB {
	t.Helper()
	db := openAny(t)
	if value[string](t, db, "show timescaledb.license") == "apache" {
		return db
	}
	return openPrivate(t, "apache")
}

func mustExec(t testing.TB, q ext.Querier, queries ...string) {
	t.Helper()
	for _, query := range queries {
		if _, err := q.ExecContext(context.Background(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

func value[T any](t testing.TB, q ext.Querier, query string, args ...any) T {
	t.Helper()
	v, err := ext.QueryVal[T](context.Background(), q, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// metrics makes a hypertable "app.odd metrics" with chunks of a day and a row for each hour of some days before 2026-01-11.
func metrics(t testing.TB, db *sql.DB, days int) (table string) {
	t.Helper()
	table = `app."odd metrics"`
	mustExec(t, db, `create schema app`, `create table app."odd metrics" (ts timestamptz not null, "Device" text not null, temperature float8)`)
	created, err := timescale.CreateHypertable(t.Context(), db, table, timescale.ByRange("ts", timescale.Interval("1 day")), timescale.HypertableOptions{})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	mustExec(t, db, fmt.Sprintf(`insert into app."odd metrics"
		select g, 'd' || extract(hour from g at time zone 'UTC')::int %% 2, extract(hour from g at time zone 'UTC')
		from generate_series(timestamptz '2026-01-11 UTC' - interval '%d days', timestamptz '2026-01-10 23:00 UTC', interval '1 hour') g`, days))
	return table
}

func oneConn(t testing.TB, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
