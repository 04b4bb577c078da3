package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

type point struct{ x, y float64 }

func (p point) Value() (sqldriver.Value, error) { return fmt.Sprintf("(%v, %v)", p.x, p.y), nil }

type mood string

func TestLiterals(t *testing.T) {
	t.Parallel()
	negative := -7
	for _, tt := range []struct {
		v    any
		want string
	}{
		{nil, "NULL"},
		{(*int)(nil), "NULL"},
		{[]byte(nil), "NULL"},
		{true, "true"},
		{42, "42"},
		{&negative, "-7"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{1.5, "1.5"},
		{3.0, "3.0"},
		{float32(0.1), "0.1"},
		{1e300, "1e+300"},
		{math.NaN(), "'NaN'::float8"},
		{math.Inf(-1), "'-Infinity'::float8"},
		{big.NewInt(5), "5"},
		{"it's", "'it''s'"},
		{`C:\it's`, ` E'C:\\it''s'`},
		{mood("sad"), "'sad'"},
		{[]byte{0, 255}, ` E'\\x00ff'::bytea`},
		{[][]byte{{0, 255}, nil}, ` E'{"\\\\x00ff",NULL}'`},
		{time.Date(2024, 2, 29, 12, 0, 0, 5000, time.UTC), "'2024-02-29 12:00:00.000005+00:00'::timestamptz"},
		{90 * time.Second, "'00:01:30'::interval"},
		{netip.MustParseAddr("::1"), "'::1'"},
		{[]int{1, -2}, "'{1,-2}'"},
		{[]string{"a", `b"\`}, ` E'{"a","b\\"\\\\"}'`},
		{struct {
			A int `json:"a"`
		}{1}, `'{"a":1}'`},
		{sql.Null[int]{V: 3, Valid: true}, "3"},
	} {
		got, err := driver.Literal(tt.v)
		if err != nil || got != tt.want {
			t.Errorf("%T %v: %s, %v, want %s", tt.v, tt.v, got, err, tt.want)
		}
	}
	for _, bad := range []any{make(chan int), "a\x00b", "\xff"} {
		if got, err := driver.Literal(bad); err == nil {
			t.Errorf("%T: %s, want an error", bad, got)
		}
	}
}

func TestInterpolate(t *testing.T) {
	t.Parallel()
	format := driver.PlaceholderFormat
	for _, tt := range []struct {
		placeholder driver.Placeholder
		sql         string
		args        []any
		want, err   string
	}{
		{"", "insert into t values ($1, $2, $3)", []any{10, 20, 30}, "insert into t values (10, 20, 30)", ""},
		{format, "INSERT INTO atable (apoint) VALUES (%s);", []any{point{1.23, 4.56}}, "INSERT INTO atable (apoint) VALUES ('(1.23, 4.56)');", ""},
		{"", "select $2, $1, $2", []any{"a", nil}, "select NULL, 'a', NULL", ""},
		{"", "select 1 -$1, -$1::text", []any{-5}, "select 1 -(-5), -(-5)::text", ""},
		{"", `select '$1', "$1", $$ $1 $$, /* $1 */ $1 -- $1`, []any{1}, `select '$1', "$1", $$ $1 $$, /* $1 */ 1 -- $1`, ""},
		{"", `select E'\'$1', $1`, []any{1}, `select E'\'$1', 1`, ""},
		{"", `select 'C:\', $1`, []any{1}, "", "standard_conforming_strings"},
		{"", `select 'C:\x', $1`, []any{1}, `select 'C:\x', 1`, ""},
		{"", "select 'a'$1'b'$1", []any{"c"}, "select 'a' 'c' 'b' 'c'", ""},
		{"", "select u&$1", []any{"x"}, "select u& 'x'", ""},
		{"", "select @a, @b", []any{sql.Named("b", 1), sql.Named("a", "x")}, "select 'x', 1", ""},
		{"", "select $1", nil, "", "1 placeholders, but 0 arguments"},
		{"", "select 1", []any{1}, "", "0 placeholders, but 1 arguments"},
		{"", "select $0, $1", []any{1}, "", "$0"},
		{"", "select $1", []any{make(chan int)}, "", "argument $1"},
		{"", "select \x00", nil, "", "NUL"},
		{format, "select 100%", nil, "select 100%", ""},
		{format, "select %(a)s %% %(b)s", []any{map[string]any{"a": 7, "b": 2}}, "select 7 % 2", ""},
		{format, "select %s, %d", []any{1, 2}, "", "byte 11"},
		{format, "select '%s'", []any{1}, "", "0 placeholders, but 1 arguments"},
	} {
		got, err := driver.Interpolate(tt.placeholder, tt.sql, tt.args...)
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error = %v, want %q in it", tt.sql, err, tt.err)
			}
		case err != nil || got != tt.want:
			t.Errorf("%s: got %s, %v, want %s", tt.sql, got, err, tt.want)
		}
	}
}

// FuzzQuoteLiteral has the server read literals under both settings of standard_conforming_strings.
func FuzzQuoteLiteral(f *testing.F) {
	db := sqltest.DB(f, sqltest.Options{})
	var conns []*sql.Conn
	for _, setting := range []string{"on", "off"} {
		conn := one(f, db)
		mustExec(f, conn, "set standard_conforming_strings = "+setting+"; set escape_string_warning = off")
		conns = append(conns, conn)
	}
	for _, seed := range []string{"", "'", `\`, `\'`, `''\\`, "é\n\t", `E'\x41'`, "$1", "--", "\x01\u2028", `\u0041`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		literal, err := driver.Literal(text)
		if err != nil {
			t.Skip(err) // it cannot be a value
		}
		if bytea, _ := driver.Literal([]byte(text)); literal != driver.QuoteLiteral(text) || bytea == "" {
			t.Errorf("%q: Literal is %s, QuoteLiteral %s", text, literal, driver.QuoteLiteral(text))
		}
		for i, conn := range conns {
			if got := word(t, conn, "select "+literal); got != text {
				t.Errorf("%q came back as %q on connection %d", text, got, i)
			}
			var b []byte
			bytea, _ := driver.Literal([]byte(text))
			if err := conn.QueryRowContext(context.Background(), "select "+bytea).Scan(&b); err != nil || string(b) != text {
				t.Errorf("%q as bytea came back as %q, %v", text, b, err)
			}
		}
	})
}

// FuzzInterpolate has the server run a statement with its argument bound, and in its text.
func FuzzInterpolate(f *testing.F) {
	db := sqltest.DB(f, sqltest.Options{})
	conn := one(f, db)
	mustExec(f, conn, "set default_transaction_read_only = on; set statement_timeout = '10s'")
	for _, seed := range []string{
		"select $1::text", "select 'a$1' || $1", "select $1||$1", `select E'\'$1'||$1`, "select /* $1 */ $1 -- $1", "select $$$1$$||$1",
		`select $1 as "$1"`, "select u&'x'||$1", "select 'a'\n'b' || $1", "select length($1)-length($1)::int8", "select $a$ $1 $a$, $1",
	} {
		f.Add(seed, `it's \`)
	}
	f.Fuzz(func(t *testing.T, query, arg string) {
		text, err := driver.Interpolate(driver.PlaceholderNative, query, arg)
		if err != nil {
			return
		}
		bound, berr := firstText(conn, query, arg)
		inline, ierr := firstText(conn, text)
		if berr == nil && (ierr != nil || bound != inline) {
			t.Errorf("%s with %q is %q, but %s is %q, %v", query, arg, bound, text, inline, ierr)
		}
	})
}

// firstText is the first row of a query as text.
func firstText(q querier, query string, args ...any) (string, error) {
	rows, err := q.QueryContext(context.Background(), query, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	values := make([]sql.NullString, len(columns))
	dests := make([]any, len(columns))
	for i := range values {
		dests[i] = &values[i]
	}
	if rows.Next() {
		if err := rows.Scan(dests...); err != nil {
			return "", err
		}
	}
	return fmt.Sprint(values), rows.Close()
}
