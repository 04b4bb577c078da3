package driver

import (
	"math"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// varHeaderSize is what PostgreSQL adds to the declared length in a type modifier.
const varHeaderSize = 4

var scanTypes = map[uint32]reflect.Type{
	pgtype.Float8OID:      reflect.TypeFor[float64](),
	pgtype.Float4OID:      reflect.TypeFor[float32](),
	pgtype.Int8OID:        reflect.TypeFor[int64](),
	pgtype.Int4OID:        reflect.TypeFor[int32](),
	pgtype.Int2OID:        reflect.TypeFor[int16](),
	pgtype.BoolOID:        reflect.TypeFor[bool](),
	pgtype.DateOID:        reflect.TypeFor[time.Time](),
	pgtype.TimestampOID:   reflect.TypeFor[time.Time](),
	pgtype.TimestamptzOID: reflect.TypeFor[time.Time](),
	pgtype.ByteaOID:       reflect.TypeFor[[]byte](),
}

// scanType is a Go type that holds every value of the type, NULL apart.
func scanType(oid uint32, compat Compat) reflect.Type {
	if t, ok := scanTypes[oid]; ok {
		return t
	}
	if compat != CompatPq {
		return reflect.TypeFor[string]()
	}
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BitOID, pgtype.VarbitOID:
		return reflect.TypeFor[string]()
	case pgtype.TimeOID, pgtype.TimetzOID:
		return reflect.TypeFor[time.Time]()
	}
	return reflect.TypeFor[any]()
}

// typeLength is the declared length of a type of variable length, MaxInt64 when it has no limit of its own.
// ok is false for types of fixed length and for those declared without a length.
func typeLength(oid uint32, typmod int32) (length int64, ok bool) {
	switch oid {
	case pgtype.TextOID, pgtype.ByteaOID:
		return math.MaxInt64, true
	case pgtype.VarcharOID, pgtype.BPCharOID:
		return int64(typmod) - varHeaderSize, typmod >= varHeaderSize
	case pgtype.VarbitOID, pgtype.BitOID:
		return int64(typmod), typmod >= 0
	}
	return 0, false
}

// typePrecisionScale is the declared precision and scale of a numeric column; ok is false without a declaration.
// The scale may be negative.
func typePrecisionScale(oid uint32, typmod int32) (precision, scale int64, ok bool) {
	if oid != pgtype.NumericOID && oid != pgtype.NumericArrayOID || typmod < varHeaderSize {
		return 0, 0, false
	}
	mod := typmod - varHeaderSize
	scale = int64(mod&0x7ff^0x400) - 0x400 // 11 bits with a sign
	return int64(mod >> 16 & 0xffff), scale, true
}
