package ext_test

import (
	"cmp"
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pycopg/pycopg/ext"
)

// storable reports whether PostgreSQL's text can hold all of the strings.
func storable(texts ...string) bool {
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			return false
		}
	}
	return true
}

var fuzzTexts = []string{"", "a", `"`, `\`, "a,b", "(x)", "{y}", "null", "NULL", " ", " x ", "ä\n", `\"`, `""`, "[", "empty", "=>", "'"}

func addTexts(f *testing.F) {
	for i, a := range fuzzTexts {
		f.Add(a, fuzzTexts[len(fuzzTexts)-1-i])
	}
}

// FuzzArrayAgainstTheServer reads arrays that the server writes, and has it read those that are written here.
func FuzzArrayAgainstTheServer(f *testing.F) {
	db := openDB(f)
	addTexts(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !storable(a, b) {
			return
		}
		want := []*string{&a, nil, &b}
		var written string
		got := ext.ArrayValue[*string]{}
		err := db.QueryRowContext(t.Context(), "select array[$1::text, null, $2]::text, array[array[$1::text, null], array[null, $2]]", a, b).Scan(&written, &got)
		var read []*string
		if rerr := ext.Array(&read).Scan(written); err != nil || rerr != nil || !reflect.DeepEqual(read, want) || len(got.Dims) != 2 || *got.Elements[0] != a || *got.Elements[3] != b {
			t.Fatalf("%q, %q: the server wrote %q: %v, %v, %v", a, b, written, read, err, rerr)
		}
		var first, second, third sql.NullString
		err = db.QueryRowContext(t.Context(), "select ($1::text[])[1], ($1::text[])[2], ($1::text[])[3]", ext.Array(&want)).Scan(&first, &second, &third)
		if err != nil || first.String != a || !first.Valid || second.Valid || third.String != b || !third.Valid {
			t.Fatalf("%q, %q: the server read %v, %v, %v: %v", a, b, first, second, third, err)
		}
		again := ext.ArrayValue[*string]{}
		if err := db.QueryRowContext(t.Context(), "select $1::text[]", got).Scan(&again); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q, %q: %v, %v", a, b, again, err)
		}
	})
}

// FuzzCompositeAgainstTheServer does so with composites, by name and by position.
func FuzzCompositeAgainstTheServer(f *testing.F) {
	db := openDB(f)
	mustExec(f, db, "create type duo as (a text, b text, n int); create type outside as (d duo, ds duo[])")
	type duo struct {
		A, B *string
		N    int
	}
	type outside struct {
		D  duo
		Ds []*duo
	}
	addTexts(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !storable(a, b) {
			return
		}
		want := outside{duo{&a, nil, len(a)}, []*duo{{nil, &b, 1}, nil}}
		got, err := ext.QueryVal[outside](t.Context(), db, "select row(row($1, null, $3)::duo, array[row(null, $2, 1)::duo, null])::outside", a, b, len(a))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q, %q: read %+v, %v", a, b, got, err)
		}
		var first, second string
		err = db.QueryRowContext(t.Context(), "select (($1::outside).d).a, (($1::outside).ds)[1].b", want).Scan(&first, &second)
		if err != nil || first != a || second != b {
			t.Fatalf("%q, %q: the server read %q, %q: %v", a, b, first, second, err)
		}
		var positional duo
		err = db.QueryRowContext(t.Context(), "select row($1::text, null::text, $2::int)", a, len(a)).Scan(ext.Composite(&positional))
		if err != nil || *positional.A != a || positional.B != nil || positional.N != len(a) {
			t.Fatalf("%q: by position: %+v, %v", a, positional, err)
		}
	})
}

// FuzzRangeAgainstTheServer does so with ranges of text, whose bounds may be anything.
func FuzzRangeAgainstTheServer(f *testing.F) {
	db := openDB(f)
	mustExec(f, db, `create type words as range (subtype = text, collation = "C")`)
	addTexts(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !storable(a, b) {
			return
		}
		if cmp.Compare(a, b) > 0 {
			a, b = b, a
		}
		for _, want := range []ext.Range[string]{ext.NewRange(a, b, "[]"), {Lower: a, LowerInc: true, UpperInf: true}, {LowerInf: true, Upper: b}} {
			var lower, upper sql.NullString
			var got ext.Range[string]
			err := db.QueryRowContext(t.Context(), "select lower(r), upper(r), words(lower(r), upper(r), (case when lower_inc(r) then '[' else '(' end) || case when upper_inc(r) then ']' else ')' end) from (select $1::words as r) as q", want).Scan(&lower, &upper, &got)
			if err != nil || lower.String != want.Lower || lower.Valid == want.LowerInf || upper.String != want.Upper || upper.Valid == want.UpperInf || got != want {
				t.Fatalf("%q, %q: the server read %v, %v, and wrote %v: %v", a, b, lower, upper, got, err)
			}
		}
	})
}

// FuzzHstoreAgainstTheServer does so with hstores.
func FuzzHstoreAgainstTheServer(f *testing.F) {
	db := openDB(f)
	mustExec(f, db, "create extension hstore")
	addTexts(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !storable(a, b) {
			return
		}
		want := ext.Hstore{a: {V: b, Valid: true}, a + "n": {}, "v" + b: {V: a, Valid: true}}
		var got ext.Hstore
		err := db.QueryRowContext(t.Context(), "select hstore(array[$1, $1 || 'n', 'v' || $2], array[$2::text, null, $1])", a, b).Scan(&got)
		if len(want) == 3 && (err != nil || !reflect.DeepEqual(got, want)) {
			t.Fatalf("%q, %q: read %v, %v", a, b, got, err)
		}
		var again ext.Hstore
		var value sql.NullString
		err = db.QueryRowContext(t.Context(), "select $1::hstore, $1::hstore -> $2::text", want, a).Scan(&again, &value)
		if err != nil || !reflect.DeepEqual(again, want) || value != sql.NullString(sql.NullString{String: want[a].V, Valid: want[a].Valid}) {
			t.Fatalf("%q, %q: the server read %v, %v: %v", a, b, again, value, err)
		}
	})
}

// FuzzIntervalAgainstTheServer does so with intervals, in all styles.
func FuzzIntervalAgainstTheServer(f *testing.F) {
	db := openDB(f)
	db.SetMaxOpenConns(1)
	for _, i := range []ext.Interval{{}, {Months: 14, Days: -3, Micros: 1}, {Months: -13, Days: 1, Micros: -3661000001}, {Micros: 1<<62 + 1}, {Days: -1 << 31, Micros: -1}, {Months: 1<<31 - 1}} {
		f.Add(i.Months, i.Days, i.Micros)
	}
	f.Fuzz(func(t *testing.T, months, days int32, micros int64) {
		want := ext.Interval{Months: months, Days: days, Micros: micros}
		if _, err := want.Value(); err != nil || want == ext.InfiniteInterval || want == ext.NegInfiniteInterval {
			return
		}
		for _, style := range []string{"postgres", "postgres_verbose", "sql_standard", "iso_8601"} {
			mustExec(t, db, "set intervalstyle = "+style)
			var got ext.Interval
			var m, d, us int64
			err := db.QueryRowContext(t.Context(), `select i, extract(year from i) * 12 + extract(month from i), extract(day from i),
				extract(hour from i) * 3600000000 + extract(minute from i) * 60000000 + extract(microseconds from i) from (select $1::interval as i) as q`, want).Scan(&got, ext.Into(&m), ext.Into(&d), ext.Into(&us))
			if err != nil || got != want || m != int64(months) || d != int64(days) || us != micros {
				t.Fatalf("%s: %+v: read %+v, the server %d, %d, %d: %v", style, want, got, m, d, us, err)
			}
		}
	})
}
