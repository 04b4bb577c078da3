package ext_test

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// survives sends a value there and back: as an argument whose text the server gives, by Query, by plain Scan, and in an array.
func survives[T any](t *testing.T, db *sql.DB, typ, text string, v T) {
	t.Helper()
	for use := range 7 {
		if got := word(t, db, "select $1::"+typ+"::text", v); got != text {
			t.Errorf("%v as %s, use %d: %s, want %s", v, typ, use+1, got, text)
			return
		}
		got, err := ext.QueryVal[T](t.Context(), db, "select $1::"+typ, v)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v as %s, use %d: %+v, %v, want %+v", v, typ, use+1, got, err, v)
			return
		}
		var scanned T
		dest := any(&scanned)
		if _, ok := dest.(sql.Scanner); !ok {
			dest = ext.Into(&scanned)
		}
		if err := db.QueryRowContext(t.Context(), "select $1::"+typ, v).Scan(dest); err != nil || !reflect.DeepEqual(scanned, v) {
			t.Errorf("%v as %s, use %d: scanned %+v, %v", v, typ, use+1, scanned, err)
			return
		}
	}
	null, err := ext.QueryVal[*T](t.Context(), db, "select null::"+typ)
	if err != nil || null != nil {
		t.Errorf("NULL %s: %v, %v", typ, null, err)
	}
}

// survivesInArrays is survives for a type that arrays can hold as elements.
func survivesInArrays[T any](t *testing.T, db *sql.DB, typ, text string, v T) {
	t.Helper()
	survives(t, db, typ, text, v)
	all, err := ext.QueryVal[[]*T](t.Context(), db, "select $1::"+typ+"[]", []*T{&v, nil})
	if err != nil || len(all) != 2 || !reflect.DeepEqual(*all[0], v) || all[1] != nil {
		t.Errorf("array of %s: %v, %v", typ, all, err)
	}
	var scanned []*T
	if err := db.QueryRowContext(t.Context(), "select $1::"+typ+"[]", ext.Array(&all)).Scan(ext.Array(&scanned)); err != nil || !reflect.DeepEqual(scanned, all) {
		t.Errorf("Array of %s: %v, %v", typ, scanned, err)
	}
}

// nullSurvives sends a value there and back in a sql.Null, whose own Value and Scan do not know what the type is to PostgreSQL.
func nullSurvives[T any](t *testing.T, db *sql.DB, typ string, v T) {
	t.Helper()
	want := sql.Null[T]{V: v, Valid: true}
	for use := range 7 {
		var scanned sql.Null[T]
		got, err := ext.QueryVal[sql.Null[T]](t.Context(), db, "select $1::"+typ, want)
		serr := db.QueryRowContext(t.Context(), "select $1::"+typ, want).Scan(ext.Into(&scanned))
		if err != nil || serr != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(scanned, want) {
			t.Errorf("%s, use %d: %v, %v; scanned %v, %v", typ, use+1, got, err, scanned, serr)
			return
		}
	}
}

func numeric(t testing.TB, text string) ext.Numeric {
	t.Helper()
	n, err := ext.ParseNumeric(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestValuesSurviveEveryMode(t *testing.T) {
	t.Parallel()
	inEveryMode(t, "create extension hstore; create type span as range (subtype = float8)", func(t *testing.T, db *sql.DB) {
		at := time.Date(2024, 2, 29, 13, 4, 5, 678000, time.UTC).In(time.Local)
		survivesInArrays(t, db, "int4range", "[1,5)", ext.NewRange(1, 5, "[)"))
		survivesInArrays(t, db, "int8range", "empty", ext.Range[int64]{Empty: true})
		survivesInArrays(t, db, "numrange", "[1.50,)", ext.Range[ext.Numeric]{Lower: numeric(t, "1.50"), LowerInc: true, UpperInf: true})
		survivesInArrays(t, db, "tstzrange", `("2024-02-29 13:04:05.000678+00",infinity]`,
			ext.NewRange(ext.InfTime{Time: at}, ext.InfTime{Infinity: pgtype.Infinity}, "(]"))
		survivesInArrays(t, db, "daterange", "[2024-02-29,2024-03-01)", ext.NewRange(ext.Date{Year: 2024, Month: 2, Day: 29}, ext.Date{Year: 2024, Month: 3, Day: 1}, "[)"))
		survivesInArrays(t, db, "span", "(,)", ext.Range[float64]{LowerInf: true, UpperInf: true})
		survivesInArrays(t, db, "int4multirange", "{[1,3),[5,)}", ext.Multirange[int]{ext.NewRange(1, 3, "[)"), {Lower: 5, LowerInc: true, UpperInf: true}})
		survives(t, db, "int4multirange", "{}", ext.Multirange[int]{})
		survivesInArrays(t, db, "interval", "1 year 2 mons -3 days +04:05:06.789", ext.Interval{Months: 14, Days: -3, Micros: 14706789000})
		if sqltest.Server(t).MajorVersion() >= 15 { // 14 does not read its own text of it
			survivesInArrays(t, db, "interval", "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807",
				ext.Interval{Months: math.MinInt32, Days: math.MinInt32, Micros: math.MinInt64 + 1})
		}
		survivesInArrays(t, db, "date", "0044-03-15 BC", ext.Date{Year: -43, Month: 3, Day: 15})
		survivesInArrays(t, db, "date", "4713-01-01 BC", ext.Date{Year: -4712, Month: 1, Day: 1})
		survivesInArrays(t, db, "date", "5874897-12-31", ext.Date{Year: 5874897, Month: 12, Day: 31})
		survivesInArrays(t, db, "date", "-infinity", ext.Date{Infinity: pgtype.NegativeInfinity})
		survivesInArrays(t, db, "timetz", "24:00:00-15:59:59", ext.TimeTZ{Clock: 24 * time.Hour, Offset: -57599})
		survivesInArrays(t, db, "timetz", "13:04:05.6789+05:30", ext.TimeTZ{Clock: 13*time.Hour + 4*time.Minute + 5678900*time.Microsecond, Offset: 19800})
		survivesInArrays(t, db, "timestamptz", "infinity", ext.InfTime{Infinity: pgtype.Infinity})
		survivesInArrays(t, db, "timestamp", "-infinity", ext.InfTime{Infinity: pgtype.NegativeInfinity})
		survivesInArrays(t, db, "numeric", "1.500", numeric(t, "1.500"))
		survivesInArrays(t, db, "numeric", "NaN", numeric(t, "NaN"))
		survivesInArrays(t, db, "numeric", strings.Repeat("9", 500)+"."+strings.Repeat("1", 300), numeric(t, strings.Repeat("9", 500)+"."+strings.Repeat("1", 300)))
		survives(t, db, "hstore", `"a"=>"1", "b"=>NULL, "q\"\\"=>""`, ext.Hstore{"a": {V: "1", Valid: true}, "b": {}, "q\"\\": {V: "", Valid: true}})
		survives(t, db, "jsonb", `{"a": 1}`, ext.JSONValue[map[string]int]{V: map[string]int{"a": 1}})
		survives(t, db, "time", "24:00:00", 24*time.Hour)
		survives(t, db, "int4[]", "{{1,2},{3,4}}", [][]int{{1, 2}, {3, 4}})
		survives(t, db, "int4[]", "[0:1]={1,2}", ext.ArrayValue[int]{Elements: []int{1, 2}, Dims: []ext.ArrayDim{{Length: 2}}, Valid: true})
		survives(t, db, "text[]", `[2:3][-1:0]={{a,NULL},{"c \"\\",""}}`, ext.ArrayValue[sql.Null[string]]{
			Elements: []sql.Null[string]{{V: "a", Valid: true}, {}, {V: `c "\`, Valid: true}, {V: "", Valid: true}},
			Dims:     []ext.ArrayDim{{Length: 2, Lower: 2}, {Length: 2, Lower: -1}}, Valid: true,
		})
		survives(t, db, "text[]", "{}", []string{})
		survivesInArrays(t, db, "bytea", `\x005cff27`, []byte{0, '\\', 0xff, '\''})
		survivesInArrays(t, db, "bytea", `\x`, []byte{})
		survives(t, db, "bytea[]", `{"\\x5c","\\x",NULL}`, [][]byte{{'\\'}, {}, nil})
		survives(t, db, "bytea[]", `[0:1]={"\\x5c78",NULL}`, ext.ArrayValue[[]byte]{Elements: [][]byte{[]byte(`\x`), nil}, Dims: []ext.ArrayDim{{Length: 2}}, Valid: true})
		survives(t, db, "inet", "10.0.0.1/32", netip.MustParseAddr("10.0.0.1"))
		survives(t, db, "cidr", "10.0.0.0/8", netip.MustParsePrefix("10.0.0.0/8"))
		survives(t, db, "inet", "10.1.2.3/8", netip.MustParsePrefix("10.1.2.3/8"))
		survivesInArrays(t, db, "macaddr", "08:00:2b:01:02:03", net.HardwareAddr{8, 0, 43, 1, 2, 3})
		survivesInArrays(t, db, "inet", "::1/128", net.ParseIP("::1"))
		survives(t, db, "numeric[]", "{12345678901234567890}", []*big.Int{new(big.Int).SetUint64(12345678901234567890)})
		survives(t, db, "hstore[]", `{"\"a\"=>\"1\""}`, []map[string]string{{"a": "1"}})
		survives(t, db, "bytea[]", `{{"\\x00"},{"\\xff"}}`, [][][]byte{{{0}}, {{255}}})
		survives(t, db, "xml[]", "{{<a/>},{<b/>}}", [][]string{{"<a/>"}, {"<b/>"}})
		nullSurvives(t, db, "macaddr", net.HardwareAddr{8, 0, 43, 1, 2, 3})
		if strings.HasSuffix(t.Name(), "compat=pq") { // whose bytes pgtype's Scanners do not read, and whose durations are nanoseconds
			return
		}
		survives(t, db, "time[]", "{24:00:00,NULL}", []*time.Duration{new(24 * time.Hour), nil})
		nullSurvives(t, db, "interval", time.Hour)
		nullSurvives(t, db, "time", time.Hour)
		survives(t, db, "point", "(1.5,-2)", pgtype.Point{P: pgtype.Vec2{X: 1.5, Y: -2}, Valid: true})
		survives(t, db, "box", "(3,4),(1,2)", pgtype.Box{P: [2]pgtype.Vec2{{X: 3, Y: 4}, {X: 1, Y: 2}}, Valid: true})
		survives(t, db, "circle", "<(1,2),3>", pgtype.Circle{P: pgtype.Vec2{X: 1, Y: 2}, R: 3, Valid: true})
		survives(t, db, "line", "{1,2,3}", pgtype.Line{A: 1, B: 2, C: 3, Valid: true})
		survives(t, db, "path", "[(1,2),(3,4)]", pgtype.Path{P: []pgtype.Vec2{{X: 1, Y: 2}, {X: 3, Y: 4}}, Valid: true})
	})
}

// Arrays of bytea are read whatever the session's bytea_output is, and records by the Go type of their fields.
func TestBytesInsideOfOtherValues(t *testing.T) {
	t.Parallel()
	db := one(t, openDB(t))
	for _, output := range []string{"hex", "escape"} {
		mustExec(t, db, "set bytea_output = "+output)
		want := [][]byte{{0, '\\', 0xff, '\''}, {}, []byte(`\x`), nil}
		got, err := ext.QueryVal[[][]byte](t.Context(), db, "select $1::bytea[]", want)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v", output, got, err)
		}
		anys, err := ext.QueryVal[any](t.Context(), db, "select $1::bytea[]", want)
		if err != nil || !reflect.DeepEqual(anys, any([]any{want[0], want[1], want[2], nil})) {
			t.Errorf("%s: %q, %v", output, anys, err)
		}
	}
	mustExec(t, db, "set bytea_output = hex")
	type file struct {
		Name []byte // the record has a text
		Body []byte
		Old  [][]byte
	}
	want := file{[]byte(`a\b`), []byte{0, '\\'}, [][]byte{{0xff}, nil}}
	got, err := ext.QueryOne[file](t.Context(), db, "select row($1::text, $2::bytea, $3::bytea[])", `a\b`, want.Body, want.Old)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("record: %q, %v", got, err)
	}
	mustExec(t, db, "create domain body as bytea; create type file as (name bytea, body body, old body[])")
	if got, err = ext.QueryVal[file](t.Context(), db, "select $1::file", want); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("composite of domains: %q, %v", got, err)
	}
	got = file{}
	err = db.QueryRowContext(t.Context(), "select $1::file", ext.Composite(&want)).Scan(ext.Composite(&got))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("composite: %q, %v", got, err)
	}
	docs := []json.RawMessage{[]byte(`{"a": "\n"}`)} // a type of bytes with a name of its own is a text
	if got := word(t, db, "select $1::jsonb[]::text", ext.Array(&docs)); got != `{"{\"a\": \"\\n\"}"}` {
		t.Errorf("JSON: %s", got)
	}
}

func TestIntervalsOfEveryStyle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	intervals := []ext.Interval{
		{},
		{Months: 1},
		{Months: -1},
		{Months: 14, Days: 3, Micros: 14706789000},
		{Months: -14, Days: -3, Micros: -14706789000},
		{Months: 14, Days: -3, Micros: 1},
		{Days: 1, Micros: -1},
		{Micros: 3600e6},
		{Micros: -500000},
		{Days: -1},
		{Months: -1, Days: 1, Micros: -1},
		{Months: 12},
		{Micros: 100 * 3600e6},
		{Months: 11, Micros: 59e6},
	}
	for _, style := range []string{"postgres", "postgres_verbose", "sql_standard", "iso_8601"} {
		mustExec(t, db, "set intervalstyle = "+style)
		for _, want := range intervals {
			got, err := ext.QueryVal[ext.Interval](t.Context(), db, "select $1::interval", want)
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v (%s)", style, got, err, want, word(t, db, "select $1::interval::text", want))
			}
			if style == "iso_8601" {
				if text := word(t, db, "select $1::interval::text", want); text != want.String() {
					t.Errorf("String is %s, the server writes %s", want, text)
				}
			}
		}
	}
	least := ext.Interval{Days: math.MinInt32, Micros: -1}
	for _, text := range []string{"@ 2147483648 days 0.000001 secs ago", "@ -2147483648 days 0.000001 secs ago"} { // the second before PostgreSQL 15
		if i, err := ext.ParseInterval(text); i != least || err != nil {
			t.Errorf("%q: %+v, %v", text, i, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "1", "1 fortnight", "1:2:3:4", "P1X", "1 day ago ago", "@", "1-2-3 4", "999999999999 years", "infinite", "P1.5D", "--1 day", "1 2 3:04 5"} {
		if i, err := ext.ParseInterval(text); err == nil {
			t.Errorf("%q: %v", text, i)
		}
	}
	d, err := ext.Interval{Days: 1, Micros: -1}.Duration()
	if err != nil || d != 24*time.Hour-time.Microsecond || ext.IntervalOf(d).Micros != d.Microseconds() {
		t.Errorf("Duration: %v, %v", d, err)
	}
	for _, i := range []ext.Interval{{Months: 1}, {Days: math.MaxInt32}, {Micros: math.MaxInt64}, ext.InfiniteInterval} {
		if d, err := i.Duration(); err == nil {
			t.Errorf("%v is %v", i, d)
		}
	}
}

func TestRangesContainAndOverlap(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ranges := []ext.Range[float64]{{Empty: true}, {LowerInf: true, UpperInf: true}, {Lower: 2, LowerInc: true, UpperInf: true}, {LowerInf: true, Upper: 2}, ext.NewRange(3.0, 3, "()")}
	for _, bounds := range []string{"[]", "[)", "(]", "()"} {
		ranges = append(ranges, ext.NewRange(1.0, 2, bounds), ext.NewRange(2.0, 3, bounds), ext.NewRange(2.0, 2, bounds))
	}
	for _, r := range ranges {
		for _, v := range []float64{0, 1, 1.5, 2, 3, 4} {
			if got, want := r.Contains(v, cmp.Compare[float64]), word(t, db, "select $1::numrange @> $2::numeric", r, v) == "true"; got != want {
				t.Errorf("%v contains %v: %v", r, v, got)
			}
		}
		for _, o := range ranges {
			if got, want := r.Overlaps(o, cmp.Compare[float64]), word(t, db, "select $1::numrange && $2::numrange", r, o) == "true"; got != want {
				t.Errorf("%v overlaps %v: %v", r, o, got)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("NewRange takes any bounds")
		}
	}()
	ext.NewRange(1, 2, "[[")
}

func TestValuesRefuseWhatTheyCannotHold(t *testing.T) {
	t.Parallel()
	for what, err := range map[string]error{
		"NULL into a range":          new(ext.Range[int]).Scan(nil),
		"a bound that is text":       new(ext.Range[int]).Scan("[a,b)"),
		"no range":                   new(ext.Range[int]).Scan("[1,2"),
		"a range of a number":        new(ext.Range[int]).Scan(int64(1)),
		"no multirange":              new(ext.Multirange[int]).Scan("{[1,2)"),
		"no hstore":                  new(ext.Hstore).Scan(`"a"`),
		"NULL into an interval":      new(ext.Interval).Scan(nil),
		"NULL into a date":           new(ext.Date).Scan(nil),
		"no date":                    new(ext.Date).Scan("2024-02-30"),
		"another DateStyle":          new(ext.Date).Scan("02/01/2024"),
		"a timetz of nothing":        new(ext.TimeTZ).Scan("12:00:00"),
		"a timetz of 25 hours":       new(ext.TimeTZ).Scan("25:00:00+00"),
		"no timestamp":               new(ext.InfTime).Scan("soon"),
		"no numeric":                 new(ext.Numeric).Scan("1.2.3"),
		"a sign alone":               new(ext.Numeric).Scan("-"),
		"no JSON":                    new(ext.JSONValue[int]).Scan("{"),
		"NULL into JSON":             new(ext.JSONValue[int]).Scan(nil),
		"an array into a number":     ext.Array(new(int)).Scan("{1}"),
		"NULL into a number":         ext.Array(new([]int)).Scan("{NULL}"),
		"a matrix into a slice":      ext.Array(new([]int)).Scan("{{1}}"),
		"three into two":             ext.Array(new([2]int)).Scan("{1,2,3}"),
		"no array":                   ext.Array(new([]int)).Scan("1"),
		"no composite":               ext.Composite(new(pair)).Scan("(1"),
		"a composite of three":       ext.Composite(new(pair)).Scan("(1,2,3)"),
		"NULL into a number by Into": ext.Into(new(int)).Scan(nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	_, dateErr := ext.Date{Year: 2023, Month: 2, Day: 29}.Value()
	_, clockErr := ext.TimeTZ{Clock: 25 * time.Hour}.Value()
	_, hstoreErr := ext.Hstore{"a\x00": {}}.Value()
	_, boundErr := ext.Range[*int]{}.Value()
	_, dimsErr := ext.ArrayValue[int]{Elements: []int{1}, Valid: true}.Value()
	_, jsonErr := ext.JSON(new(chan int)).Value()
	for what, err := range map[string]error{"a 29 February": dateErr, "a 25th hour": clockErr, "a NUL byte": hstoreErr, "a nil bound": boundErr, "elements without dimensions": dimsErr, "a channel": jsonErr} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestNumericsTellWhatTheyAre(t *testing.T) {
	t.Parallel()
	n := numeric(t, "-12.50")
	r, ok := n.Rat()
	if !ok || r.RatString() != "-25/2" || n.Float64() != -12.5 || n.IsNaN() || n.IsInf(0) || fmt.Sprint(ext.Numeric{}) != "0" {
		t.Errorf("%v: %v, %v", n, r, n.Float64())
	}
	if inf := numeric(t, "-Infinity"); !inf.IsInf(0) || !inf.IsInf(-1) || inf.IsInf(1) || !math.IsInf(inf.Float64(), -1) {
		t.Error("-Infinity")
	}
	if _, ok := numeric(t, "NaN").Rat(); ok {
		t.Error("NaN is rational")
	}
}

func TestJSONReadsAndWrites(t *testing.T) {
	t.Parallel()
	inEveryMode(t, "", func(t *testing.T, db *sql.DB) {
		type doc struct {
			Name string
			Tags []string
		}
		want, got, none := doc{"a", []string{"b"}}, doc{}, &doc{}
		for range 7 {
			err := db.QueryRowContext(t.Context(), "select $1::jsonb, null::json", ext.JSON(&want)).Scan(ext.JSON(&got), ext.JSON(&none))
			if err != nil || !reflect.DeepEqual(got, want) || none != nil {
				t.Fatalf("%v, %v, %v", got, none, err)
			}
			got, none = doc{}, &doc{}
		}
	})
}
