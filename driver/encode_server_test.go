package driver

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// stored is what the server makes of a parameter of the type, as text: "NULL", the SQLSTATE of its refusal, or "refused: …"
// for an error before sending.
func (s codecServer) stored(c *codecs, typ string, arg any, typeKnown bool) string {
	s.t.Helper()
	arg, err := checkArg(arg)
	if err != nil {
		return "refused: " + err.Error()
	}
	oid := uint32(0)
	format := textFormat
	var wire []byte
	ok := true
	if typeKnown {
		oid = s.typeOID(typ)
		wire, format, err = c.appendParam(nil, oid, arg)
	} else {
		wire, ok, err = c.appendTextParam(nil, arg)
	}
	switch {
	case err != nil:
		return "refused: " + err.Error()
	case !ok:
		return "asks"
	}
	s.exec("savepoint arg")
	defer s.exec("rollback to arg")
	result := s.ExecParams(context.Background(), "select ($1::"+typ+")::text", [][]byte{wireValue(s.t, wire)}, []uint32{oid}, []int16{format}, nil).Read()
	var refusal *pgconn.PgError
	switch {
	case errors.As(result.Err, &refusal):
		return refusal.Code
	case result.Err != nil:
		s.t.Fatal(result.Err)
	case result.Rows[0][0] == nil:
		return "NULL"
	}
	return string(result.Rows[0][0])
}

// wireValue checks the length of an appended parameter and returns its bytes, nil for NULL.
func wireValue(t *testing.T, wire []byte) []byte {
	t.Helper()
	n := int32(binary.BigEndian.Uint32(wire))
	if n == -1 && len(wire) == 4 {
		return nil
	}
	if int(n) != len(wire)-4 {
		t.Fatalf("length %d before %d bytes", n, len(wire)-4)
	}
	return append([]byte{}, wire[4:]...)
}

type (
	color     int
	word      string
	loudWord  string
	ids       []int64
	digest    [16]byte
	named     time.Time
	halfValue struct{ n int }
	document  struct {
		A int `json:"a"`
	}
	marshaled struct{}
)

func (c color) String() string { return [...]string{"red", "green"}[c] }

func (loudWord) String() string { return "LOUD" }

func (v halfValue) Value() (sqldriver.Value, error) { return int64(v.n / 2), nil }

func (marshaled) MarshalText() ([]byte, error) { return []byte("mt"), nil }

var zone = time.FixedZone("", 5*3600+1800)

func at(nanos int) time.Time { return time.Date(2020, 1, 2, 3, 4, 5, nanos, zone) }

func ptr[T any](v T) *T { return &v }

// storedTests hold what a parameter stores. Where first is empty the value is the same, or asked for, without the type.
var storedTests = []struct {
	arg   any
	typ   string
	want  string
	first string
}{
	{arg: nil, typ: "int4", want: "NULL"},
	{arg: 7, typ: "int2", want: "7"},
	{arg: 7, typ: "text", want: "7"},
	{arg: 7, typ: "varchar", want: "7"},
	{arg: 7, typ: "numeric", want: "7"},
	{arg: 7, typ: "json", want: "7"},
	{arg: 7, typ: "float8", want: "7"},
	{arg: 7, typ: "oid", want: "7"},
	{arg: 7, typ: "money", want: "$7.00"},
	{arg: 7, typ: "pg_temp.positive", want: "7"},
	{arg: -7, typ: "pg_temp.positive", want: "23514"},
	{arg: int64(math.MinInt64), typ: "int8", want: "-9223372036854775808"},
	{arg: int64(32768), typ: "int2", want: "22003"},
	{arg: int64(math.MaxInt32 + 1), typ: "int4", want: "22003"},
	{arg: uint64(math.MaxUint64), typ: "numeric", want: "18446744073709551615"},
	{arg: uint64(math.MaxUint64), typ: "int8", want: "22003"},
	{arg: uint8(200), typ: "int2", want: "200"},
	{arg: 1, typ: "bool", want: "true"},
	{arg: true, typ: "bool", want: "true"},
	{arg: true, typ: "text", want: "true"},
	{arg: true, typ: "int4", want: "22P02"},
	{arg: false, typ: "jsonb", want: "false"},
	{arg: 1.5, typ: "int4", want: "22P02"},
	{arg: 1e6, typ: "int8", want: "1000000"},
	{arg: math.NaN(), typ: "int8", want: "22P02"},
	{arg: math.NaN(), typ: "numeric", want: "NaN"},
	{arg: math.Inf(-1), typ: "float8", want: "-Infinity"},
	{arg: math.Copysign(0, -1), typ: "float8", want: "-0"},
	{arg: 0.1, typ: "float8", want: "0.1"},
	{arg: 1.0000000596046448, typ: "float4", want: "1.0000001"},
	{arg: 1e300, typ: "float4", want: "22003"},
	{arg: 1.5, typ: "text", want: "1.5"},
	{arg: float32(1.1), typ: "float4", want: "1.1"},
	{arg: float32(1.1), typ: "float8", want: "1.100000023841858"},
	{arg: float32(1.1), typ: "json", want: "1.1"},
	{arg: "42", typ: "int4", want: "42"},
	{arg: "x", typ: "int4", want: "22P02"},
	{arg: "é", typ: "text", want: "é"},
	{arg: `\x41`, typ: "bytea", want: `\x41`},
	{arg: "very happy", typ: "pg_temp.mood", want: "very happy"},
	{arg: "a\x00b", typ: "text", want: "refused: string holds a NUL byte at offset 1, which PostgreSQL cannot store in text"},
	{arg: "\xff", typ: "text", want: "refused: string is not valid UTF-8, as text must be: only []byte for a bytea parameter may hold any bytes"},
	{arg: word("w"), typ: "text", want: "w"},
	{arg: loudWord("quiet"), typ: "text", want: "quiet"},
	{arg: color(1), typ: "text", want: "green"},
	{arg: color(1), typ: "int4", want: "1"},
	{arg: color(1), typ: "numeric", want: "1"},
	{arg: []byte("\x00\xff"), typ: "bytea", want: `\x00ff`},
	{arg: []byte{}, typ: "bytea", want: `\x`},
	{arg: []byte(nil), typ: "bytea", want: "NULL"},
	{arg: []byte(`a\\b`), typ: "pg_temp.bytes", want: `\x615c5c62`},
	{arg: []byte("\x00\xff"), typ: "pg_temp.bytes", want: `\x00ff`},
	{arg: []byte("ok"), typ: "pg_temp.mood", want: "ok"},
	{arg: []byte("txt"), typ: "text", want: "txt"},
	{arg: []byte("a\x00"), typ: "text", want: "refused: []byte holds a NUL byte at offset 1, which PostgreSQL cannot store in text"},
	{arg: []byte(`{"a":1}`), typ: "json", want: `{"a":1}`},
	{arg: []byte(`{"a":1}`), typ: "jsonb", want: `{"a": 1}`},
	{arg: json.RawMessage(`{"a" :1}`), typ: "json", want: `{"a" :1}`},
	{arg: ptr(json.RawMessage(`[]`)), typ: "jsonb", want: `[]`},
	{arg: []byte("42"), typ: "int4", want: "42"},
	{arg: []byte{1, 2, 3}, typ: "int8[]", want: "22P02"},
	{arg: []byte("{1,2}"), typ: "int8[]", want: "{1,2}"},
	{arg: []byte("7"), typ: "uuid", want: "refused: []byte of 1 bytes is no uuid: it takes 16 bytes or the text of one"},
	{arg: []byte("0123456789abcdef"), typ: "uuid", want: "30313233-3435-3637-3839-616263646566"},
	{arg: []byte("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), typ: "uuid", want: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
	{arg: [16]byte{15: 1}, typ: "uuid", want: "00000000-0000-0000-0000-000000000001"},
	{arg: digest{15: 1}, typ: "uuid", want: "00000000-0000-0000-0000-000000000001"},
	{arg: digest{15: 1}, typ: "text", want: "00000000-0000-0000-0000-000000000001"},
	{arg: [3]byte{1, 2, 3}, typ: "bytea", want: `\x010203`},
	{arg: at(0), typ: "timestamptz", want: "2020-01-01 21:34:05+00"},
	{arg: at(0), typ: "timestamp", want: "2020-01-02 03:04:05"},
	{arg: at(0), typ: "date", want: "2020-01-02"},
	{arg: at(0), typ: "time", want: "03:04:05"},
	{arg: at(0), typ: "timetz", want: "03:04:05+05:30"},
	{arg: at(120000), typ: "text", want: "2020-01-02 03:04:05.000120+05:30"},
	{arg: at(0), typ: "jsonb", want: `"2020-01-02T03:04:05+05:30"`, first: "22P02"},
	{arg: at(1500), typ: "timestamptz", want: "2020-01-01 21:34:05.000002+00"},
	{arg: at(2500), typ: "timestamp", want: "2020-01-02 03:04:05.000002"},
	{arg: at(999999501), typ: "timestamp", want: "2020-01-02 03:04:06"},
	{arg: time.Date(2020, 12, 31, 23, 59, 59, 999999999, time.UTC), typ: "date", want: "2021-01-01"},
	{arg: time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC), typ: "date", want: "0044-03-15 BC"},
	{arg: time.Date(-43, 3, 15, 1, 2, 3, 0, time.UTC), typ: "timestamp", want: "0044-03-15 01:02:03 BC"},
	{arg: time.Date(0, 3, 15, 1, 2, 3, 0, time.UTC), typ: "text", want: "0001-03-15 01:02:03+00:00 BC"},
	{arg: time.Date(294276, 12, 31, 23, 59, 59, 999999000, time.UTC), typ: "timestamptz", want: "294276-12-31 23:59:59.999999+00"},
	{arg: time.Date(294277, 1, 1, 0, 0, 0, 0, time.UTC), typ: "timestamptz", want: "22008"},
	{arg: time.Date(-4713, 11, 24, 0, 0, 0, 0, time.UTC), typ: "timestamp", want: "4714-11-24 00:00:00 BC"},
	{arg: time.Date(-4713, 11, 23, 0, 0, 0, 0, time.UTC), typ: "date", want: "22008"},
	{arg: time.Date(5874897, 12, 31, 0, 0, 0, 0, time.UTC), typ: "date", want: "5874897-12-31"},
	{arg: time.Date(5874898, 1, 1, 0, 0, 0, 0, time.UTC), typ: "date", want: "22008"},
	{arg: time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("", -(19*60+32))), typ: "timestamptz", want: "1900-01-01 00:19:32+00"},
	{arg: time.Date(2020, 1, 1, 12, 0, 0, 0, time.FixedZone("", 20*3600)), typ: "timestamp", want: "2020-01-01 12:00:00"},
	{arg: named(at(0)), typ: "date", want: "2020-01-02"},
	{arg: time.Second, typ: "interval", want: "00:00:01"},
	{arg: -90*time.Minute - 500*time.Nanosecond, typ: "interval", want: "-01:30:00"},
	{arg: 1500 * time.Nanosecond, typ: "interval", want: "00:00:00.000002"},
	{arg: time.Second, typ: "int8", want: "1000000000"},
	{arg: time.Second, typ: "int4", want: "1000000000"},
	{arg: time.Minute, typ: "int4", want: "22003"},
	{arg: time.Second, typ: "text", want: "1s"},
	{arg: 90 * time.Minute, typ: "time", want: "01:30:00"},
	{arg: 24 * time.Hour, typ: "time", want: "24:00:00"},
	{arg: 25 * time.Hour, typ: "time", want: "22008"},
	{arg: time.Second, typ: "json", want: "1000000000"},
	{arg: netip.MustParseAddr("10.0.0.1"), typ: "inet", want: "10.0.0.1/32"},
	{arg: netip.MustParsePrefix("10.0.0.0/8"), typ: "cidr", want: "10.0.0.0/8"},
	{arg: netip.Addr{}, typ: "text", want: "", first: "asks"},
	{arg: netip.Addr{}, typ: "inet", want: "NULL"},
	{arg: netip.Prefix{}, typ: "cidr", want: "NULL"},
	{arg: net.IPv4(10, 0, 0, 1), typ: "inet", want: "10.0.0.1/32"},
	{arg: net.IP(nil), typ: "inet", want: "NULL"},
	{arg: net.IP{}, typ: "text", want: ""},
	{arg: net.IP{}, typ: "inet", want: "22P02"},
	{arg: net.IPNet{IP: net.IPv4(10, 0, 0, 0), Mask: net.CIDRMask(8, 32)}, typ: "cidr", want: "10.0.0.0/8"},
	{arg: &net.IPNet{IP: net.IPv4(10, 0, 0, 0), Mask: net.CIDRMask(8, 32)}, typ: "inet", want: "10.0.0.0/8"},
	{arg: net.HardwareAddr{8, 0, 0x2b, 1, 2, 3}, typ: "macaddr", want: "08:00:2b:01:02:03"},
	{arg: document{1}, typ: "jsonb", want: `{"a": 1}`},
	{arg: &document{1}, typ: "json", want: `{"a":1}`},
	{arg: (*document)(nil), typ: "json", want: "NULL"},
	{arg: map[string]any{"a": nil}, typ: "jsonb", want: `{"a": null}`},
	{arg: map[string]any(nil), typ: "jsonb", want: "NULL"},
	{arg: []int{}, typ: "jsonb", want: "[]"},
	{arg: []string{"a"}, typ: "jsonb", want: `["a"]`},
	{arg: `{"a":1}`, typ: "jsonb", want: `{"a": 1}`},
	{arg: word(`{"a":1}`), typ: "jsonb", want: `{"a": 1}`},
	{arg: math.NaN(), typ: "jsonb", want: "22P02"},
	{arg: []document{{1}, {2}}, typ: "jsonb[]", want: `{"{\"a\": 1}","{\"a\": 2}"}`},
	{arg: []json.RawMessage{json.RawMessage("1"), nil}, typ: "json[]", want: `{1,NULL}`},
	{arg: map[string]string{`a"\`: "1"}, typ: "hstore", want: `"a\"\\"=>"1"`},
	{arg: map[string]*string{"a": nil}, typ: "hstore", want: `"a"=>NULL`},
	{arg: map[string]string{}, typ: "hstore", want: ""},
	{arg: big.NewInt(0).Lsh(big.NewInt(1), 100), typ: "numeric", want: "1267650600228229401496703205376"},
	{arg: (*big.Int)(nil), typ: "numeric", want: "NULL"},
	{arg: big.NewRat(1, 8), typ: "numeric", want: "0.125"},
	{arg: big.NewRat(1, 3), typ: "numeric", want: "refused: *big.Rat 1/3 has no finite decimal form"},
	{arg: big.NewFloat(0.5), typ: "numeric", want: "0.5"},
	{arg: big.NewFloat(math.Inf(1)), typ: "numeric", want: "Infinity"},
	{arg: sql.Null[int]{V: 3, Valid: true}, typ: "int4", want: "3"},
	{arg: sql.Null[[]string]{V: []string{"a"}, Valid: true}, typ: "text[]", want: "{a}"},
	{arg: sql.NullString{}, typ: "text", want: "NULL"},
	{arg: halfValue{9}, typ: "int4", want: "4"},
	{arg: &halfValue{9}, typ: "int4", want: "4"},
	{arg: (*halfValue)(nil), typ: "int4", want: "NULL"},
	{arg: ptr(ptr(5)), typ: "int4", want: "5"},
	{arg: (*string)(nil), typ: "text", want: "NULL"},
	{arg: marshaled{}, typ: "text", want: "mt"},
	{arg: pgtype.Numeric{Int: big.NewInt(15), Exp: -1, Valid: true}, typ: "numeric", want: "1.5"},
	{arg: pgtype.Date{InfinityModifier: pgtype.Infinity, Valid: true}, typ: "date", want: "infinity"},
	{arg: pgtype.Interval{Months: 1, Days: 2, Microseconds: 3e6, Valid: true}, typ: "interval", want: "1 mon 2 days 00:00:03"},
	{arg: pgtype.Range[pgtype.Int4]{Lower: pgtype.Int4{Int32: 1, Valid: true}, Upper: pgtype.Int4{Int32: 5, Valid: true}, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true}, typ: "int4range", want: "[1,5)"},
	{arg: pgtype.Array[int32]{Elements: []int32{1, 2}, Dims: []pgtype.ArrayDimension{{Length: 2, LowerBound: 0}}, Valid: true}, typ: "int4[]", want: "[0:1]={1,2}"},
	{arg: pgtype.FlatArray[string]{"a"}, typ: "text[]", want: "{a}"},
	{arg: pgtype.Point{P: pgtype.Vec2{X: 1, Y: 2}, Valid: true}, typ: "point", want: "(1,2)"},
	{arg: []int64{1, 2}, typ: "int4[]", want: "{1,2}"},
	{arg: []int64{1 << 40}, typ: "int4[]", want: "22003"},
	{arg: ids{1, 2}, typ: "int8[]", want: "{1,2}"},
	{arg: []int64{}, typ: "int8[]", want: "{}"},
	{arg: []int64(nil), typ: "int8[]", want: "NULL"},
	{arg: []int16{1}, typ: "float8[]", want: "{1}"},
	{arg: [2]int{1, 2}, typ: "int4[]", want: "{1,2}"},
	{arg: []*int{ptr(1), nil}, typ: "int4[]", want: "{1,NULL}"},
	{arg: [][]int{{1, 2}, {3, 4}}, typ: "int4[]", want: "{{1,2},{3,4}}"},
	{arg: [][]int{{1, 2}, {3}}, typ: "int4[]", want: "22P02"},
	{arg: []any{1, "2", nil}, typ: "int4[]", want: "{1,2,NULL}"},
	{arg: []string{`a "b"\`, "", "NULL", "{,}"}, typ: "text[]", want: `{"a \"b\"\\","","NULL","{,}"}`},
	{arg: []string{"very happy"}, typ: "pg_temp.mood[]", want: `{"very happy"}`},
	{arg: []string{"1.5"}, typ: "numeric[]", want: "{1.5}"},
	{arg: []string{"a\x00"}, typ: "text[]", want: "refused: string holds a NUL byte at offset 1, which PostgreSQL cannot store in text"},
	{arg: []string{"a"}, typ: "text", want: `{"a"}`},
	{arg: [][]byte{{1}, nil, {}}, typ: "bytea[]", want: `{"\\x01",NULL,"\\x"}`},
	{arg: [][]byte{[]byte("a")}, typ: "text[]", want: "{a}"},
	{arg: [][16]byte{{15: 1}}, typ: "uuid[]", want: "{00000000-0000-0000-0000-000000000001}"},
	{arg: []time.Time{at(0)}, typ: "timestamp[]", want: `{"2020-01-02 03:04:05"}`},
	{arg: []time.Time{at(0)}, typ: "timestamptz[]", want: `{"2020-01-01 21:34:05+00"}`},
	{arg: []time.Time{at(0)}, typ: "text[]", want: `{"2020-01-02 03:04:05+05:30"}`},
	{arg: []time.Duration{-time.Second}, typ: "interval[]", want: "{-00:00:01}"},
	{arg: []bool{true, false}, typ: "bool[]", want: "{t,f}"},
	{arg: []float64{1.5, math.NaN(), math.Inf(1)}, typ: "float8[]", want: "{1.5,NaN,Infinity}"},
	{arg: []float32{1.1}, typ: "float4[]", want: "{1.1}"},
	{arg: []sql.NullInt64{{Int64: 1, Valid: true}, {}}, typ: "int8[]", want: "{1,NULL}"},
	{arg: []netip.Addr{netip.MustParseAddr("::1"), {}}, typ: "inet[]", want: "{::1,NULL}"},
	{arg: []pgtype.Box{{P: [2]pgtype.Vec2{{X: 1, Y: 2}, {X: 0, Y: 0}}, Valid: true}}, typ: "box[]", want: "{(1,2),(0,0)}"},
	{arg: document{1}, typ: "int4", want: "refused: no way to encode driver.document as int4"},
	{arg: make(chan int), typ: "int4", want: "refused: chan int has no PostgreSQL value"},
	{arg: []func(){}, typ: "int4[]", want: "refused: []func() has no PostgreSQL value"},
	{arg: complex(1, 2), typ: "int4", want: "refused: complex128 has no PostgreSQL value"},
	{arg: sql.Out{}, typ: "int4", want: "refused: sql.Out: PostgreSQL has no output parameters: read them as result columns"},
}

func TestParametersStoreTheirText(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	server.exec("set local timezone to 'UTC'; set local lc_monetary to 'C'")
	c := pgxCodecs()
	for _, tt := range storedTests {
		want := tt.want
		if got := server.stored(c, tt.typ, tt.arg, true); got != want {
			t.Errorf("%T %v as %s stores %q, want %q", tt.arg, tt.arg, tt.typ, got, want)
		}
		first := want
		if tt.first != "" {
			first = tt.first
		}
		if got := server.stored(c, tt.typ, tt.arg, false); got != "asks" && got != first {
			t.Errorf("%T %v as %s stores %q without the type, want %q", tt.arg, tt.arg, tt.typ, got, first)
		}
	}
}

func TestRandomArgumentsStoreTheSameWithAndWithoutTheirType(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	server.exec("set local timezone to 'America/St_Johns'")
	c := pgxCodecs()
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		instant := time.Unix(random.Int64N(253402300799+62135596800)-62135596800, random.Int64N(1e9)).In(time.FixedZone("", random.IntN(2*maxOffset)-maxOffset))
		number := math.Float64frombits(random.Uint64())
		integer := int64(random.Uint64()) >> random.IntN(64)
		for typ, arg := range map[string]any{"timestamptz": instant, "timestamp": instant, "date": instant, "float8": number, "int8": integer, "int4": integer, "int2": integer} {
			known, first := server.stored(c, typ, arg, true), server.stored(c, typ, arg, false)
			if known != first && first != "asks" {
				t.Errorf("%v as %s stores %s with its type and %s without", arg, typ, known, first)
			}
		}
	}
}
