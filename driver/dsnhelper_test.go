package driver

import (
	"os"
	"testing"
)

// serverConfig is a Config for the server that tests may use; without one the test is skipped.
func serverConfig(t testing.TB) *Config {
	t.Helper()
	dsn := os.Getenv("PYCOPG_TEST_DSN")
	if dsn == "" {
		t.Skip("PYCOPG_TEST_DSN is not set")
	}
	c, err := ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
