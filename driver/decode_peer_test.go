package driver

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// expressions hold every built-in kind of value, with its limits.
var expressions = []string{
	"1::int2", "'-32768'::int2", "2147483647::int4", "'-9223372036854775808'::int8", "9223372036854775807::int8", "1.1::float4", "'NaN'::float4", "'-Infinity'::float4", "3.4028235e38::float4",
	"1e-45::float4", "1.1::float8", "'NaN'::float8", "'Infinity'::float8", "'-0'::float8", "5e-324::float8", "true", "false",
	"'é'::text", "''::text", "'x'::varchar(5)", "'x'::bpchar(3)", "'x'::\"char\"", "''::\"char\"", "'n'::name", "repeat('long', 100)",
	"'\\x00ff'::bytea", "''::bytea", "E'a\\\\\\\\b'::bytea", "'{\"a\": [1]}'::json", "'{\"a\": [1]}'::jsonb", "'null'::jsonb", "'<a/>'::xml", "'$.a'::jsonpath",
	"1::oid", "4294967295::oid", "'7'::xid", "'7'::cid", "'7'::xid8", "'(1,2)'::tid",
	"1.50::numeric", "'NaN'::numeric", "'Infinity'::numeric", "1e100::numeric", "0.000001::numeric", "7.0::numeric(10,2)", "-123456789012345678901234567890.5",
	"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "interval '1 year 2 mons 3 days 04:05:06.7'", "interval '-1 day +00:00:01'",
	"'10.0.0.1/8'::inet", "'::1'::inet", "'10.0.0.0/8'::cidr", "'08:00:2b:01:02:03'::macaddr", "'08:00:2b:01:02:03:04:05'::macaddr8",
	"'(1,2)'::point", "'{1,2,3}'::line", "'[(1,2),(3,4)]'::lseg", "'(1,2),(3,4)'::box", "'((1,2),(3,4))'::path", "'((1,2),(3,4))'::polygon", "'<(1,2),3>'::circle",
	"int4range(1,5)", "numrange(1,5)", "'empty'::int4range", "tsrange('2020-01-01','2021-01-01')", "'{[1,3),[5,7)}'::int4multirange",
	"b'101'", "b'101'::varbit", "12.34::money", "'a fat cat'::tsvector", "'fat & rat'::tsquery", "'0/16'::pg_lsn",
	"'pg_class'::regclass", "'int4'::regtype", "'now'::regproc", "'ok'::pg_temp.mood", "row(1,'x')", "row(1,'x')::pg_temp.pair", "'a=>1, b=>NULL'::hstore",
	"'{1,NULL,3}'::int4[]", "'{{1,2},{3,4}}'::int8[]", "'[0:1]={1,2}'::int4[]", "'{}'::text[]", "array['a \"b', NULL, 'c\\d', '']", "'{t,f}'::bool[]",
	"'{1.5,NaN}'::float8[]", "array['2020-01-01'::date]", "array['\\x01'::bytea]", "array['ok']::pg_temp.mood[]", "'1 2'::int2vector", "'1 2'::oidvector",
	"'2020-02-29'::date", "'0044-03-15 BC'::date", "'5874897-12-31'::date", "'infinity'::date", "'-infinity'::date",
	"'2020-01-02 03:04:05.678901'::timestamp", "'4714-11-24 00:00:00 BC'::timestamp", "'294276-12-31 23:59:59.999999'::timestamp", "'infinity'::timestamp", "'-infinity'::timestamp",
	"'0001-01-01 00:00:00 BC'::timestamp", "'1999-12-31 23:59:59.999999'::timestamp",
	"'2020-07-02 03:04:05+05:30'::timestamptz", "'1890-01-01 00:00:00+00'::timestamptz", "'infinity'::timestamptz", "'0044-03-15 00:00:00+00 BC'::timestamptz",
	"'03:04:05.6'::time", "'24:00'::time", "'03:04:05+05:30'::timetz", "'24:00:00-08'::timetz", "NULL", "NULL::int4", "pg_sleep(0)", "current_setting('port')", "count(*)",
}

// needsSession marks what pgx/stdlib's other connection does not know.
func needsSession(expression string) bool {
	for _, part := range []string{"pg_temp", "hstore"} {
		if strings.Contains(expression, part) {
			return true
		}
	}
	return false
}

func TestScannedValuesAreThoseOfPgxStdlib(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	db, err := sql.Open("pgx", TestServerDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := pgxCodecs()
	for _, expression := range expressions {
		var want any
		if needsSession(expression) {
			want = string(server.mustQuery(expression, textFormat).raw)
		} else if err := db.QueryRow("select " + expression).Scan(&want); err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		for _, format := range []int16{textFormat, c.resultFormat(server.mustQuery(expression, textFormat).oid)} {
			got, err := decode(c, server.mustQuery(expression, format))
			if err != nil || !sameValue(got, want) {
				t.Errorf("%s in format %d = %#v (%v), want %#v", expression, format, got, err, want)
			}
		}
	}
}

func TestTextAndBinaryGiveTheSameValue(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	server.exec("set local timezone to 'Asia/Kolkata'")
	for _, c := range []*codecs{pgxCodecs(), pqCodecs(), newCodecs(pgxCodecs().types, CompatPgx, InfinityClamp, nil)} {
		for _, expression := range expressions {
			col := server.mustQuery(expression, textFormat)
			format := c.resultFormat(col.oid)
			if format == textFormat || col.raw == nil {
				continue
			}
			text, err := decode(c, col)
			if err != nil {
				t.Errorf("%s in text: %v", expression, err)
			}
			binary, err := decode(c, server.mustQuery(expression, format))
			if err != nil || !sameValue(text, binary) {
				t.Errorf("compat=%s infinity=%s: %s = %#v in text, %#v in binary (%v)", c.compat, c.infinity, expression, text, binary, err)
			}
		}
	}
}
