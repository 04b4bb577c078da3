package driver

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// bytesAreBinary tells whether bytes are the binary value of the type: those of bytea, 16 of a uuid, and what is no text for
// an opaque type.
func (c *codecs) bytesAreBinary(oid uint32, b []byte) bool {
	switch oid {
	case pgtype.ByteaOID:
		return true
	case pgtype.UUIDOID:
		return len(b) == 16
	}
	return c.isOpaque(oid, b)
}

// isOpaque tells whether bytes may be the binary form of a type of the database's own: bytes that are no text for a type of an
// extension (a geometry), and for a type that is not known what would be another text for a domain over bytea.
func (c *codecs) isOpaque(oid uint32, b []byte) bool {
	if oid < firstUserOID {
		return false
	}
	t, known := c.user.find(oid)
	switch {
	case !known:
		return differsInBytea(borrowed(b))
	case t.kind == 'b' && t.elem == 0:
		return bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b)
	}
	return false
}

// differsInBytea tells whether the bytes of s are not what bytea reads from the text s.
func differsInBytea(s string) bool {
	return strings.IndexByte(s, '\\') >= 0 || strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)
}

// appendBytesText appends the text form of bytes: hex for bytea, else the text that they are.
func (c *codecs) appendBytesText(dst []byte, oid uint32, b []byte) ([]byte, error) {
	switch {
	case oid == pgtype.ByteaOID:
		return appendHex(dst, b), nil
	case oid == pgtype.UUIDOID && len(b) == 16:
		return appendUUID(dst, [16]byte(b)), nil
	case oid == pgtype.UUIDOID && len(b) < 32:
		return dst, refuseValue(codeInvalidText, "[]byte of %d bytes is no uuid: it takes 16 bytes or the text of one", len(b))
	case c.isOpaque(oid, b):
		return dst, fmt.Errorf("[]byte for a type that is not known (OID %d): use a string", oid)
	}
	return appendString(dst, borrowed(b), "[]byte")
}

// fixedBytes is the value of an array of bytes, such as a uuid.
func fixedBytes(arg any) ([]byte, bool) {
	rv := reflect.ValueOf(arg)
	if rv.Kind() != reflect.Array || rv.Type().Elem() != reflect.TypeFor[byte]() {
		return nil, false
	}
	b := make([]byte, rv.Len())
	reflect.Copy(reflect.ValueOf(b), rv)
	return b, true
}

// appendFloat32Text appends the shortest text for types of 32 bits and for JSON, and for the others that of the same float64.
func appendFloat32Text(dst []byte, oid uint32, f float32) []byte {
	if oid != pgtype.Float4OID && !isJSON(oid) || f-f != 0 { // NaN and the infinities
		return appendFloat(dst, float64(f))
	}
	return strconv.AppendFloat(dst, float64(f), 'f', -1, 32)
}

func isJSON(oid uint32) bool { return oid == pgtype.JSONOID || oid == pgtype.JSONBOID }

// moneyOID has no name in pgtype.
const moneyOID = 790

// isNumber tells whether a type reads plain digits.
func isNumber(oid uint32) bool {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID,
		pgtype.OIDOID, pgtype.XIDOID, pgtype.CIDOID, pgtype.XID8OID, moneyOID:
		return true
	}
	return false
}

// isStringType tells whether a type stores any text.
func isStringType(oid uint32) bool {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.QCharOID, pgtype.UnknownOID, pgtype.ByteaOID:
		return true
	}
	return false
}
