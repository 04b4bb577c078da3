package driver

import (
	sqldriver "database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"
)

// decoder turns the bytes of a column that is not NULL into what Scan(*any) and Scanners get.
// It keeps nothing of src, which the connection uses again.
type decoder func(c *codecs, src []byte) (sqldriver.Value, error)

// typeDecoders are the decoders of a type for both formats. A type with a binary one is asked for in binary,
// which gives the same values as text.
type typeDecoders struct{ text, binary decoder }

var pgxDecoders = map[uint32]typeDecoders{
	pgtype.BoolOID:        {decodeBoolText, decodeBoolBinary},
	pgtype.Int2OID:        {decodeIntText, decodeInt2Binary},
	pgtype.Int4OID:        {decodeIntText, decodeInt4Binary},
	pgtype.Int8OID:        {decodeIntText, decodeInt8Binary},
	pgtype.OIDOID:         {decodeIntText, decodeUint4Binary},
	pgtype.XIDOID:         {decodeIntText, decodeUint4Binary},
	pgtype.CIDOID:         {decodeIntText, decodeUint4Binary},
	pgtype.Float4OID:      {decodeFloat4Text, decodeFloat4Binary},
	pgtype.Float8OID:      {decodeFloat8Text, decodeFloat8Binary},
	pgtype.ByteaOID:       {decodeByteaText, decodeBytes},
	pgtype.JSONOID:        {text: decodeBytes},
	pgtype.JSONBOID:       {text: decodeBytes},
	pgtype.XMLOID:         {text: decodeBytes},
	pgtype.UUIDOID:        {decodeString, decodeUUIDBinary},
	pgtype.DateOID:        {decodeDateText, decodeDateBinary},
	pgtype.TimestampOID:   {decodeTimestampText, decodeTimestampBinary},
	pgtype.TimestamptzOID: {decodeTimestamptzText, decodeTimestamptzBinary},
}

// pqDecoders are the differences of compat=pq, where what has no decoder is []byte.
var pqDecoders = map[uint32]typeDecoders{
	pgtype.OIDOID:     {decodeBytes, decodeUint4Digits},
	pgtype.XIDOID:     {decodeBytes, decodeUint4Digits},
	pgtype.CIDOID:     {decodeBytes, decodeUint4Digits},
	pgtype.Float4OID:  {decodeFloat8Text, decodeFloat4Widened},
	pgtype.UUIDOID:    {decodeBytes, decodeUUIDBinary},
	pgtype.TextOID:    {text: decodeString},
	pgtype.VarcharOID: {text: decodeString},
	pgtype.BPCharOID:  {text: decodeString},
	pgtype.QCharOID:   {text: decodeString},
	pgtype.TimeOID:    {text: decodeTimeOfDay},
	pgtype.TimetzOID:  {text: decodeTimeOfDay},
}

func (c *codecs) typeDecoders(oid uint32) typeDecoders {
	if c.isPq() {
		if d, ok := pqDecoders[oid]; ok {
			return d
		}
	}
	d := pgxDecoders[oid]
	if d.text == nil {
		d.text = decodeString
		if c.isPq() {
			d.text = decodeBytes
		}
	}
	return d
}

// resultFormat is the format in which a column of the type is asked for. Registered Go types are made of text.
func (c *codecs) resultFormat(oid uint32) int16 {
	if c.typeDecoders(oid).binary != nil && !c.set.isRegistered(oid) {
		return binaryFormat
	}
	return textFormat
}

// decoder finds the decoder of a column. It never returns nil: a format that cannot be read gives an error for each value.
func (c *codecs) decoder(oid uint32, format int16) decoder {
	d := c.typeDecoders(oid)
	switch {
	case format == textFormat:
		return d.text
	case format != binaryFormat:
		return failing(fmt.Errorf("result format %d is neither text nor binary", format))
	case d.binary != nil:
		return d.binary
	}
	return c.throughText(oid, d.text)
}

// throughText decodes binary values that only a caller's own choice of formats brings: pgtype writes their text.
func (c *codecs) throughText(oid uint32, text decoder) decoder {
	if isTextual(oid) {
		return text
	}
	t, ok := c.types.TypeForOID(oid)
	if !ok {
		return failing(fmt.Errorf("type with OID %d has no binary decoder: ask for its text format", oid))
	}
	return func(c *codecs, src []byte) (sqldriver.Value, error) {
		v, err := t.Codec.DecodeDatabaseSQLValue(c.types, oid, binaryFormat, src)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			return text(c, []byte(v))
		case []byte:
			return text(c, v)
		}
		return v, nil
	}
}

func failing(err error) decoder {
	return func(*codecs, []byte) (sqldriver.Value, error) { return nil, err }
}

// isTextual tells whether a type's binary form is its text.
func isTextual(oid uint32) bool {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.XMLOID, pgtype.UnknownOID:
		return true
	}
	return false
}
