package driver

import "testing"

// TestServerDSN gives the internal tests a server. The external test package sets it: package sqltest imports driver, so
// it cannot be imported here.
var TestServerDSN func(t testing.TB) string
