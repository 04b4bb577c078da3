package driver_test

import (
	"fmt"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// sessions are settings that change how the server writes values as text.
var sessions = []string{
	"set datestyle = 'ISO, MDY'", "set datestyle = 'German'", "set datestyle = 'SQL, DMY'", "set datestyle = 'Postgres, MDY'",
	"set bytea_output = hex", "set bytea_output = escape",
	"set timezone = 'UTC'", "set timezone = 'Asia/Kathmandu'", "set timezone = 'America/St_Johns'",
	"set intervalstyle = postgres", "set intervalstyle = iso_8601", "set intervalstyle = sql_standard", "set intervalstyle = postgres_verbose",
	"set extra_float_digits = 3", "set extra_float_digits = 1",
	"set xmloption = document", "set lc_monetary = 'C'",
}

// expressions give a value of each type whose text depends on a setting, and of some whose text does not. $1 is 1.
var expressions = []string{
	"timestamptz '2024-02-29 12:34:56.789012+03' + $1 * interval '1 hour'",
	"timestamp '2024-02-29 12:34:56.789012' + $1 * interval '1 hour'",
	"date '2024-02-28' + $1::int",
	"time '12:34:56.789012' + $1 * interval '1 hour'",
	"timetz '12:34:56.789012+05:30' + $1 * interval '1 hour'",
	"$1 * interval '1 year 2 mons -3 days 04:05:06.789'",
	`set_byte('\x00ff5c27deadbeef'::bytea, 0, $1::int)`,
	"0.1::float8 + 0.2::float8 * $1", "(1::float4 / 3) * $1::float4", "1.10::numeric * $1",
	"array[timestamptz '2024-02-29 12:00+03'] where $1 = 1", `array['\x00ff'::bytea] where $1 = 1`,
	"array[interval '1 day -01:00'] where $1 = 1", "array[0.1::float8, 1e300] where $1 = 1",
	"tstzrange('2024-01-01 00:00+03', '2024-02-01 00:00+03') where $1 = 1",
	"daterange('2024-01-01', '2024-02-01') where $1 = 1",
	"row(1, timestamptz '2024-02-29 12:00+03') where $1 = 1",
	"$1::int", "$1::int = 1", "$1::int::text || 'x'", "json_build_object('n', $1::int)", "'00000000-0000-0000-0000-000000000001'::uuid where $1 = 1",
	"'192.168.0.1/24'::inet where $1 = 1", "'(1,2)'::point where $1 = 1",
}

// show is a value with its type, as any and as string.
func show(t testing.TB, q querier, query string, args ...any) string {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), query, args...)
	if err != nil {
		return "error: " + err.Error()
	}
	defer rows.Close()
	if !rows.Next() {
		return fmt.Sprintf("no row: %v", rows.Err())
	}
	var a any
	if err := rows.Scan(&a); err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("%T %v", a, a)
}

// TestValuesDoNotDependOnTheUseCount runs each expression ten times on one connection, under settings that change before every
// use, and compares with the first use of a new connection under the same setting.
func TestValuesDoNotDependOnTheUseCount(t *testing.T) {
	t.Parallel()
	for _, compat := range []driver.Compat{driver.CompatPgx, driver.CompatPq} {
		for _, threshold := range []int{5, 0, -1} {
			t.Run(fmt.Sprintf("compat=%s threshold=%d", compat, threshold), func(t *testing.T) {
				t.Parallel()
				db := openConfig(t, func(cfg *driver.Config) { cfg.Compat, cfg.PrepareThreshold, cfg.SSLMode = compat, threshold, "disable" })
				conn, fresh := one(t, db), one(t, openConfig(t, func(cfg *driver.Config) { cfg.Compat, cfg.SSLMode = compat, "disable" }))
				for i, expression := range expressions {
					query := "select " + expression
					for use := range 10 {
						setting := sessions[(3*use+i)%len(sessions)]
						mustExec(t, conn, setting)
						mustExec(t, fresh, setting)
						got := show(t, conn, query, 1)
						// The comment makes it a statement that the connection has not met.
						want := show(t, fresh, fmt.Sprintf("%s -- %d %d", query, i, use), 1)
						if got != want {
							t.Errorf("%s, use %d, after %q: %s, the first use gives %s", expression, use+1, setting, got, want)
						}
					}
				}
			})
		}
	}
}

// TestOneTextMayMeanTwoStatements uses a text on two connections of a pool on which it is not the same statement.
func TestOneTextMayMeanTwoStatements(t *testing.T) {
	t.Parallel()
	for _, threshold := range []int{5, 0, -1} {
		db := openConfig(t, prepareAfter(threshold, 100))
		mustExec(t, db, `create schema a; create table a.item (v int, w int); insert into a.item values (1, 2);
			create schema b; create table b.item (v text, w timestamptz); insert into b.item values ('1', '2024-02-29 00:00+00')`)
		a, b := one(t, db), one(t, db)
		mustExec(t, a, "set search_path = a")
		mustExec(t, b, "set search_path = b")
		for use := range 10 {
			if got := show(t, a, "select v from item where v = $1", "1"); got != "int64 1" {
				t.Errorf("threshold %d, use %d in a: %s", threshold, use+1, got)
			}
			if got := show(t, b, "select v from item where v = $1", "1"); got != "string 1" {
				t.Errorf("threshold %d, use %d in b: %s", threshold, use+1, got)
			}
			if got := number(t, a, "select w from item"); got != 2 {
				t.Errorf("threshold %d, use %d in a: %d", threshold, use+1, got)
			}
			if got := number(t, b, "select extract(year from w)::int from item"); got != 2024 {
				t.Errorf("threshold %d, use %d in b: %d", threshold, use+1, got)
			}
		}
	}
}
