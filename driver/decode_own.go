package driver

import "github.com/jackc/pgx/v5/pgtype"

// ownForm names the columns whose values have a Go type of their own: most columns of most results.
type ownForm byte

const (
	ownNone ownForm = iota
	ownText
	ownInt8
	ownInt4
	ownFloat8
	ownBool
	ownBytes
	ownTimestamptz
)

// ownFormOf is the form of a column of a type in a format.
func ownFormOf(oid uint32, format int16) ownForm {
	switch {
	case oid == pgtype.TextOID || oid == pgtype.VarcharOID || oid == pgtype.NumericOID && format == textFormat:
		return ownText
	case format != binaryFormat:
		return ownNone
	}
	switch oid {
	case pgtype.Int8OID:
		return ownInt8
	case pgtype.Int4OID:
		return ownInt4
	case pgtype.Float8OID:
		return ownFloat8
	case pgtype.BoolOID:
		return ownBool
	case pgtype.ByteaOID:
		return ownBytes
	case pgtype.TimestamptzOID:
		return ownTimestamptz
	}
	return ownNone
}
