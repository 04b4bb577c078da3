package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// unstorable are values that no text can hold, with the SQLSTATE that the server has for them.
var unstorable = []struct {
	cast  string
	value any
	state string
	says  string
}{
	{"text", "a\x00b", "22021", "NUL byte at offset 1"},
	{"text", "\xff", "22021", "not valid UTF-8"},
	{"text", []byte{1, 0}, "22021", "NUL byte at offset 1"},
	{"text[]", []string{"fine", "a\x00b"}, "22021", "NUL byte"},
	{"text", sql.NullString{String: "a\x00b", Valid: true}, "22021", "NUL byte"},
	{"int", "1\x00", "22021", "NUL byte"},
	{"uuid", []byte{1, 2, 3}, "22P02", "3 bytes is no uuid"},
}

// TestUnstorableTextIsRefusedAlike checks that every way to execute a statement refuses such values with the SQLSTATE of the
// server, before anything is sent, and that the transaction goes on.
func TestUnstorableTextIsRefusedAlike(t *testing.T) {
	t.Parallel()
	db := openConfig(t, prepareAfter(2, 100))
	mustExec(t, db, "create sequence s")
	conn := one(t, db)
	ways := map[string]func(q querier, query string, arg any) error{
		"Exec": func(q querier, query string, arg any) error {
			_, err := q.ExecContext(t.Context(), query, arg)
			return err
		},
		"Query": func(q querier, query string, arg any) error {
			rows, err := q.QueryContext(t.Context(), query, arg)
			if err == nil {
				rows.Close()
			}
			return err
		},
		"unprepared": func(q querier, query string, arg any) error {
			_, err := q.ExecContext(t.Context(), query, driver.QueryOptions{Prepare: new(bool)}, arg)
			return err
		},
		"*sql.Stmt": func(q querier, query string, arg any) error {
			stmt, err := q.(interface {
				PrepareContext(context.Context, string) (*sql.Stmt, error)
			}).PrepareContext(t.Context(), query)
			if err != nil {
				return err
			}
			defer stmt.Close()
			_, err = stmt.ExecContext(t.Context(), arg)
			return err
		},
	}
	for _, u := range unstorable {
		query := "select nextval('s'), $1::" + u.cast
		for name, way := range ways {
			tx := begin(t, conn)
			mustExec(t, tx, "select 1")
			for use := range 5 {
				for _, q := range []querier{tx, db} {
					err := way(q, query, u.value)
					var pg *pgconn.PgError
					if !errors.As(err, &pg) || pg.Code != u.state || !strings.Contains(err.Error(), u.says) || !strings.Contains(err.Error(), "argument $1") {
						t.Errorf("%s of %q, use %d: %v, want SQLSTATE %s", name, u.value, use+1, err, u.state)
					}
				}
			}
			if got := number(t, tx, "select 7"); got != 7 {
				t.Error("the transaction does not go on")
			}
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
		}
		if _, err := db.Exec("select nextval('s'), '" + "\x00" + "'"); sqlState(err) != "22021" {
			t.Errorf("a statement with NUL: %v, want 22021", err)
		}
	}
	if n := executions(t, db, "s"); n != 0 {
		t.Errorf("%d statements were executed", n)
	}
}
