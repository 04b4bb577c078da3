package mock_test

//go:generate go run ../../scripts/handlegen ../.. handles_gen_test.go

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/internal/handles"
)

// Every exported function that takes a handle works with plain go-sqlmock, too: there is a case in handleCases that says what it does, or
// else it is called with whatever fits its parameters, and has to run statements that the mock sees, and to return the mock's error.
func TestEveryFunctionOfAHandleWorksWithGoSqlmock(t *testing.T) {
	t.Parallel()
	found, err := handles.List("../..")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range found {
		known[f.Name] = true
		c, told := handleCases[f.Name]
		fn, generated := handleFunctions[f.Name]
		switch {
		case told:
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				runHandleCase(t, c)
			})
		case generated:
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				callWithMock(t, f.Name, fn)
			})
		default:
			t.Errorf("%s takes a handle (%s) and is not run with go-sqlmock: run \"go generate ./sqltest/mock\", or write a case in handleCases", f.Name, f.Parameter)
		}
	}
	for name := range maps.Keys(handleFunctions) {
		if !known[name] {
			t.Errorf("%s takes no handle any more: run \"go generate ./sqltest/mock\"", name)
		}
	}
	for name := range maps.Keys(handleCases) {
		if !known[name] {
			t.Errorf("handleCases has %s, which is no exported function that takes a handle", name)
		}
	}
}

// handleCase runs a function with plain go-sqlmock.
type handleCase struct {
	expect func(m sqlmock.Sqlmock) // what it does
	run    func(ctx context.Context, db *sql.DB) error
	noRows bool // the exception: pipelines of queries, pages of cursors and binary COPY have no rows under a mock
}

// handleCases are the cases of all packages.
var handleCases = mergeCases(extCases, copyCases, listenCases)

func mergeCases(all ...map[string]handleCase) map[string]handleCase {
	merged := map[string]handleCase{}
	for _, cases := range all {
		maps.Copy(merged, cases)
	}
	return merged
}

func runHandleCase(t *testing.T, c handleCase) {
	db, m, err := sqlmock.New(sqlmock.ValueConverterOption(anyValue{}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c.expect(m)
	if c.noRows {
		t.Log("it has no rows under a mock")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.run(ctx, db); err != nil {
		t.Errorf("error: %v", err)
	}
	if err := m.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

// anyValue lets arguments through that go-sqlmock does not know (arrays, say).
type anyValue struct{}

func (anyValue) ConvertValue(v any) (sqldriver.Value, error) {
	if valuer, ok := v.(sqldriver.Valuer); ok {
		return valuer.Value()
	}
	return v, nil
}

// want is an error unless the two are equal.
func want[T comparable](got T, err error, want T) error {
	if err == nil && got != want {
		err = fmt.Errorf("got %v, want %v", got, want)
	}
	return err
}

// onConn runs a function on a connection of db.
func onConn(ctx context.Context, db *sql.DB, run func(conn *sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(run(conn), conn.Close())
}

func rowsOf(columns string, values ...sqldriver.Value) *sqlmock.Rows {
	return sqlmock.NewRows(strings.Fields(columns)).AddRow(values...)
}
