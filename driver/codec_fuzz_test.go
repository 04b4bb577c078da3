package driver

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

func FuzzDecodersNeverPanic(f *testing.F) {
	for i, expression := range expressions {
		f.Add(uint32(i), []byte(expression))
	}
	f.Add(uint32(pgtype.ByteaOID), []byte(`\`))
	f.Add(uint32(pgtype.TimetzOID), []byte("24:00:00+"))
	f.Add(uint32(pgtype.DateOID), []byte("2020-02-30"))
	all := []*codecs{pgxCodecs(), pqCodecs()}
	f.Fuzz(func(t *testing.T, oid uint32, src []byte) {
		before := bytes.Clone(src)
		for _, c := range all {
			for _, format := range []int16{textFormat, binaryFormat, 2} {
				v, err := c.decoder(oid, format)(c, src)
				if err == nil && v == nil {
					t.Errorf("type %d in format %d: %q became NULL", oid, format, src)
				}
			}
		}
		if !bytes.Equal(before, src) {
			t.Errorf("type %d: decoding changed %q to %q", oid, before, src)
		}
	})
}

func FuzzTimestampTextIsReadAsPgtypeDoes(f *testing.F) {
	for _, seed := range []string{"2020-01-02 03:04:05.678901", "0044-03-15 00:00:00 BC", "294276-12-31 23:59:59.999999", "2020-01-01 24:00:00", "2020-02-30 00:00:00"} {
		f.Add(seed)
	}
	types := pgtype.NewMap()
	f.Fuzz(func(t *testing.T, src string) {
		var want pgtype.Timestamp
		got, ok := parseTimestamp([]byte(src))
		if err := types.Scan(pgtype.TimestampOID, textFormat, []byte(src), &want); err != nil || !ok || want.InfinityModifier != pgtype.Finite {
			return
		}
		if !got.Equal(want.Time) {
			t.Errorf("%q = %v, want %v", src, got, want.Time)
		}
	})
}

func FuzzTimesSurviveBothFormats(f *testing.F) {
	f.Add(int64(0), int64(0), 0)
	f.Add(int64(-62167219200), int64(999999999), -1172)
	f.Add(int64(9224318015999), int64(999999000), 50400)
	f.Fuzz(func(t *testing.T, seconds, nanos int64, offset int) {
		if seconds > 9224318015998 || seconds < -210866803200 || offset > maxOffset || offset < -maxOffset {
			return
		}
		c := newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, func() *time.Location { return time.UTC })
		arg := time.Unix(seconds, 0).Add(time.Duration(nanos % 1e9)).In(time.FixedZone("", offset))
		want := roundTime(arg)
		text, ok := parseTimestamp(appendTimestamp(nil, arg))
		if !ok || !text.Equal(want) {
			t.Errorf("%v in text: %q is %v", arg, appendTimestamp(nil, arg), text)
		}
		wire, ok := c.appendBinaryTime(nil, pgtype.TimestamptzOID, arg)
		if !ok {
			return
		}
		if got, err := decodeTimestamptzBinary(c, wire); err != nil || !got.(time.Time).Equal(want) {
			t.Errorf("%v in binary: %v (%v)", arg, got, err)
		}
	})
}

func FuzzArraysAreReadAsPgtypeDoes(f *testing.F) {
	f.Add("a", "")
	f.Add(`"`, `\`)
	f.Add("NULL", "{,}")
	c := pgxCodecs()
	f.Fuzz(func(t *testing.T, a, b string) {
		want := []*string{&a, nil, &b}
		wire, format, err := c.appendParam(nil, pgtype.TextArrayOID, want)
		if checkText(a, "a") != nil || checkText(b, "b") != nil {
			if err == nil {
				t.Errorf("%q and %q were not refused", a, b)
			}
			return
		}
		var got []*string
		if err := c.types.Scan(pgtype.TextArrayOID, format, wire[4:], &got); err != nil {
			t.Fatalf("%q: %v", wire, err)
		}
		if len(got) != 3 || *got[0] != a || got[1] != nil || *got[2] != b {
			t.Errorf("%q was read as %v", wire, got)
		}
	})
}

func FuzzHstoresAreReadAsPgtypeDoes(f *testing.F) {
	f.Add("a", "", "b")
	f.Add(`"`, `\`, "NULL")
	f.Fuzz(func(t *testing.T, a, b, value string) {
		want := map[string]*string{a: nil, b: &value}
		text, err := appendHstore(nil, want)
		if err != nil {
			return
		}
		var got pgtype.Hstore
		if err := got.Scan(string(text)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		same := func(x, y *string) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
		if !maps.EqualFunc(got, want, same) {
			t.Errorf("%q was read as %v", text, got)
		}
	})
}

func FuzzBytesSurviveText(f *testing.F) {
	f.Add([]byte("\x00\\\xff"))
	f.Fuzz(func(t *testing.T, want []byte) {
		var escaped []byte
		for _, b := range want {
			switch {
			case b == '\\':
				escaped = append(escaped, `\\`...)
			case b < ' ' || b > '~':
				escaped = fmt.Appendf(escaped, `\%03o`, b)
			default:
				escaped = append(escaped, b)
			}
		}
		for _, text := range [][]byte{appendHex(nil, want), escaped} {
			got, err := decodeByteaText(nil, text)
			if err != nil || !bytes.Equal(got.([]byte), want) {
				t.Errorf("%q is read as %q (%v), want %q", text, got, err, want)
			}
		}
	})
}

func FuzzNumbersAreEncodedAsTheirText(f *testing.F) {
	f.Add(int64(math.MinInt64), 1e300)
	f.Add(int64(40000), -0.5)
	c := pgxCodecs()
	f.Fuzz(func(t *testing.T, n int64, x float64) {
		for _, oid := range []uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.TextOID} {
			wire, format, err := c.appendParam(nil, oid, n)
			if err != nil {
				t.Fatal(err)
			}
			if format == textFormat {
				oid = pgtype.Int8OID
			}
			if got, err := decode(c, wireColumn{oid: oid, format: format, raw: wire[4:]}); err != nil || got != n {
				t.Errorf("%d for type %d: %v (%v)", n, oid, got, err)
			}
		}
		for _, oid := range []uint32{pgtype.Float8OID, pgtype.TextOID} {
			wire, format, err := c.appendParam(nil, oid, x)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := decode(c, wireColumn{oid: pgtype.Float8OID, format: format, raw: wire[4:]}); err != nil || !sameValue(got, x) {
				t.Errorf("%v for type %d: %v (%v)", x, oid, got, err)
			}
		}
		if wire, _, err := c.appendParam(nil, pgtype.NumericOID, big.NewInt(n)); err != nil || string(wire[4:]) != fmt.Sprint(n) {
			t.Errorf("*big.Int %d: %q (%v)", n, wire, err)
		}
	})
}
