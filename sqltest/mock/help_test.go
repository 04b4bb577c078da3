package mock_test

import (
	"database/sql"

	"github.com/jackc/pgx/v5/pgtype"
)

// driverArray scans an array with pgx's own types, under every version of Go.
func driverArray[T any](dst *[]T) sql.Scanner { return pgtype.NewMap().SQLScanner(dst) }
