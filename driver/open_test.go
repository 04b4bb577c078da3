package driver_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
)

// This file alone knows where the tests' server is.

// testDSN is the data source name of the tests' server, in its key=value form. A test without a server is skipped.
func testDSN(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv("PYCOPG_TEST_DSN")
	if dsn == "" {
		t.Skip("no server: PYCOPG_TEST_DSN is not set")
	}
	return dsn
}

// serverAddress is where the server listens, for proxies in front of it.
func serverAddress(t testing.TB) (network, address string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(testDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(int(cfg.Port))
	if strings.HasPrefix(cfg.Host, "/") {
		return "unix", cfg.Host + "/.s.PGSQL." + port
	}
	return "tcp", net.JoinHostPort(cfg.Host, port)
}

// openDB returns a pool on which the test is alone.
func openDB(t testing.TB) *sql.DB {
	t.Helper()
	return openConfig(t, nil)
}

// openConfig is openDB with settings of the test's own.
func openConfig(t testing.TB, change func(*driver.Config)) *sql.DB {
	t.Helper()
	return openSpace(t, newSpace(t), "", change)
}

// space is a place for a test's tables.
type space string

// newSpace makes a place that is empty and goes with the test.
func newSpace(t testing.TB) space {
	t.Helper()
	admin, err := sql.Open("pycopg", testDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	name := "pycopg_" + strings.ToLower(rand.Text())
	mustExec(t, admin, "create schema "+name)
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "set client_min_messages = warning; drop schema "+name+" cascade"); err != nil {
			t.Errorf("dropping the test's schema: %v", err)
		}
		admin.Close()
	})
	return space(name)
}

// openSpace returns a further pool on s. address, when it is not empty, is dialled instead of the server's.
func openSpace(t testing.TB, s space, address string, change func(*driver.Config)) *sql.DB {
	t.Helper()
	dsn := testDSN(t) + " search_path=" + string(s)
	if address != "" {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		dsn += " host=" + host + " port=" + port + " sslmode=disable"
	}
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cfg)
	}
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	return db
}
