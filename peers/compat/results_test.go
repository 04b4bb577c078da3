package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/sqltest"
)

// TestMain gives the process a time zone of its own: pgx shows times with zone in time.Local.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("Process", -9000)
	os.Exit(m.Run())
}

// expressions cover every kind of result, with its limits.
var expressions = []string{
	"1::int2", "'-32768'::int2", "2147483647::int4", "9223372036854775807::int8", "'-9223372036854775808'::int8",
	"1.1::float4", "'NaN'::float4", "'-Infinity'::float4", "1e-45::float4", "1.1::float8", "'NaN'::float8", "'Infinity'::float8", "'-0'::float8",
	"true", "false", "'é'::text", "''::text", "'x'::varchar(5)", "'x'::varchar", "'x'::bpchar(3)", "'x'::\"char\"", "'n'::name", "'unknown'",
	"'\\x00ff'::bytea", "''::bytea", "'{\"a\": [1]}'::json", "'{\"a\": [1]}'::jsonb", "'null'::jsonb", "'<a/>'::xml", "'$.a'::jsonpath",
	"4294967295::oid", "'7'::xid", "'7'::cid", "'7'::xid8", "'(1,2)'::tid",
	"1.50::numeric", "'NaN'::numeric", "'Infinity'::numeric", "1e100::numeric", "7.0::numeric(10,2)", "'-123456789012345678901234567890.5'::numeric(40)",
	"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "interval '1 year 2 mons 3 days 04:05:06.7'", "interval '-1 day +00:00:01'", "'1'::interval second(2)",
	"'10.0.0.1/8'::inet", "'::1'::inet", "'10.0.0.0/8'::cidr", "'08:00:2b:01:02:03'::macaddr", "'08:00:2b:01:02:03:04:05'::macaddr8",
	"'(1,2)'::point", "'{1,2,3}'::line", "'[(1,2),(3,4)]'::lseg", "'(1,2),(3,4)'::box", "'((1,2),(3,4))'::path", "'((1,2),(3,4))'::polygon", "'<(1,2),3>'::circle",
	"int4range(1,5)", "int8range(1,5)", "numrange(1,5)", "'empty'::int4range", "tsrange('2020-01-01','2021-01-01')", "tstzrange('2020-01-01','2021-01-01')", "daterange('2020-01-01','2021-01-01')",
	"'{[1,3),[5,7)}'::int4multirange", "b'101'", "b'101'::bit(3)", "b'101'::varbit", "b'101'::varbit(5)", "12.34::money",
	"'a fat cat'::tsvector", "'fat & rat'::tsquery", "'0/16'::pg_lsn", "'pg_class'::regclass", "'int4'::regtype",
	"'red'::mood", "7::positive", "row(1,'x')", "row(1,'x')::pair", "'a=>1, b=>NULL'::hstore",
	"'{1,NULL,3}'::int4[]", "'{{1,2},{3,4}}'::int8[]", "'[0:1]={1,2}'::int4[]", "'{}'::text[]", "array['a \"b', NULL, 'c\\d', '']", "'{t,f}'::bool[]",
	"'{1.5,NaN}'::float8[]", "'{1.5}'::numeric[]", "array['2020-01-01'::date]", "array['2020-01-01'::timestamptz]", "array['\\x01'::bytea]", "array['red']::mood[]",
	"array['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid]", "array['{}'::jsonb]", "'1 2'::int2vector", "'1 2'::oidvector",
	"'2020-02-29'::date", "'0044-03-15 BC'::date", "'5874897-12-31'::date", "'infinity'::date", "'-infinity'::date",
	"'2020-01-02 03:04:05.678901'::timestamp", "'2020-01-02 03:04:05.678901'::timestamp(3)", "'4714-11-24 00:00:00 BC'::timestamp", "'294276-12-31 23:59:59.999999'::timestamp", "'infinity'::timestamp", "'-infinity'::timestamp",
	"'2020-07-02 03:04:05+05:30'::timestamptz", "'1890-01-01 00:00:00+00'::timestamptz", "'infinity'::timestamptz", "'-infinity'::timestamptz", "'0044-03-15 00:00:00+00 BC'::timestamptz",
	"'03:04:05.6'::time", "'24:00'::time", "'03:04:05+05:30'::timetz", "'24:00:00-08'::timetz", "NULL", "NULL::int4", "NULL::text", "NULL::bytea", "NULL::timestamptz", "NULL::int4[]", "NULL::uuid",
	"pg_sleep(0)", "count(*)", "sum(1::int8)", "avg(1::int4)", "now()::date is null",
}

// seen is what a program sees of one expression.
type seen struct {
	scanned, src string // by Scan(*any) and by a sql.Scanner
	meta         [5]string
}

// metaNames name the members of seen.meta.
var metaNames = [5]string{"DatabaseTypeName", "ScanType", "Length", "DecimalSize", "Nullable"}

// recorder is a sql.Scanner that keeps what it is given.
type recorder struct{ src string }

func (r *recorder) Scan(src any) error {
	r.src = describe(src)
	return nil
}

// describe is the type and value of a result, with what == does not see.
func describe(v any) string {
	switch v := v.(type) {
	case time.Time:
		name, offset := v.Zone()
		return fmt.Sprintf("time.Time %s zone %q %d in %s", v.Format("2006-01-02T15:04:05.999999999"), name, offset, v.Location())
	case float64:
		return fmt.Sprintf("float64 %v negative=%t", v, math.Signbit(v))
	case []byte:
		return fmt.Sprintf("[]byte %q nil=%t", v, v == nil)
	}
	return fmt.Sprintf("%T %v", v, v)
}

// way is how an expression is asked for, and how often.
type way struct {
	name string
	uses int
	rows func(ctx context.Context, conn *sql.Conn, expression string) (*sql.Rows, error)
}

var (
	withoutArgs = way{"without arguments", 7, func(ctx context.Context, conn *sql.Conn, expression string) (*sql.Rows, error) {
		return conn.QueryContext(ctx, "select "+expression)
	}}
	otherWays = []way{
		{"with arguments", 7, func(ctx context.Context, conn *sql.Conn, expression string) (*sql.Rows, error) {
			return conn.QueryContext(ctx, "select "+expression+", $1::int4", 1)
		}},
		{"prepared", 2, func(ctx context.Context, conn *sql.Conn, expression string) (*sql.Rows, error) {
			stmt, err := conn.PrepareContext(ctx, "select "+expression+" -- prepared")
			if err != nil {
				return nil, err
			}
			defer stmt.Close() // database/sql waits for the rows
			return stmt.QueryContext(ctx)
		}},
		{"second of several statements", 1, func(ctx context.Context, conn *sql.Conn, expression string) (*sql.Rows, error) {
			rows, err := conn.QueryContext(ctx, "select 'first'; select "+expression)
			if err == nil && !rows.NextResultSet() {
				err = errors.Join(errors.New("no second result set"), rows.Err(), rows.Close())
			}
			return rows, err
		}},
	}
)

// look asks for an expression and describes its result.
func (w way) look(ctx context.Context, conn *sql.Conn, expression string) (seen, error) {
	rows, err := w.rows(ctx, conn, expression)
	if err != nil {
		return seen{}, err
	}
	defer rows.Close()
	var s seen
	types, err := rows.ColumnTypes()
	if err != nil {
		return s, err
	}
	s.meta = metaOf(types[0])
	if !rows.Next() {
		return s, fmt.Errorf("no row: %w", rows.Err())
	}
	dests, recorders := make([]any, len(types)), make([]any, len(types))
	values, records := make([]any, len(types)), make([]recorder, len(types))
	for i := range types {
		dests[i], recorders[i] = &values[i], &records[i]
	}
	if err := errors.Join(rows.Scan(dests...), rows.Scan(recorders...)); err != nil {
		return s, err
	}
	s.scanned, s.src = describe(values[0]), records[0].src
	return s, rows.Close()
}

var digits = regexp.MustCompile(`^\d+$`)

func metaOf(t *sql.ColumnType) [5]string {
	optional := func(ok bool, values ...any) string {
		if !ok {
			return "none"
		}
		return strings.TrimSpace(fmt.Sprintln(values...))
	}
	length, hasLength := t.Length()
	precision, scale, hasDecimal := t.DecimalSize()
	nullable, hasNullable := t.Nullable()
	return [5]string{
		digits.ReplaceAllString(t.DatabaseTypeName(), "digits"), fmt.Sprint(t.ScanType()),
		optional(hasLength, length), optional(hasDecimal, precision, scale), optional(hasNullable, nullable),
	}
}

// compared are the pairs of a setting of this driver and the peer that it follows.
var compared = []struct{ compat, peer string }{{"pgx", pgx}, {"pq", pq}}

func TestResultsAreThoseOfThePeer(t *testing.T) {
	parallel(t)
	if len(expressions) < 71 {
		t.Errorf("%d expressions, want 71 at least", len(expressions))
	}
	dsn := dsnOf(t, sqltest.Options{})
	mustExec(t, open(t, ours, dsn), append(schema, "create type pair as (n int4, s text)")...)
	var found []metaEntry
	for _, pair := range compared {
		mine := session(t, ours, dsn, "timezone", "Asia/Kolkata", "compat", pair.compat)
		withoutScanner := session(t, ours, dsn, "timezone", "Asia/Kolkata", "compat", pair.compat, "column_scanner", "off", "prepare_threshold", "0")
		theirs := session(t, pair.peer, dsn, "timezone", "Asia/Kolkata")
		for _, expression := range expressions {
			want, err := withoutArgs.look(t.Context(), theirs, expression)
			if err != nil {
				t.Errorf("%s with %s: %v", expression, pair.peer, err)
				continue
			}
			for _, w := range append(otherWays, withoutArgs) {
				for _, conn := range []*sql.Conn{mine, withoutScanner} {
					found = append(found, compare(t, w, conn, expression, pair.compat, want)...)
				}
			}
		}
	}
	checkMeta(t, found)
}

// compare asks this driver for an expression as often as the way says, and returns the differences of the metadata.
func compare(t *testing.T, w way, conn *sql.Conn, expression, compat string, want seen) (found []metaEntry) {
	t.Helper()
	for n := range w.uses {
		got, err := w.look(t.Context(), conn, expression)
		if err != nil {
			t.Errorf("compat=%s: %s %s, use %d: %v", compat, expression, w.name, n+1, err)
			return nil
		}
		if got.scanned != want.scanned {
			t.Errorf("compat=%s: %s %s, use %d: Scan(*any) gives %s, want %s", compat, expression, w.name, n+1, got.scanned, want.scanned)
		}
		if got.src != want.src {
			t.Errorf("compat=%s: %s %s, use %d: a Scanner gets %s, want %s", compat, expression, w.name, n+1, got.src, want.src)
		}
		for i, name := range metaNames {
			e := metaEntry{expression, compat, name, got.meta[i], want.meta[i], ""}
			e.why = explainMeta(e)
			if e.ours != e.peer {
				found = append(found, e)
			}
		}
	}
	return found
}
