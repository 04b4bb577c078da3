package driver

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

func TestCommonArgumentsAreEncodedWithoutAllocation(t *testing.T) {
	c := pgxCodecs()
	dst := make([]byte, 0, 1024)
	now := time.Now()
	for _, tt := range []struct {
		oid uint32
		arg any
	}{
		{pgtype.Int8OID, int64(1 << 40)},
		{pgtype.Int4OID, 70000},
		{pgtype.Int2OID, int32(700)},
		{pgtype.TextOID, "text"},
		{pgtype.VarcharOID, []byte("text")},
		{pgtype.ByteaOID, []byte{0, 1}},
		{pgtype.BoolOID, true},
		{pgtype.Float8OID, 1.5},
		{pgtype.TimestamptzOID, now},
		{pgtype.TimestampOID, now},
		{pgtype.DateOID, now},
		{pgtype.UUIDOID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{pgtype.UUIDOID, make([]byte, 16)},
		{pgtype.NumericOID, 1.5},
		{pgtype.TextOID, 70000},
	} {
		var err error
		allocs := testing.AllocsPerRun(100, func() {
			arg, _ := checkArg(tt.arg)
			_, _, err = c.appendParam(dst, tt.oid, arg)
		})
		if allocs != 0 || err != nil {
			t.Errorf("%T for type %d: %v allocations (%v)", tt.arg, tt.oid, allocs, err)
		}
	}
}

func TestCommonResultsShareAllocations(t *testing.T) {
	c := pgxCodecs()
	for _, tt := range []struct {
		oid    uint32
		format int16
		src    string
		most   float64 // allocations of 1000 values
	}{
		{pgtype.Int8OID, binaryFormat, "\x00\x00\x01\x00\x00\x00\x00\x00", 17},
		{pgtype.Int4OID, textFormat, "123456", 17},
		{pgtype.Float8OID, binaryFormat, "\x3f\xf8\x00\x00\x00\x00\x00\x00", 17},
		{pgtype.TimestamptzOID, binaryFormat, "\x00\x00\x01\x00\x00\x00\x00\x00", 25},
		{pgtype.TimestampOID, textFormat, "2020-01-02 03:04:05", 25},
		{pgtype.BoolOID, binaryFormat, "\x01", 0},
		{pgtype.TextOID, textFormat, "sixteen letters!", 17 + 17},
		{pgtype.UUIDOID, binaryFormat, "0123456789abcdef", 17 + 37},
		{pgtype.TextOID, textFormat, strings.Repeat("x", 65), 2000},
	} {
		decode, src := c.decoder(tt.oid, tt.format), []byte(tt.src)
		allocs := testing.AllocsPerRun(10, func() {
			for range 1000 {
				if _, err := decode(c, src); err != nil {
					t.Fatal(err)
				}
			}
		})
		if allocs > tt.most {
			t.Errorf("type %d in format %d: %v allocations for 1000 values, want at most %v", tt.oid, tt.format, allocs, tt.most)
		}
	}
}

func TestDecodedValuesStayWhenTheBufferChanges(t *testing.T) {
	t.Parallel()
	c := pgxCodecs()
	src := []byte("0000")
	var values []any
	for i := range 500 {
		copy(src, fmt.Sprintf("%04d", i))
		for _, oid := range []uint32{pgtype.TextOID, pgtype.Int4OID, pgtype.Float8OID, pgtype.JSONOID} {
			v, err := decode(c, wireColumn{oid: oid, raw: src})
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, v)
		}
	}
	for i := range 500 {
		text := fmt.Sprintf("%04d", i)
		want := []any{text, int64(i), float64(i), []byte(text)}
		if got := values[4*i : 4*i+4]; !reflect.DeepEqual(got, want) {
			t.Fatalf("row %d became %v, want %v", i, got, want)
		}
	}
}

// TestResultsOfCompatPq holds what lib/pq 1.12.3 gives, where it differs from pgx.
func TestResultsOfCompatPq(t *testing.T) {
	t.Parallel()
	c := pqCodecs()
	for _, tt := range []struct {
		oid    uint32
		format int16
		src    string
		want   any
	}{
		{pgtype.OIDOID, textFormat, "26", []byte("26")},
		{pgtype.OIDOID, binaryFormat, "\xff\xff\xff\xff", []byte("4294967295")},
		{pgtype.Float4OID, binaryFormat, "\x3f\x8c\xcc\xcd", 1.1},
		{pgtype.NumericOID, textFormat, "1.50", []byte("1.50")},
		{pgtype.UUIDOID, binaryFormat, "0123456789abcdef", []byte("30313233-3435-3637-3839-616263646566")},
		{pgtype.NameOID, textFormat, "n", []byte("n")},
		{pgtype.VarcharOID, textFormat, "v", "v"},
		{pgtype.QCharOID, textFormat, "c", "c"},
		{pgtype.TextArrayOID, textFormat, "{a}", []byte("{a}")},
		{99999, textFormat, "x", []byte("x")},
		{pgtype.DateOID, textFormat, "infinity", []byte("infinity")},
		{pgtype.TimestampOID, binaryFormat, "\x80\x00\x00\x00\x00\x00\x00\x00", []byte("-infinity")},
		{pgtype.DateOID, textFormat, "2020-01-02", time.Date(2020, 1, 2, 0, 0, 0, 0, noZone)},
		{pgtype.TimeOID, textFormat, "03:04:05.6", time.Date(0, 1, 1, 3, 4, 5, 6e8, time.UTC)},
		{pgtype.TimeOID, textFormat, "24:00:00", time.Date(0, 1, 2, 0, 0, 0, 0, time.UTC)},
		{pgtype.TimetzOID, textFormat, "03:04:05-05:30", time.Date(0, 1, 1, 3, 4, 5, 0, time.FixedZone("", -19800))},
	} {
		got, err := decode(c, wireColumn{oid: tt.oid, format: tt.format, raw: []byte(tt.src)})
		if err != nil || !sameValue(got, tt.want) {
			t.Errorf("type %d: %q = %#v (%v), want %#v", tt.oid, tt.src, got, err, tt.want)
		}
	}
}

func TestStringsForByteaAreBytesInCompatPq(t *testing.T) {
	t.Parallel()
	c := pqCodecs()
	wire, format, err := c.appendParam(nil, pgtype.ByteaOID, `\x41`)
	if err != nil || format != binaryFormat || string(wire[4:]) != `\x41` {
		t.Errorf("known: %q in format %d (%v)", wire, format, err)
	}
	if _, ok, err := c.appendTextParam(nil, `\x41`); ok || err != nil {
		t.Errorf("a backslash was sent without asking (%v)", err)
	}
	if _, ok, err := c.appendTextParam(nil, "plain"); !ok || err != nil {
		t.Errorf("plain text is asked for (%v)", err)
	}
}

func TestNamedNumbersAreNumbersInCompatPq(t *testing.T) {
	t.Parallel()
	wire, _, err := pqCodecs().appendParam(nil, pgtype.TextOID, color(1))
	if err != nil || string(wire[4:]) != "1" {
		t.Errorf("color(1) as text = %q (%v), want 1", wire, err)
	}
}

func TestNamedNumbersInArraysAreNumbersInCompatPq(t *testing.T) {
	t.Parallel()
	wire, _, err := pqCodecs().appendParam(nil, pgtype.TextOID, []color{0, 1})
	if err != nil || string(wire[4:]) != "{0,1}" {
		t.Errorf("[]color{0, 1} as text = %q (%v), want {0,1}", wire, err)
	}
}

func TestArraysHaveTheTextOfBothPeers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		oid  uint32
		arg  any
		want string
	}{
		{pgtype.TextArrayOID, []bool{true, false}, "{t,f}"},
		{pgtype.TextOID, []bool{true, false}, "{t,f}"},
		{pgtype.JSONBArrayOID, []bool{true, false}, "{true,false}"},
		{pgtype.TextArrayOID, []float32{1.1}, "{1.1}"},
		{pgtype.Float8ArrayOID, []float32{1.1}, "{1.100000023841858}"},
		{pgtype.TextOID, pgtype.FlatArray[string]{"a"}, "{a}"},
		{pgtype.TextOID, pgtype.Array[int32]{Elements: []int32{1, 2}, Dims: []pgtype.ArrayDimension{{Length: 2}}, Valid: true}, "[0:1]={1,2}"},
	} {
		for _, c := range []*codecs{pqCodecs(), pgxCodecs()} {
			wire, _, err := c.appendParam(nil, tt.oid, tt.arg)
			if err != nil || string(wire[4:]) != tt.want {
				t.Errorf("compat=%s: %v for type %d: %q (%v), want %s", c.compat, tt.arg, tt.oid, wire, err, tt.want)
			}
		}
	}
}

func TestNumbersThatPrintAsWordsAreNumbersForUnknownTypes(t *testing.T) {
	t.Parallel()
	c := pgxCodecs()
	const enum = firstUserOID + 1
	c.types.RegisterType(&pgtype.Type{Name: "mood", OID: enum, Codec: &pgtype.EnumCodec{}})
	for oid, want := range map[uint32]string{firstUserOID: "1", enum: "green", pgtype.TextOID: "green", pgtype.Int4OID: "1"} {
		wire, format, err := c.appendParam(nil, oid, color(1))
		if err != nil || format == textFormat && string(wire[4:]) != want {
			t.Errorf("type %d: %q (%v), want %s", oid, wire, err, want)
		}
	}
}

func TestInfiniteTimesAreClamped(t *testing.T) {
	t.Parallel()
	c := newCodecs(pgtype.NewMap(), CompatPgx, InfinityClamp, func() *time.Location { return time.UTC })
	for _, tt := range []struct {
		oid  uint32
		text string
		want time.Time
	}{
		{pgtype.DateOID, "infinity", lastDate},
		{pgtype.DateOID, "-infinity", firstTime},
		{pgtype.TimestampOID, "infinity", lastTimestamp},
		{pgtype.TimestamptzOID, "-infinity", firstTime},
	} {
		got, err := decode(c, wireColumn{oid: tt.oid, raw: []byte(tt.text)})
		if err != nil || !sameValue(got, tt.want) {
			t.Fatalf("%s of type %d = %v (%v), want %v", tt.text, tt.oid, got, err, tt.want)
		}
		wire, format, err := c.appendParam(nil, tt.oid, got)
		if err != nil || format != textFormat || string(wire[4:]) != tt.text {
			t.Errorf("%v for type %d = %q (%v), want %s", got, tt.oid, wire, err, tt.text)
		}
	}
}

func TestColumnTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		oid      uint32
		typmod   int32
		length   int64
		lengthOK bool
	}{
		{pgtype.TextOID, -1, math.MaxInt64, true},
		{pgtype.ByteaOID, -1, math.MaxInt64, true},
		{pgtype.VarcharOID, 14, 10, true},
		{pgtype.VarcharOID, -1, 0, false},
		{pgtype.BPCharOID, 5, 1, true},
		{pgtype.VarbitOID, 7, 7, true},
		{pgtype.VarbitOID, -1, 0, false},
		{pgtype.Int4OID, -1, 0, false},
	} {
		length, ok := typeLength(tt.oid, tt.typmod)
		if ok != tt.lengthOK || ok && length != tt.length {
			t.Errorf("length of type %d with %d = %d, %t", tt.oid, tt.typmod, length, ok)
		}
	}
	for _, tt := range []struct {
		typmod           int32
		precision, scale int64
		ok               bool
	}{{10<<16 | 2 + 4, 10, 2, true}, {3<<16 | 0x7fe + 4, 3, -2, true}, {-1, 0, 0, false}} {
		precision, scale, ok := typePrecisionScale(pgtype.NumericOID, tt.typmod)
		if precision != tt.precision || scale != tt.scale || ok != tt.ok {
			t.Errorf("precision of %d = %d, %d, %t", tt.typmod, precision, scale, ok)
		}
	}
	for oid, want := range map[uint32]string{23: "INT4", 1007: "_INT4", 790: "MONEY", 3220: "PG_LSN", 16384: ""} {
		if got, ok := builtinTypeName(oid); got != want || ok != (want != "") {
			t.Errorf("name of type %d = %q, %t", oid, got, ok)
		}
	}
	for _, tt := range []struct {
		oid     uint32
		pgx, pq reflect.Type
	}{
		{pgtype.Int4OID, reflect.TypeFor[int32](), reflect.TypeFor[int32]()},
		{pgtype.NumericOID, reflect.TypeFor[string](), reflect.TypeFor[any]()},
		{pgtype.TimeOID, reflect.TypeFor[string](), reflect.TypeFor[time.Time]()},
		{pgtype.DateOID, reflect.TypeFor[time.Time](), reflect.TypeFor[time.Time]()},
		{pgtype.TextOID, reflect.TypeFor[string](), reflect.TypeFor[string]()},
	} {
		if pgx, pq := scanType(tt.oid, CompatPgx), scanType(tt.oid, CompatPq); pgx != tt.pgx || pq != tt.pq {
			t.Errorf("scan types of %d = %v, %v", tt.oid, pgx, pq)
		}
	}
}

func TestSelfReferringPointersAreRefused(t *testing.T) {
	t.Parallel()
	type loop *loop
	var p loop
	p = &p
	if _, err := checkArg(p); err == nil {
		t.Error("a pointer to itself was accepted")
	}
}

func TestValuesAboveTheServersLimitAreRefused(t *testing.T) {
	t.Parallel()
	c := pgxCodecs()
	huge := make([]byte, maxParam+1) // never touched: no memory is used
	for _, arg := range []any{huge, borrowed(huge)} {
		if _, _, err := c.appendParam(nil, pgtype.ByteaOID, arg); err == nil || !strings.Contains(err.Error(), "1 GiB") {
			t.Errorf("%T: %v", arg, err)
		}
		if dst, ok, err := c.appendTextParam(nil, arg); len(dst) > 0 || ok && err == nil {
			t.Errorf("%T without the type: %d bytes (%v)", arg, len(dst), err)
		}
	}
}
