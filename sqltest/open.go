package sqltest

import (
	"database/sql"

	_ "github.com/pycopg/pycopg/driver" // registers "pycopg"
)

// open returns a handle of dsn with the driver under test.
func open(dsn string) (*sql.DB, error) { return sql.Open("pycopg", dsn) }
