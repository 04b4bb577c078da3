package driver

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// ReadsBinary reports whether the codec has a decoder for the binary values of a type. Others are better asked for as text.
func (cc *CopyCodec) ReadsBinary(oid uint32) bool {
	return oid < firstUserOID && cc.codecs.resultFormat(oid) == binaryFormat || isTextual(oid)
}

// DecodeBinary returns the value of a binary field that is not NULL: what a query's Scan(*any) gives.
func (cc *CopyCodec) DecodeBinary(oid uint32, src []byte) (any, error) {
	return cc.codecs.decoder(oid, binaryFormat)(cc.codecs, src)
}

// DecodeText returns the value of a field's text, which is not NULL: what a query's Scan(*any) gives.
func (cc *CopyCodec) DecodeText(oid uint32, src []byte) (any, error) {
	return cc.codecs.decoder(oid, textFormat)(cc.codecs, src)
}

// DecodeTime returns a binary date, timestamp or timestamptz. ok is false for other types and for the infinite ones.
func (cc *CopyCodec) DecodeTime(oid uint32, src []byte) (t time.Time, ok bool) {
	switch {
	case oid == pgtype.DateOID && len(src) == 4:
		days := int32(binary.BigEndian.Uint32(src))
		if days == math.MaxInt32 || days == math.MinInt32 {
			return t, false
		}
		return dateAt(days).In(cc.codecs.zoneless()), true
	case (oid == pgtype.TimestamptzOID || oid == pgtype.TimestampOID) && len(src) == 8:
		micros := int64(binary.BigEndian.Uint64(src))
		if micros == math.MaxInt64 || micros == math.MinInt64 {
			return t, false
		}
		if oid == pgtype.TimestamptzOID {
			return timestampAt(micros).In(cc.codecs.location()), true
		}
		return timestampAt(micros).In(cc.codecs.zoneless()), true
	}
	return t, false
}

// String returns src as a string. Short ones share memory in slabs of 1 KiB.
func (cc *CopyCodec) String(src []byte) string { return cc.codecs.box.copied(src) }
