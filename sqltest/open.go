package sqltest

import (
	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
)

// open returns a handle of dsn with the driver under test.
func open(dsn string) (*sql.DB, error) { return sql.Open("pgx", dsn) }
