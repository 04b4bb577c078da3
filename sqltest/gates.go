package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// MinVersion skips the test unless the server of Server is of this major version or newer.
func MinVersion(t testing.TB, major int) {
	t.Helper()
	if have := Server(t).MajorVersion(); have < major {
		t.Skipf("sqltest: needs PostgreSQL %d, the server is %d", major, have)
	}
}

// notUsable are the SQLSTATEs of CREATE EXTENSION where a server has the extension's files and cannot
// load them: undefined file, not in the right state (not preloaded), feature not supported.
var notUsable = []string{"58P01", "55000", "0A000"}

// Extension creates the extension in db, with those it needs, or skips the test where the server does not have it.
func Extension(t testing.TB, db *sql.DB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), databaseTimeout)
	defer cancel()
	var available bool
	const query = "select exists (select from pg_catalog.pg_available_extensions where name = $1)"
	if err := db.QueryRowContext(ctx, query, name).Scan(&available); err != nil {
		t.Fatalf("sqltest: extension %s: %v", name, err)
	}
	if !available {
		t.Skipf("sqltest: needs the extension %s, which the server does not have", name)
	}
	_, err := db.ExecContext(ctx, "create extension if not exists "+quoteName(name)+" cascade")
	var refused *pgconn.PgError
	switch {
	case err == nil:
	case errors.As(err, &refused) && slices.Contains(notUsable, refused.Code):
		t.Skipf("sqltest: needs the extension %s, which the server cannot load: %v", name, err)
	default:
		t.Fatalf("sqltest: extension %s: %v", name, err)
	}
}
