package driver

import "testing"

// serverConfig is a Config for the server that tests may use.
func serverConfig(t testing.TB) *Config {
	t.Helper()
	dsn := TestServerDSN(t)
	c, err := ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
