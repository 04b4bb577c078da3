package driver

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// FuzzDecodersReadAsPgtypeDoes compares every decoder, text and binary, with pgtype, where both read the bytes.
func FuzzDecodersReadAsPgtypeDoes(f *testing.F) {
	for oid := range pgxDecoders {
		for _, format := range []int16{textFormat, binaryFormat} {
			for _, seed := range []string{
				"t", "f", "-9223372036854775808", "1.5e-300", "NaN", "Infinity", `\x00ff`, `\\\001`, "{}", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
				"2020-02-29", "0044-03-15 BC", "2020-02-29 23:59:59.999999+05:30", "1\xff", "\x00", "\x00\x01", "\x00\x00\x00\x01",
				"\x00\x00\x00\x00\x00\x00\x00\x01", "\xff\xf8\x00\x00\x00\x00\x00\x00", "0123456789abcdef",
			} {
				f.Add(oid, format == binaryFormat, []byte(seed))
			}
		}
	}
	utc := func() *time.Location { return time.UTC }
	c := newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, utc)
	f.Fuzz(func(t *testing.T, oid uint32, binary bool, src []byte) {
		d, known := pgxDecoders[oid]
		if !known || binary && d.binary == nil {
			return
		}
		format := int16(textFormat)
		if binary {
			format = binaryFormat
		}
		got, err := c.decoder(oid, format)(c, src)
		if err != nil {
			return
		}
		want := reflect.New(reflect.TypeOf(got))
		if err := c.types.Scan(oid, format, src, want.Interface()); err != nil || readsOtherwise(oid, binary, src) {
			return
		}
		if at, ok := got.(time.Time); ok { // the zones differ in their names
			if theirs := want.Elem().Interface().(time.Time); !at.Equal(theirs) {
				t.Errorf("type %d, format %d: %q is %v, pgtype reads %v", oid, format, src, at, theirs)
			}
			return
		}
		if !sameValue(got, want.Elem().Interface()) {
			t.Errorf("type %d, format %d: %q is %#v, pgtype reads %#v", oid, format, src, got, want.Elem())
		}
	})
}

// readsOtherwise tells of what no server sends, and is not read alike: a byte of a bool that is neither 0 nor 1, a number beyond
// float4.
func readsOtherwise(oid uint32, binary bool, src []byte) bool {
	return oid == pgtype.BoolOID && binary && src[0] > 1 || oid == pgtype.Float4OID && !binary
}

// encodedTypes are the types that a Go value is encoded for in binary or text, and read by pgtype again.
var encodedTypes = []struct {
	oid  uint32
	make func(n int64, s []byte) any
}{
	{pgtype.Int2OID, func(n int64, _ []byte) any { return int16(n) }},
	{pgtype.Int4OID, func(n int64, _ []byte) any { return int32(n) }},
	{pgtype.Int8OID, func(n int64, _ []byte) any { return n }},
	{pgtype.Float8OID, func(n int64, _ []byte) any { return float64(n) / 1024 }},
	{pgtype.Float4OID, func(n int64, _ []byte) any { return float32(n%1000) / 8 }},
	{pgtype.BoolOID, func(n int64, _ []byte) any { return n&1 == 1 }},
	{pgtype.ByteaOID, func(_ int64, s []byte) any { return s }},
	{pgtype.TextOID, func(_ int64, s []byte) any {
		return string(bytes.ToValidUTF8(bytes.ReplaceAll(s, []byte{0}, nil), nil))
	}},
	{pgtype.UUIDOID, func(_ int64, s []byte) any { var u [16]byte; copy(u[:], s); return u }},
	{pgtype.DateOID, func(n int64, _ []byte) any { return time.Unix(n%(1e5)*86400, 0).UTC() }},
	{pgtype.TimestampOID, func(n int64, _ []byte) any { return time.UnixMicro(n % 1e17).UTC() }},
	{pgtype.TimestamptzOID, func(n int64, _ []byte) any { return time.UnixMicro(n % 1e17).UTC() }},
	{pgtype.TimeOID, func(n int64, _ []byte) any { return time.Duration(uint64(n)%86400e6) * time.Microsecond }},
	{pgtype.IntervalOID, func(n int64, _ []byte) any { return time.Duration(n%1e15) * time.Microsecond }},
	{pgtype.InetOID, func(_ int64, s []byte) any { var a [16]byte; copy(a[:], s); return netip.AddrFrom16(a).Unmap() }},
	{pgtype.CIDROID, func(n int64, s []byte) any {
		var a [4]byte
		copy(a[:], s)
		return netip.PrefixFrom(netip.AddrFrom4(a), int(uint64(n)%33)).Masked()
	}},
	{pgtype.NumericOID, func(n int64, _ []byte) any { return n }},
	{pgtype.Int8ArrayOID, func(n int64, s []byte) any { return slices.Repeat([]int64{n}, len(s)%4) }},
	{pgtype.ByteaArrayOID, func(n int64, s []byte) any { return slices.Repeat([][]byte{s}, int(uint64(n)%4)) }},
	{pgtype.JSONBOID, func(n int64, s []byte) any {
		return map[string]any{string(bytes.ToValidUTF8(s, nil)): float64(n % 1000)}
	}},
}

// FuzzEncodersAreReadByPgtype encodes values of every common type, and has pgtype read what they were.
func FuzzEncodersAreReadByPgtype(f *testing.F) {
	f.Add(int64(0), []byte(nil))
	f.Add(int64(-9223372036854775808), []byte("\x00\\\"{}',\xff"))
	f.Add(int64(9223372036854775807), []byte("0123456789abcdef"))
	f.Add(int64(1), []byte(`\x`))
	c := newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, func() *time.Location { return time.UTC })
	f.Fuzz(func(t *testing.T, n int64, s []byte) {
		if s == nil {
			s = []byte{}
		}
		for _, e := range encodedTypes {
			want := e.make(n, s)
			arg, err := checkArg(want)
			if err != nil {
				t.Fatalf("%T %v: %v", want, want, err)
			}
			wire, format, err := c.appendParam(nil, e.oid, arg)
			if err != nil {
				if e.oid == pgtype.JSONBOID { // NUL has no place in jsonb
					continue
				}
				t.Fatalf("type %d: %#v: %v", e.oid, want, err)
			}
			readByPgtype(t, c, e.oid, format, wire, want)
			switch wire, ok, err := c.appendTextParam(nil, arg); {
			case err != nil:
				t.Fatalf("%#v: %v", want, err)
			case ok && e.oid != pgtype.DateOID && e.oid != pgtype.TimestampOID: // to which the server casts a text with a zone, pgtype does not
				readByPgtype(t, c, e.oid, textFormat, wire, want)
			}
		}
	})
}

// readByPgtype checks that pgtype reads a parameter as the value that it was made of.
func readByPgtype(t *testing.T, c *codecs, oid uint32, format int16, wire []byte, want any) {
	t.Helper()
	got := reflect.New(reflect.TypeOf(want))
	if d, ok := want.(time.Duration); ok && oid == pgtype.TimeOID {
		want, got = pgtype.Time{Microseconds: d.Microseconds(), Valid: true}, reflect.New(reflect.TypeFor[pgtype.Time]())
	}
	if err := c.types.Scan(oid, format, wire[4:], got.Interface()); err != nil {
		t.Fatalf("type %d: %#v became %q, which pgtype does not read: %v", oid, want, wire[4:], err)
	}
	if read := got.Elem().Interface(); !reflect.DeepEqual(read, want) && !sameInstant(read, want) {
		t.Errorf("type %d: %#v became %q, which pgtype reads as %#v", oid, want, wire[4:], read)
	}
}

func sameInstant(a, b any) bool {
	x, ok := a.(time.Time)
	y, same := b.(time.Time)
	return ok && same && x.Equal(y)
}
