package mock_test

import (
	"database/sql"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
	"github.com/pycopg/pycopg/sqltest/mock"
)

// The values of a mock are those that a real server gives back for them.
func TestRowsAreThoseOfAServer(t *testing.T) {
	t.Parallel()
	real := sqltest.DB(t, sqltest.Options{})
	at := time.Date(2026, 11, 25, 12, 30, 0, 123456000, time.UTC)
	for _, tt := range []struct {
		typ    string
		values []any
	}{
		{"int4", []any{5, "-7", nil}},
		{"int8", []any{int64(1) << 40}},
		{"bool", []any{true, false}},
		{"float8", []any{1.5, 1e300}},
		{"numeric", []any{"12.50", 3}},
		{"text", []any{"a", ""}},
		{"bytea", []any{[]byte{0, 1, 255}}},
		{"uuid", []any{"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}},
		{"json", []any{`{"a":1}`}},
		{"jsonb", []any{map[string]any{"long": []any{1, "x<y", nil}, "b": true}, `{"b":1.50,"a":2}`, "[]", "{}"}},
		{"date", []any{at}},
		{"timestamp", []any{at}},
		{"timestamptz", []any{at}},
		{"time", []any{"12:30:00"}},
		{"interval", []any{90 * time.Minute, "1 day"}},
		{"text[]", []any{[]string{"a", "b c", "", "NULL", `q"\`, "x,y"}, []string{}}},
		{"int4[]", []any{[]int{1, 2, 3}}},
		{"bool[]", []any{[]bool{true, false}}},
		{"int4range", []any{"[1,5)", "empty"}},
		{"inet", []any{"192.168.0.1/24"}},
	} {
		for i, v := range tt.values {
			for _, prepare := range []bool{false, true} {
				want := readOne(t, real, fmt.Sprintf("select $1::%s as v", tt.typ), driver.QueryOptions{Prepare: &prepare}, v)
				db, m := mock.New(t)
				m.ExpectQuery("select").WithTypes(tt.typ).WillReturnRows(m.Columns(mock.Col("v", tt.typ)).AddRow(v))
				got := readOne(t, db, "select $1 as v", driver.QueryOptions{Prepare: &prepare}, v)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s value %d (prepared %t): %T %v, the server gives %T %v", tt.typ, i, prepare, got, got, want, want)
				}
			}
		}
	}
}

// readOne returns the single value of a query, in UTC where it is a time.
func readOne(t *testing.T, db *sql.DB, query string, args ...any) any {
	t.Helper()
	var v any
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	if at, ok := v.(time.Time); ok {
		return at.UTC()
	}
	return v
}
