package driver

import "os"

// ParseConfig reads a connection string; the package documentation describes its forms and every key. A value is taken from
// the connection string, else from the service that it or PGSERVICE names, else from libpq's PG* variables, else from the
// default. An empty string is allowed. Any error is a *[ParseError].
func ParseConfig(dsn string) (*Config, error) { return parseConfig(dsn, "dsn", os.LookupEnv) }
