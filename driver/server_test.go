package driver_test

import (
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func init() {
	driver.TestServerDSN = func(t testing.TB) string { return sqltest.DSN(t, sqltest.Options{}) }
}
