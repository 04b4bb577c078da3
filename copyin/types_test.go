package copyin_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/ext"
)

// odd are texts that formats may trip over.
var odd = []string{"", " ", `\N`, `\.`, "\t", "\n", "\r\n", `"`, `""`, `'`, `\`, `\\n`, ",", "a,b", "NULL", "null", "é☃😀", "\u0001\u007f", "x\ty\nz"}

// typeValues are values of the server's base types, as text.
var typeValues = map[string][]string{
	"aclitem": {"postgres=r/postgres"}, "bit": {"1"}, "bool": {"t", "f"}, "box": {"(2,2),(1,1)"}, "bpchar": odd, "bytea": {"", `\x00ff5c`, "abc"},
	"char": {"a", ""}, "cid": {"7"}, "cidr": {"10.0.0.0/8", "::/0"}, "circle": {"<(1,2),3>"}, "date": {"2024-02-29", "infinity", "-infinity", "0044-03-15 BC"},
	"datemultirange": {"{[2024-01-01,2024-02-01)}", "{}"}, "daterange": {"[2024-01-01,2024-02-01)", "empty"},
	"float4": {"1.5", "NaN", "-Infinity", "3.4e38", "-0"}, "float8": {"0.1", "NaN", "Infinity", "1e-300", "-0"}, "inet": {"10.0.0.1", "10.0.0.1/8", "::1"},
	"int2": {"-32768", "32767"}, "int4": {"-2147483648", "0"}, "int8": {"-9223372036854775808", "9223372036854775807"},
	"int4range": {"[1,5)", "empty", "(,)"}, "int8range": {"[1,5)"}, "int4multirange": {"{[1,2),[4,6)}"}, "int8multirange": {"{}"},
	"interval": {"1 year 2 mons 3 days 04:05:06.7", "-1 day"}, "json": {`{"a": 1}`, `"\n"`, "null"}, "jsonb": {`{"a": [1, null]}`, `"\\"`}, "jsonpath": {`$."a"`},
	"line": {"{1,2,3}"}, "lseg": {"[(1,2),(3,4)]"}, "macaddr": {"08:00:2b:01:02:03"}, "macaddr8": {"08:00:2b:01:02:03:04:05"}, "money": {"$1.50"}, "name": {"Name", ""},
	"numeric":       {"0", "0.00", "-1.50", "NaN", "Infinity", "-Infinity", "12345678901234567890.0123456789", "1e10", "1E-8", "10000", "0.0001", "100000000.5"},
	"nummultirange": {"{[1.5,2.5)}"}, "numrange": {"[1.5,2.5)"}, "oid": {"4294967295"}, "path": {"((1,2),(3,4))"}, "pg_lsn": {"16/B374D848"}, "pg_snapshot": {"10:20:10,14"},
	"point": {"(1,2)"}, "polygon": {"((1,2),(3,4),(5,6))"}, "refcursor": odd, "regclass": {"pg_class"}, "regcollation": {`"C"`}, "regconfig": {"simple"},
	"regdictionary": {"simple"}, "regnamespace": {"public"}, "regoper": {"!!"}, "regoperator": {"+(integer,integer)"}, "regproc": {"now"}, "regprocedure": {"now()"}, "regrole": {"postgres"},
	"regtype": {"integer"}, "text": odd, "tid": {"(1,2)"}, "time": {"24:00:00", "01:02:03.456789"}, "timestamp": {"2024-05-06 07:08:09.123456", "infinity", "0001-01-01 00:00:00 BC"},
	"timestamptz": {"2024-05-06 07:08:09.123456+02", "-infinity"}, "timetz": {"01:02:03+02"}, "tsmultirange": {"{}"}, "tsquery": {"'a' & 'b'"}, "tsrange": {"[2024-01-01,2024-01-02)"},
	"tstzmultirange": {"{}"}, "tstzrange": {"empty"}, "tsvector": {"'a':1 'b'"}, "txid_snapshot": {"10:20:10"}, "uuid": {"00010203-0405-0607-0809-0a0b0c0d0e0f", "{00010203-0405-0607-0809-0A0B0C0D0E0F}"},
	"varbit": {"10101", ""}, "varchar": odd, "xid": {"7"}, "xid8": {"18446744073709551615"}, "xml": {"<a>é</a>"},
	"mood": {"ok", "it's, \"so\""}, "positive": {"7"}, "pair": {"(1,x)", `(,"a ""b""\\")`}, "label": odd,
}

// noInput are types whose values nobody can write.
const noInput = "gtsvector pg_brin_bloom_summary pg_brin_minmax_multi_summary pg_dependencies pg_mcv_list pg_ndistinct pg_node_tree"

func TestEveryTypeSurvives(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create type mood as enum ('sad', 'ok', 'it''s, "so"'); create domain positive as int check (value > 0); create domain label as text; create type pair as (a int, b text)`)
	types, err := ext.Query[string](t.Context(), db, `
		select typname::text from pg_catalog.pg_type where typisdefined and typcategory <> 'A' and
			(typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') or typname in ('mood', 'positive', 'pair', 'label'))`)
	if err != nil || len(types) < 70 {
		t.Fatal(types, err)
	}
	conn := one(t, db)
	for _, typ := range types {
		if strings.Contains(noInput, typ) {
			continue
		}
		values := typeValues[typ]
		if values == nil {
			t.Errorf("no values of type %s", typ)
			continue
		}
		quoted := ext.QuoteName(typ)
		if typ == "bit" {
			quoted = `pg_catalog."bit"(1)`
		}
		mustExec(t, conn, `drop table if exists expected, v; create table expected (n int, v `+quoted+`, a `+quoted+`[]); create table v (like expected)`)
		var rows [][]any
		for i, v := range append(values, "NULL") {
			row := []any{i, v, []any{v, nil}}
			if i == len(values) {
				row = []any{i, nil, nil}
			}
			rows = append(rows, row)
			mustExec(t, conn, `insert into expected /* `+typ+` */ values ($1, $2, $3)`, row...)
		}
		arrays := [][]any{}
		for _, row := range rows { // as text: not every driver's element has a form of its own
			arrays = append(arrays, []any{row[0], row[1], nullable(word(t, conn, "select a::text from expected where n = $1", row[0]))})
		}
		for _, format := range []copyin.Format{copyin.Auto, copyin.Text, copyin.Binary} {
			mustExec(t, conn, "truncate v")
			n, err := copyin.Rows(t.Context(), conn, "v", arrays, copyin.Options{Format: format})
			var row *copyin.RowError
			if format == copyin.Binary && (errors.As(err, &row) || sqlState(err) == "42883") {
				continue // refused by name; what is accepted must be right
			}
			if err != nil || n != int64(len(rows)) {
				t.Errorf("%s, %s: %d, %v", typ, format, n, err)
				continue
			}
			same(t, conn, fmt.Sprintf("%s, %s", typ, format))
		}
		for _, format := range []string{"text", "csv", "binary"} {
			if format == "binary" && typ == "aclitem" { // it has none before version 16
				continue
			}
			mustExec(t, conn, "truncate v")
			to := one(t, db)
			if n, err := copyout.Pipe(t.Context(), conn, "copy expected to stdout (format "+format+")", to, "copy v from stdin (format "+format+")"); err != nil || n != int64(len(rows)) {
				t.Errorf("%s, pipe in %s: %d, %v", typ, format, n, err)
				continue
			}
			to.Close()
			same(t, conn, fmt.Sprintf("%s, pipe in %s", typ, format))
		}
		agreeWithQuery(t, conn, typ)
	}
}

func nullable(s string) any {
	if s == "NULL" {
		return nil
	}
	return s
}

// same compares what was copied with what statements have stored.
func same(t *testing.T, q ext.Querier, what string) {
	t.Helper()
	const rows = "coalesce(string_agg(n || ' ' || coalesce(v::text, 'NULL') || ' ' || coalesce(a::text, 'NULL'), '|' order by n), '')"
	got, want := word(t, q, "select "+rows+" from v"), word(t, q, "select "+rows+" from expected")
	if got != want {
		t.Errorf("%s: stored %q, want %q", what, got, want)
	}
}

// agreeWithQuery compares the values that copyout reads with those of a query.
func agreeWithQuery(t *testing.T, conn *sql.Conn, typ string) {
	t.Helper()
	const query = "select v, a from expected order by n"
	want, err := ext.Query[[]any](t.Context(), conn, query)
	if err != nil {
		t.Errorf("%s: query: %v", typ, err)
		return
	}
	var got [][]any
	for row, err := range copyout.Rows[[]any](t.Context(), conn, copyout.Query(query)) {
		if err != nil {
			t.Errorf("%s: rows: %v", typ, err)
			return
		}
		got = append(got, row)
	}
	if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
		t.Errorf("%s: copyout.Rows: %s, want %s", typ, g, w)
	}
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create schema "order"; create table "order"."Odd.name" ("Select" int, "a""b, c" text, "x:y" int)`)
	columns := []string{`a"b, c`, "Select", "x:y"}
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		n, err := copyin.Rows(t.Context(), q, `order."Odd.name"`, [][]any{{"x", 1, 2}, {nil, nil, nil}}, copyin.Options{Columns: columns})
		if err != nil || n != 2 {
			t.Fatal(n, err)
		}
		n, err = copyin.CSV(t.Context(), q, `order."Odd.name"`, strings.NewReader("Select,\"a\"\"b, c\"\n3,y\n"), copyin.CSVOptions{})
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if got := word(t, q, `select string_agg(o::text, '') from "order"."Odd.name" o`); got != `(1,x,2)(,,)(3,y,)` {
			t.Error(got)
		}
		mustExec(t, q, `truncate "order"."Odd.name"`)
	})
	_, err := copyin.Rows(t.Context(), db, `order."Odd.name"`, [][]any{{"a", 1, "z"}}, copyin.Options{Columns: columns, Format: copyin.Text})
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 1 || row.Column != "x:y" || row.Value != "z" {
		t.Errorf("error = %#v", err)
	}
	for _, name := range []string{"Odd.name.x.y", `"open`, "", "a..b"} {
		if _, err := copyin.Rows(t.Context(), db, name, [][]any{{1}}, copyin.Options{}); err == nil || sqlState(err) != "" {
			t.Errorf("table %q: %v", name, err)
		}
	}
	mustExec(t, db, "create table users ()")
	if _, err := copyin.Rows(t.Context(), db, "Users", [][]any{{1}}, copyin.Options{}); sqlState(err) != "42P01" || !strings.Contains(err.Error(), `"users"`) {
		t.Errorf("folded name: %v", err)
	}
	if n, err := copyin.Rows(t.Context(), db, "users", [][]any{{}, {}}, copyin.Options{}); n != 2 || err != nil {
		t.Errorf("rows without columns: %d, %v", n, err)
	}
}
