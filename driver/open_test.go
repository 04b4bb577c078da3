package driver_test

import (
	"database/sql"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// This file alone knows where the tests' server is.

func init() {
	driver.TestServerDSN = func(t testing.TB) string { return sqltest.DSN(t, sqltest.Options{}) }
	driver.PrivateServerDSN = func(t testing.TB, hba []string, settings, files map[string]string) string {
		return privateServer(t, sqltest.StartOptions{HBA: hba, Settings: settings, Files: files}).DSN("")
	}
}

// serverAddress is where the server listens, for proxies in front of it.
func serverAddress(t testing.TB) (network, address string) {
	t.Helper()
	cfg, err := driver.ParseConfig(sqltest.Server(t).TCP("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return "tcp", net.JoinHostPort(cfg.Hosts[0].Host, strconv.Itoa(int(cfg.Hosts[0].Port)))
}

// serverLogin is who may log in where the server listens.
func serverLogin(t testing.TB) (user, password string) {
	t.Helper()
	cfg, err := driver.ParseConfig(sqltest.Server(t).TCP("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.User, cfg.Password
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

// space is a database of the test's own.
type space string

// newSpace makes a database that is empty and goes with the test.
func newSpace(t testing.TB) space {
	t.Helper()
	return space(sqltest.DSN(t, sqltest.Options{}))
}

// openSpace returns a further pool on s. address, when it is not empty, is dialled instead of the server's.
func openSpace(t testing.TB, s space, address string, change func(*driver.Config)) *sql.DB {
	t.Helper()
	cfg, err := driver.ParseConfig(string(s))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case address == "" && pooled():
		throughPooler(t, cfg)
	case address != "":
		cfg.Hosts = []driver.HostSpec{hostSpec(t, address)}
		cfg.SSLMode = "disable"
		cfg.User, cfg.Password = serverLogin(t)
	}
	cfg.CancelTimeout = 20 * time.Second // a slow machine's server is no unresponsive one
	if change != nil {
		change(cfg)
	}
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	return db
}

func hostSpec(t testing.TB, address string) driver.HostSpec {
	t.Helper()
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return driver.HostSpec{Host: host, Port: uint16(port)}
}
