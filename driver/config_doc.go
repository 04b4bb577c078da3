package driver

import "os"

// ParseConfig reads a connection string.
func ParseConfig(dsn string) (*Config, error) { return parseConfig(dsn, "dsn", os.LookupEnv) }
