package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/internal/handles"
)

// plainCall calls a function that takes a handle on plain go-sqlmock, and says before what it expects of it. Its text is the
// example of that function in docs/go-sqlmock.md.
type plainCall func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error

// plainCalls are those of all packages.
var plainCalls = merged(adminTablesCases, adminObjectsCases, adminServerCases, adminCatalogCases, timescaleCases, migrateCases, extCases, extMoreCases, copyCases, listenCases)

func merged(all ...map[string]plainCall) map[string]plainCall {
	calls := map[string]plainCall{}
	for _, c := range all {
		maps.Copy(calls, c)
	}
	return calls
}

// Every exported function that takes a handle works with plain go-sqlmock, too.
func TestEveryFunctionOfAHandleWorksWithGoSqlmock(t *testing.T) {
	t.Parallel()
	found, err := handles.List("../..")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range found {
		known[f.Name] = true
		run, ok := plainCalls[f.Name]
		if !ok {
			t.Errorf("%s takes a handle (%s) and is not called with go-sqlmock: write an example into handles_…_test.go", f.Name, f.Parameter)
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			runPlain(t, run)
		})
	}
	for name := range maps.Keys(plainCalls) {
		if !known[name] {
			t.Errorf("%s is no exported function that takes a handle", name)
		}
	}
}

func runPlain(t *testing.T, run plainCall) {
	db, m, err := sqlmock.New()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := run(ctx, db, m); err != nil {
		t.Errorf("error: %v", err)
	}
	if err := m.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

// want is an error unless the two are equal.
func want[T comparable](got T, err error, want T) error {
	if err == nil && got != want {
		err = fmt.Errorf("got %v, want %v", got, want)
	}
	return err
}

// head is the first of values, its zero value where there are none because of an error.
func head[T any](values []T) (v T) {
	if len(values) > 0 {
		v = values[0]
	}
	return v
}

// wantMock is an error unless err says that the handle is a mock.
func wantMock(err error) error {
	if err == nil || !strings.Contains(err.Error(), "mock") {
		return fmt.Errorf("error = %w, want one that says that the handle is a mock", err)
	}
	return nil
}

// onConn runs a function on a connection of db.
func onConn(ctx context.Context, db *sql.DB, run func(conn *sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(run(conn), conn.Close())
}
