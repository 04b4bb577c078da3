package driver_test

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// FuzzCopyNumeric reads back what the codec makes of decimal text, with pgtype as the oracle.
func FuzzCopyNumeric(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "1.50", "123456789.987654321", "0.0001", "0.00012", "10000", "1e20", "1E-20", "12e-1", ".5", "5.", "NaN", "-Infinity", "1e", "", "-", "1.2.3", " 7 "} {
		f.Add(s)
	}
	types := pgtype.NewMap()
	cc := driver.NewCopyCodec()
	f.Fuzz(func(t *testing.T, text string) {
		b, err := cc.AppendBinary(nil, pgtype.NumericOID, text)
		if err != nil {
			return
		}
		var n pgtype.Numeric
		if err := types.Scan(pgtype.NumericOID, pgtype.BinaryFormatCode, b[4:], &n); err != nil {
			t.Fatalf("%q is %x: %v", text, b, err)
		}
		want, ok := new(big.Rat).SetString(trimmed(text))
		if !ok || n.NaN || n.InfinityModifier != 0 {
			return
		}
		got := new(big.Rat).SetInt(n.Int)
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n.Exp, -n.Exp))), nil))
		if n.Exp < 0 {
			scale.Inv(scale)
		}
		if got.Mul(got, scale).Cmp(want) != 0 {
			t.Errorf("%q is %x: %v, want %v", text, b, got, want)
		}
	})
}

func trimmed(s string) string {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

func TestCopyCodecRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	cc := driver.NewCopyCodec()
	for _, tt := range []struct {
		oid uint32
		v   any
	}{
		{pgtype.Int4OID, 1.5},
		{pgtype.Int2OID, 40_000},
		{pgtype.Int8OID, "x"},
		{pgtype.BoolOID, 2},
		{pgtype.TextOID, "\xff"},
		{pgtype.TextOID, "a\x00"},
		{pgtype.UUIDOID, "00"},
		{pgtype.UUIDOID, []byte("7")},
		{pgtype.NumericOID, "1,5"},
		{pgtype.NumericOID, "1e999999"},
		{pgtype.ByteaOID, `\xg`},
		{pgtype.DateOID, "soon"},
		{pgtype.VarbitOID, "7"},
		{pgtype.Int4ArrayOID, [][]int{{1}, {2}}},
		{pgtype.Int4ArrayOID, []int64{1 << 40}},
		{pgtype.OIDOID, -1},
		{pgtype.Int4OID, time.Now()},
	} {
		if out, err := cc.AppendBinary([]byte("before"), tt.oid, tt.v); err == nil || string(out) != "before" {
			t.Errorf("%T %v as %s: %q, %v", tt.v, tt.v, cc.TypeName(tt.oid), out, err)
		}
	}
}

func TestCopyQueryRefusesWrongArguments(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for query, args := range map[string][]any{"select $1": nil, "select 1": {1}, "select 1; select 2": nil, "select $1::int": {"x y"}, "selec $1": {1}} {
		inside(t, db, func(ctx context.Context, c *driver.Conn) {
			text, err := c.CopyQuery(ctx, query, args)
			if query == "select $1::int" { // the server is the one to say
				if err != nil || text != `select ('x y'::pg_catalog."int4")::int` {
					t.Errorf("%s: %q, %v", query, text, err)
				}
				return
			}
			if err == nil {
				t.Errorf("%s: %q", query, text)
			}
		})
	}
}
