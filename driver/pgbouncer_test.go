package driver_test

import (
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

// poolerSessions is how many sessions PgBouncer has for each database.
const poolerSessions = 10

// poolerAddress is where a PgBouncer that pools transactions listens, in front of the server of the tests.
func poolerAddress(t testing.TB) string {
	t.Helper()
	return sqltest.PgBouncer(t, sqltest.PgBouncerOptions{}).Addr()
}
