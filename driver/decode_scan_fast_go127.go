//go:build go1.27

package driver

import (
	"database/sql"
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"uuid"

	"github.com/jackc/pgx/v5/pgtype"
)

// scanFast stores a value in the usual destinations without boxing it. ok is false, and dest is as it was, for whatever
// does not fit exactly: database/sql converts or refuses it then.
func (c *codecs) scanFast(oid uint32, format int16, src []byte, dest any) (ok bool) {
	switch d := dest.(type) {
	case *string:
		return d != nil && c.fastString(oid, format, src, d)
	case *[]byte:
		return d != nil && fastBytes(oid, format, src, d)
	case *int64, *int, *int32, *int16, *int8, *uint64, *uint, *uint32, *uint16, *uint8:
		return fastInteger(oid, format, src, d)
	case *bool:
		return d != nil && fastBool(oid, format, src, d)
	case *float64:
		return d != nil && c.fastFloat(oid, format, src, d)
	case *float32:
		return d != nil && fastFloat32(oid, format, src, d)
	case *time.Time:
		return d != nil && c.fastTime(oid, format, src, d)
	case *uuid.UUID:
		if d != nil && oid == pgtype.UUIDOID && format == binaryFormat && len(src) == 16 {
			*d = uuid.UUID(src)
			return true
		}
		return false
	}
	return c.scanFastNull(oid, format, src, dest)
}

// scanFastNull is scanFast for the sql.Null types, which are valid when their value was stored.
func (c *codecs) scanFastNull(oid uint32, format int16, src []byte, dest any) (ok bool) {
	switch d := dest.(type) {
	case *sql.NullString:
		ok = d != nil && c.fastString(oid, format, src, &d.String)
		if ok {
			d.Valid = true
		}
	case *sql.NullInt64:
		ok = d != nil && fastInteger(oid, format, src, &d.Int64)
		if ok {
			d.Valid = true
		}
	case *sql.NullInt32:
		ok = d != nil && fastInteger(oid, format, src, &d.Int32)
		if ok {
			d.Valid = true
		}
	case *sql.NullBool:
		ok = d != nil && fastBool(oid, format, src, &d.Bool)
		if ok {
			d.Valid = true
		}
	case *sql.NullFloat64:
		ok = d != nil && c.fastFloat(oid, format, src, &d.Float64)
		if ok {
			d.Valid = true
		}
	case *sql.NullTime:
		ok = d != nil && c.fastTime(oid, format, src, &d.Time)
		if ok {
			d.Valid = true
		}
	}
	return ok
}

// isTextColumn tells whether a column's value is the text that came.
func isTextColumn(oid uint32, format int16) bool {
	if isTextual(oid) {
		return true
	}
	return format == textFormat && (oid == pgtype.NumericOID || oid == pgtype.JSONBOID || oid >= firstUserOID)
}

func (c *codecs) fastString(oid uint32, format int16, src []byte, d *string) bool {
	if isTextColumn(oid, format) {
		*d = c.box.copied(src)
		return true
	}
	if n, ok := readInteger(oid, format, src); ok {
		*d = strconv.FormatInt(n, 10)
		return true
	}
	if oid == pgtype.UUIDOID && format == binaryFormat && len(src) == 16 {
		var text [36]byte
		*d = string(appendUUID(text[:0], [16]byte(src)))
		return true
	}
	return false
}

func fastBytes(oid uint32, format int16, src []byte, d *[]byte) bool {
	if isTextColumn(oid, format) || oid == pgtype.ByteaOID && format == binaryFormat {
		*d = copied(src)
		return true
	}
	return false
}

// readInteger reads a column of type int2, int4 or int8 in either format.
func readInteger(oid uint32, format int16, src []byte) (n int64, ok bool) {
	if oid != pgtype.Int8OID && oid != pgtype.Int4OID && oid != pgtype.Int2OID {
		return 0, false
	}
	if format == textFormat {
		n, err := strconv.ParseInt(borrowed(src), 10, 64)
		return n, err == nil
	}
	switch {
	case oid == pgtype.Int8OID && len(src) == 8:
		return int64(binary.BigEndian.Uint64(src)), true
	case oid == pgtype.Int4OID && len(src) == 4:
		return int64(int32(binary.BigEndian.Uint32(src))), true
	case oid == pgtype.Int2OID && len(src) == 2:
		return int64(int16(binary.BigEndian.Uint16(src))), true
	}
	return 0, false
}

func fastInteger(oid uint32, format int16, src []byte, dest any) bool {
	n, ok := readInteger(oid, format, src)
	if !ok {
		return false
	}
	switch d := dest.(type) {
	case *int64:
		return storeInteger(d, n)
	case *int:
		return storeInteger(d, n)
	case *int32:
		return storeInteger(d, n)
	case *int16:
		return storeInteger(d, n)
	case *int8:
		return storeInteger(d, n)
	case *uint64:
		return n >= 0 && storeInteger(d, n)
	case *uint:
		return n >= 0 && storeInteger(d, n)
	case *uint32:
		return n >= 0 && storeInteger(d, n)
	case *uint16:
		return n >= 0 && storeInteger(d, n)
	case *uint8:
		return n >= 0 && storeInteger(d, n)
	}
	return false
}

// storeInteger stores n where it fits.
func storeInteger[T int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64](d *T, n int64) bool {
	if d == nil || int64(T(n)) != n {
		return false
	}
	*d = T(n)
	return true
}

func fastBool(oid uint32, format int16, src []byte, d *bool) bool {
	if oid != pgtype.BoolOID || len(src) != 1 {
		return false
	}
	switch b := src[0]; {
	case format == binaryFormat:
		*d = b != 0
	case b == 't' || b == 'f':
		*d = b == 't'
	default:
		return false
	}
	return true
}

func (c *codecs) fastFloat(oid uint32, format int16, src []byte, d *float64) bool {
	switch {
	case format != binaryFormat:
		return false
	case oid == pgtype.Float8OID && len(src) == 8:
		*d = math.Float64frombits(binary.BigEndian.Uint64(src))
		return true
	case oid == pgtype.Float4OID && len(src) == 4 && !c.isPq():
		*d = float64(math.Float32frombits(binary.BigEndian.Uint32(src)))
		return true
	}
	return false
}

func fastFloat32(oid uint32, format int16, src []byte, d *float32) bool {
	if oid != pgtype.Float4OID || format != binaryFormat || len(src) != 4 {
		return false
	}
	f := math.Float32frombits(binary.BigEndian.Uint32(src))
	if f != f {
		return false
	}
	*d = f
	return true
}

func (c *codecs) fastTime(oid uint32, format int16, src []byte, d *time.Time) bool {
	if format != binaryFormat {
		return false
	}
	switch {
	case oid == pgtype.DateOID && len(src) == 4:
		if days := int32(binary.BigEndian.Uint32(src)); days != math.MaxInt32 && days != math.MinInt32 {
			*d = dateAt(days).In(c.zoneless())
			return true
		}
	case (oid == pgtype.TimestamptzOID || oid == pgtype.TimestampOID) && len(src) == 8:
		loc := c.zoneless()
		if oid == pgtype.TimestamptzOID {
			loc = c.location()
		}
		return storeTimestamp(d, int64(binary.BigEndian.Uint64(src)), loc)
	}
	return false
}

// storeTimestamp stores the time so many microseconds after 2000-01-01, unless it is an infinite one.
func storeTimestamp(d *time.Time, micros int64, loc *time.Location) bool {
	if micros == math.MaxInt64 || micros == math.MinInt64 {
		return false
	}
	*d = timestampAt(micros).In(loc)
	return true
}
