package driver

import (
	"encoding/binary"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"
)

// binaryElements are the types of elements that slices have a binary form for, without a guess.
var binaryElements = map[uint32]int{
	pgtype.TextOID: binaryString, pgtype.VarcharOID: binaryString, pgtype.BPCharOID: binaryString,
	pgtype.Int2OID: binaryInteger, pgtype.Int4OID: binaryInteger, pgtype.Int8OID: binaryInteger,
	pgtype.Float8OID: binaryFloat, pgtype.BoolOID: binaryOther, pgtype.TimestamptzOID: binaryTime, pgtype.ByteaOID: binaryOther,
}

// arrayHasBinary reports whether a slice has a binary form as an array of elements of the type.
func arrayHasBinary(elem uint32, v any) bool {
	kind := binaryElements[elem]
	switch v.(type) {
	case []string:
		return kind == binaryString
	case []int64, []int32, []int:
		return kind == binaryInteger
	case []float64:
		return kind == binaryFloat
	case []time.Time:
		return kind == binaryTime
	case []bool:
		return elem == pgtype.BoolOID
	case [][]byte:
		return elem == pgtype.ByteaOID
	}
	return false
}

// appendBinaryArray appends a slice with its length. done is false for what has no such form.
func (cc *CopyCodec) appendBinaryArray(dst []byte, oid uint32, arg any) (_ []byte, done bool, err error) {
	elem, _, ok := cc.codecs.element(cc.codecs.base(oid))
	if !ok || !arrayHasBinary(cc.codecs.base(elem), arg) {
		return dst, false, nil
	}
	switch v := arg.(type) {
	case []string:
		dst, err = appendElements(cc, dst, elem, v, arg, stringType)
	case []int64:
		dst, err = appendElements(cc, dst, elem, v, arg, int64Type)
	case []int32:
		dst, err = appendElements(cc, dst, elem, v, arg, int32Type)
	case []int:
		dst, err = appendElements(cc, dst, elem, v, arg, intType)
	case []float64:
		dst, err = appendElements(cc, dst, elem, v, arg, float64Type)
	case []bool:
		dst, err = appendElements(cc, dst, elem, v, arg, boolType)
	case []time.Time:
		dst, err = appendElements(cc, dst, elem, v, arg, timeType)
	case [][]byte:
		dst, err = appendElements(cc, dst, elem, v, arg, bytesType)
	}
	return dst, true, err
}

var (
	int32Type = typeWord(int32(0))
	intType   = typeWord(int(0))
	boolType  = typeWord(false)
	bytesType = typeWord([]byte(nil))
)

// appendElements appends an array of one dimension, or of none when it is empty; a nil slice is NULL.
func appendElements[T any](cc *CopyCodec, dst []byte, elem uint32, v []T, arg any, typ unsafe.Pointer) (_ []byte, err error) {
	if v == nil {
		return append(dst, nullLength...), nil
	}
	start := len(dst)
	dimensions := uint32(min(len(v), 1))
	dst = binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 0), dimensions)
	flags := len(dst)
	dst = binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 0), elem)
	if dimensions == 1 {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v)))
		dst = binary.BigEndian.AppendUint32(dst, 1) // the lower bound
	}
	for i := range v {
		at := len(dst)
		if dst, err = cc.AppendBinary(dst, elem, borrow(&v[i], typ)); err != nil {
			return dst[:start], err
		}
		if string(dst[at:]) == nullLength {
			dst[flags+3] = 1 // there are NULLs
		}
	}
	return closeValue(dst, start, arg)
}
