package mock_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func TestStatementsAreExpected(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert into item").WithArgs(1, "one").WillReturnResult(sqlmock.NewResult(0, 3))
	m.ExpectQuery("select name").WithArgs(sqlmock.AnyArg()).WillReturnRows(sqlmock.NewRows([]string{"name", "n"}).AddRow("one", 1).AddRow(nil, 2))
	res, err := db.ExecContext(t.Context(), "insert into item values ($1, $2)", int8(1), sql.NullString{String: "one", Valid: true})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 3 || err != nil {
		t.Errorf("RowsAffected = %d, %v", n, err)
	}
	rows, err := db.QueryContext(t.Context(), "select name, n from item where n > $1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var name sql.NullString
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %t %d", name.String, name.Valid, n))
	}
	if want := []string{"one true 1", " false 2"}; rows.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("rows %q, %v, want %q", got, rows.Err(), want)
	}
}

func TestResultsAreThoseOfTheDriver(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for range 2 {
		m.ExpectQuery("select").WillReturnRows(m.Columns(
			mock.Col("tags", "text[]"), mock.Col("id", "uuid"), mock.Col("doc", "jsonb"), mock.Col("span", "int4range"),
			mock.Col("wait", "interval"), mock.Col("at", "timestamptz"), mock.Col("price", "numeric(10,2)"), mock.Col("state", "order_state"),
		).AddRow([]string{"a", "b c"}, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", map[string]any{"k": 1}, "[1,5)", 90*time.Minute, at, "12.50", "open"))
	}
	rows, err := db.QueryContext(t.Context(), "select * from t")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range types {
		names = append(names, c.DatabaseTypeName())
	}
	if want := []string{"_TEXT", "UUID", "JSONB", "INT4RANGE", "INTERVAL", "TIMESTAMPTZ", "NUMERIC", "ORDER_STATE"}; !slices.Equal(names, want) {
		t.Errorf("types %q, want %q", names, want)
	}
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	values := make([]any, len(types))
	for i := range values {
		values[i] = new(any)
	}
	if err := rows.Scan(values...); err != nil {
		t.Fatal(err)
	}
	want := []any{`{a,"b c"}`, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", `{"k": 1}`, "[1,5)", "01:30:00", at, "12.50", "open"}
	for i := range values {
		got := *values[i].(*any)
		if b, ok := got.([]byte); ok {
			got = string(b)
		}
		if g, ok := got.(time.Time); ok && g.Equal(at) {
			continue
		}
		if got != want[i] {
			t.Errorf("%s = %T %v, want %v", names[i], got, got, want[i])
		}
	}
	rows.Close()
	var tags []string
	if err := db.QueryRowContext(t.Context(), "select * from t").Scan(driverArray(&tags), new(any), new(any), new(any), new(any), new(any), new(any), new(any)); err != nil || !slices.Equal(tags, []string{"a", "b c"}) {
		t.Errorf("tags %q, %v", tags, err)
	}
}

func TestArgumentsAreThoseOfTheDriver(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert").WithArgs([]string{"a", "b"}, map[string]any{"k": 1}, []int{1, 2}, 90*time.Minute, nil)
	if _, err := db.ExecContext(t.Context(), "insert into t values ($1, $2, $3, $4, $5)",
		[]string{"a", "b"}, map[string]any{"k": 1}, []int64{1, 2}, 90*time.Minute, nil); err != nil {
		t.Error(err)
	}
	m.ExpectExec("update").WithTypes("int4")
	if _, err := db.ExecContext(t.Context(), "update t set n = $1", map[string]any{"n": 1}); err == nil {
		t.Error("a map is an int4")
	}
	if _, err := db.ExecContext(t.Context(), "update t set n = $1", make(chan int)); err == nil || !strings.Contains(err.Error(), "driver: argument $1") {
		t.Errorf("error = %v, want the driver's own", err)
	}
	m.ExpectExec("named").WithArgs(sql.Named("a", 5), sql.Named("b", "x"))
	if _, err := db.ExecContext(t.Context(), "select named(@a, @b, @a)", sql.Named("a", 5), sql.Named("b", "x")); err != nil {
		t.Error(err)
	}
	m.ExpectExec("simple").WithoutArgs()
	if _, err := db.ExecContext(t.Context(), "simple", driver.QueryOptions{Simple: true}); err != nil {
		t.Error(err)
	}
}

func TestErrorsOfTheServer(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert").WillReturnError(mock.PgError("23505", mock.Fields{Constraint: "item_pkey", Table: "item"}))
	_, err := db.ExecContext(t.Context(), "insert into item values (1)")
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "23505" || pg.ConstraintName != "item_pkey" || pg.TableName != "item" || pg.Message != "duplicate key value violates unique constraint" {
		t.Errorf("error = %#v", pg)
	}
	boom := errors.New("boom")
	m.ExpectQuery("select").WillReturnError(boom)
	if _, err := db.QueryContext(t.Context(), "select 1"); err != boom {
		t.Errorf("error = %v, want the very error", err)
	}
	m.ExpectQuery("select").WillReturnError(sql.ErrNoRows)
	if err := db.QueryRowContext(t.Context(), "select 1").Scan(new(int)); err != sql.ErrNoRows {
		t.Errorf("error = %v", err)
	}
	m.ExpectQuery("select").WillReturnRows(m.NewRows([]string{"n"}).AddRow(1).AddRow(2).RowError(1, mock.PgError("22012", mock.Fields{})))
	rows, err := db.QueryContext(t.Context(), "select 1/n")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if !errors.As(rows.Err(), &pg) || pg.Code != "22012" || n != 1 {
		t.Errorf("%d rows, error %v", n, rows.Err())
	}
	rows.Close()
	m.ExpectPing().WillReturnError(mock.PgError("57P01", mock.Fields{Severity: "FATAL"}))
	if err := db.PingContext(t.Context()); !errors.As(err, &pg) || pg.Code != "57P01" {
		t.Errorf("Ping = %v", err)
	}
	m.ExpectExec("select")
	if _, err := db.ExecContext(t.Context(), "select"); err != nil {
		t.Errorf("after a FATAL: %v", err)
	}
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	reported []string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reported = append(r.reported, fmt.Sprintf(format, args...))
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reported) > 0
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) end() string {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.reported, "\n")
}
