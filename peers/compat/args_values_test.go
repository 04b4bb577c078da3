package compat

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"math"
	"math/big"
	"net"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	pqdriver "github.com/lib/pq"
)

// Types that a program may define for itself.
type (
	color    int // prints as a word
	word     string
	loudWord string // prints as another word
	ids      []int64
	digest   [16]byte
	birthday time.Time
	document struct {
		A int    `json:"a"`
		B string `json:"b,omitempty"`
	}
	half    struct{ n int64 } // its value is half of it
	rawJSON struct{ text string }
)

func (c color) String() string { return [...]string{"red", "green"}[c] }

func (loudWord) String() string { return "LOUD" }

func (v half) Value() (sqldriver.Value, error) { return v.n / 2, nil }

func (v rawJSON) Value() (sqldriver.Value, error) { return []byte(v.text), nil }

var (
	kolkata = time.FixedZone("", 5*3600+1800)
	noon    = time.Date(2020, 1, 2, 12, 4, 5, 123456000, kolkata)
	uuidOf7 = [16]byte{0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 7}
)

const uuidText = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a07"

func ptr[T any](v T) *T { return &v }

// value is a Go value that programs pass as an argument. The name identifies it in the table.
type value struct {
	name string
	v    any
}

var values = append(append(append(append(scalarValues, byteValues...), timeValues...), sliceValues...), libraryValues...)

var scalarValues = []value{
	{"nil", nil},
	{"true", true},
	{"int(0)", 0},
	{"int(7)", 7},
	{"int8(-128)", int8(-128)},
	{"int16(32767)", int16(32767)},
	{"int32(-2147483648)", int32(math.MinInt32)},
	{"int(32768)", 32768},
	{"int64(2147483648)", int64(math.MaxInt32 + 1)},
	{"int64(9223372036854775807)", int64(math.MaxInt64)},
	{"int64(-9223372036854775808)", int64(math.MinInt64)},
	{"uint8(200)", uint8(200)},
	{"uint32(4294967295)", uint32(math.MaxUint32)},
	{"uint64(18446744073709551615)", uint64(math.MaxUint64)},
	{"float64(1.5)", 1.5},
	{"float64(7)", 7.0},
	{"float64(1e6)", 1e6},
	{"float64(0.1)", 0.1},
	{"float64(1e300)", 1e300},
	{"float64(1.0000000596046448)", 1.0000000596046448},
	{"float64(NaN)", math.NaN()},
	{"float64(+Inf)", math.Inf(1)},
	{"float64(-Inf)", math.Inf(-1)},
	{"float32(1.1)", float32(1.1)},
	{`""`, ""},
	{`"text"`, "text"},
	{`"héllo 'quoted' \\ $1"`, `héllo 'quoted' \ $1`},
	{`"42"`, "42"},
	{`"1.5"`, "1.5"},
	{`"t"`, "t"},
	{`"green"`, "green"},
	{`"2020-01-02 03:04:05.123456+01"`, "2020-01-02 03:04:05.123456+01"},
	{`"{\"a\": 1}"`, `{"a": 1}`},
	{`"{1,2}"`, "{1,2}"},
	{`"[1,5)"`, "[1,5)"},
	{`"10.0.0.1"`, "10.0.0.1"},
	{`"` + uuidText + `"`, uuidText},
	{`"\\x0041"`, `\x0041`},
	{`"a\x00b"`, "a\x00b"},
	{`"\xff"`, "\xff"},
	{"word(w)", word("w")},
	{"loudWord(quiet)", loudWord("quiet")},
	{"color(1)", color(1)},
	{"*int(7)", ptr(7)},
	{"**string(text)", ptr(ptr("text"))},
	{"(*int)(nil)", (*int)(nil)},
}

var byteValues = []value{
	{"[]byte(nil)", []byte(nil)},
	{"[]byte{}", []byte{}},
	{"[]byte{0, 255}", []byte{0, 255}},
	{"[]byte{0, 0, 0, 7}", []byte{0, 0, 0, 7}},
	{"[]byte(text)", []byte("text")},
	{"[]byte(7)", []byte("7")},
	{`[]byte({"a":1})`, []byte(`{"a":1}`)},
	{"[]byte({1,2})", []byte("{1,2}")},
	{"[]byte(16 bytes)", uuidOf7[:]},
	{"[]byte(uuid text)", []byte(uuidText)},
	{`json.RawMessage({"a":1})`, json.RawMessage(`{"a":1}`)},
	{"json.RawMessage(nil)", json.RawMessage(nil)},
	{"[16]byte", uuidOf7},
	{"digest", digest(uuidOf7)},
	{"sql.RawBytes(text)", sql.RawBytes("text")},
}

var timeValues = []value{
	{"time.Time(microseconds, +05:30)", noon},
	{"time.Time(UTC)", time.Date(2020, 7, 1, 0, 0, 0, 0, time.UTC)},
	{"time.Time(500ns)", noon.Add(500)},
	{"time.Time(1500ns)", noon.Add(1500)},
	{"time.Time(44 BC)", time.Date(-43, 3, 15, 12, 0, 0, 0, time.UTC)},
	{"time.Time(year 10000)", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	{"time.Time(zero)", time.Time{}},
	{"*time.Time", &noon},
	{"birthday", birthday(noon)},
	{"time.Second", time.Second},
	{"time.Duration(-90m)", -90 * time.Minute},
	{"time.Duration(1500ns)", 1500 * time.Nanosecond},
}

var sliceValues = []value{
	{"[]int{1, 2}", []int{1, 2}},
	{"[]int32{1, 2}", []int32{1, 2}},
	{"[]int64{1, 2}", []int64{1, 2}},
	{"[]int64{}", []int64{}},
	{"[]int64(nil)", []int64(nil)},
	{"ids{1, 2}", ids{1, 2}},
	{"[]int64{1 << 40}", []int64{1 << 40}},
	{"[2]int{1, 2}", [2]int{1, 2}},
	{"[]uint16{1, 2}", []uint16{1, 2}},
	{"[]float64{1.5, NaN}", []float64{1.5, math.NaN()}},
	{"[]float32{1.1}", []float32{1.1}},
	{"[]bool{true, false}", []bool{true, false}},
	{"[]string{a, b}", []string{"a", "b"}},
	{"[]string{1, 2}", []string{"1", "2"}},
	{"[]string{}", []string{}},
	{`[]string{specials}`, []string{"", "NULL", `a "b"\`, "{,}", " x "}},
	{"[]string{green}", []string{"green"}},
	{"[]string{uuid}", []string{uuidText}},
	{"[]word{green}", []word{"green"}},
	{"[]color{0, 1}", []color{0, 1}},
	{"[]*int{1, nil}", []*int{ptr(1), nil}},
	{"[]any{1, 2, nil}", []any{1, "2", nil}},
	{"[][]int{{1, 2}, {3, 4}}", [][]int{{1, 2}, {3, 4}}},
	{"[][]int{{1, 2}, {3}}", [][]int{{1, 2}, {3}}},
	{"[][]string{{a}, {b}}", [][]string{{"a"}, {"b"}}},
	{"[][]byte{1, nil, empty}", [][]byte{{1}, nil, {}}},
	{"[][16]byte", [][16]byte{uuidOf7}},
	{"[]time.Time", []time.Time{noon}},
	{"[]time.Duration{1s}", []time.Duration{time.Second}},
	{"[]json.RawMessage", []json.RawMessage{json.RawMessage("1"), nil}},
	{"[]document", []document{{A: 1}, {A: 2}}},
	{"[]sql.NullInt64{1, NULL}", []sql.NullInt64{{Int64: 1, Valid: true}, {}}},
	{"map[string]any", map[string]any{"a": 1}},
	{"map[string]any(nil)", map[string]any(nil)},
	{"map[string]string", map[string]string{"a": "1"}},
	{"document", document{A: 1}},
	{"*document", &document{A: 1}},
	{"(*document)(nil)", (*document)(nil)},
}

var libraryValues = []value{
	{"half(14)", half{14}},
	{"*half(14)", &half{14}},
	{"(*half)(nil)", (*half)(nil)},
	{`rawJSON({"a":1})`, rawJSON{`{"a":1}`}},
	{"sql.NullString(42)", sql.NullString{String: "42", Valid: true}},
	{"sql.NullString(NULL)", sql.NullString{}},
	{"sql.NullInt64(7)", sql.NullInt64{Int64: 7, Valid: true}},
	{"sql.NullTime", sql.NullTime{Time: noon, Valid: true}},
	{"sql.Null[int](7)", sql.Null[int]{V: 7, Valid: true}},
	{"sql.Null[int](NULL)", sql.Null[int]{}},
	{"sql.Null[[]string]{a}", sql.Null[[]string]{V: []string{"a"}, Valid: true}},
	{"*big.Int(2^100)", new(big.Int).Lsh(big.NewInt(1), 100)},
	{"*big.Rat(1/8)", big.NewRat(1, 8)},
	{"netip.Addr(10.0.0.1)", netip.MustParseAddr("10.0.0.1")},
	{"netip.Prefix(10.0.0.0/8)", netip.MustParsePrefix("10.0.0.0/8")},
	{"net.IP(10.0.0.1)", net.IPv4(10, 0, 0, 1)},
	{"*net.IPNet(10.0.0.0/8)", &net.IPNet{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}},
	{"pgtype.Text(42)", pgtype.Text{String: "42", Valid: true}},
	{"pgtype.Int8(7)", pgtype.Int8{Int64: 7, Valid: true}},
	{"pgtype.Int8(NULL)", pgtype.Int8{}},
	{"pgtype.Float8(1.5)", pgtype.Float8{Float64: 1.5, Valid: true}},
	{"pgtype.Numeric(1.5)", pgtype.Numeric{Int: big.NewInt(15), Exp: -1, Valid: true}},
	{"pgtype.Bool(true)", pgtype.Bool{Bool: true, Valid: true}},
	{"pgtype.Date(infinity)", pgtype.Date{InfinityModifier: pgtype.Infinity, Valid: true}},
	{"pgtype.Timestamptz", pgtype.Timestamptz{Time: noon, Valid: true}},
	{"pgtype.Time(01:02:03)", pgtype.Time{Microseconds: 3723e6, Valid: true}},
	{"pgtype.Interval(1 mon 2 days 3 s)", pgtype.Interval{Months: 1, Days: 2, Microseconds: 3e6, Valid: true}},
	{"pgtype.UUID", pgtype.UUID{Bytes: uuidOf7, Valid: true}},
	{"pgtype.Hstore", pgtype.Hstore{"b": nil}},
	{"pgtype.FlatArray[string]{a}", pgtype.FlatArray[string]{"a"}},
	{"pgtype.Array[int32]([0:1])", pgtype.Array[int32]{Elements: []int32{1, 2}, Dims: []pgtype.ArrayDimension{{Length: 2, LowerBound: 0}}, Valid: true}},
	{"pgtype.Range[Int4]", pgtype.Range[pgtype.Int4]{
		Lower: pgtype.Int4{Int32: 1, Valid: true}, Upper: pgtype.Int4{Int32: 5, Valid: true},
		LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true,
	}},
	{"pq.Array([]int64{1, 2})", pqdriver.Array([]int64{1, 2})},
	{"pq.Array([]int64(nil))", pqdriver.Array([]int64(nil))},
	{"pq.Array([]string{a, b})", pqdriver.Array([]string{"a", "b"})},
	{"pq.Array([][]int{{1}, {2}})", pqdriver.Array([][]int{{1}, {2}})},
	{"pq.Array([]time.Time)", pqdriver.Array([]time.Time{noon})},
	{"pq.ByteaArray", pqdriver.ByteaArray{{1}, nil}},
	{"pq.BoolArray", pqdriver.BoolArray{true}},
	{"pq.Float64Array{1.5}", pqdriver.Float64Array{1.5}},
	{"pq.StringArray(uuid)", pqdriver.StringArray{uuidText}},
}
