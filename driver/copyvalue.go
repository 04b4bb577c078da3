package driver

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"
)

// CopyCodec turns Go values into the values of a COPY, and back. It does no I/O and keeps nothing of what it is given. That of
// a connection may be used between the calls of [Do] that hold the connection by one [Reservation]. It is not safe for
// concurrent use.
type CopyCodec struct{ codecs *codecs }

// NewCopyCodec makes a codec without a connection: it knows PostgreSQL's own types. Types of a database's own are taken for
// text, timestamptz is shown in time.Local.
func NewCopyCodec() *CopyCodec {
	return &CopyCodec{newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, nil)}
}

// CopyCodec makes a codec with the settings of the connection, for columns of the types. Types of the database's own that
// the pool does not know are asked for. It is for functions of [Do].
func (c *Conn) CopyCodec(ctx context.Context, types []uint32) (*CopyCodec, error) {
	known := c.engine.codecs
	cc := &CopyCodec{newCodecs(known.types, known.compat, known.infinity, known.location)}
	cc.codecs.user, cc.codecs.set = known.user, known.set
	for range 2 { // the types, then those of the elements of arrays
		var unknown []uint32
		for _, oid := range types {
			if t, ok := known.user.find(oid); ok && t.elem != 0 {
				oid = t.elem
			}
			if _, ok := known.user.find(oid); !ok && oid >= firstUserOID {
				unknown = append(unknown, oid)
			}
		}
		if unknown == nil || known.user == nil {
			break
		}
		if err := c.ready(ctx); err != nil {
			return nil, err
		}
		c.wire.watch(ctx)
		if err := c.harmless(c.finish(ctx, c.engine.askTypes(unknown))); err != nil {
			return nil, err
		}
	}
	return cc, nil
}

// TypeName is the name of a type as SQL text has it, or its OID in digits when it is not one of PostgreSQL's own.
func (cc *CopyCodec) TypeName(oid uint32) string { return typeName(oid) }

// AppendField appends a value as a field of COPY's text format: escaped, \N for NULL.
func (cc *CopyCodec) AppendField(dst []byte, oid uint32, v any) ([]byte, error) {
	return cc.codecs.appendCopyValue(dst, oid, v)
}

// AppendText appends the text of a value, as the server reads it for the type.
func (cc *CopyCodec) AppendText(dst []byte, oid uint32, v any) (_ []byte, null bool, err error) {
	return cc.codecs.appendText(dst, cc.codecs.base(oid), v)
}

// AppendBinary appends a value as a field of COPY's binary format: its length, -1 for NULL, and its bytes. The text of a value
// decides what is stored, as everywhere in this driver: what does not fit the type is an error, never another value. On an
// error dst is returned as it was.
func (cc *CopyCodec) AppendBinary(dst []byte, oid uint32, arg any) ([]byte, error) {
	if dst, ok := appendBinaryScalar(dst, oid, arg); ok {
		return dst, nil
	}
	start := len(dst)
	switch v := arg.(type) {
	case nil:
		return append(dst, nullLength...), nil
	case string:
		if isTextual(oid) {
			if !isShortASCII(v) {
				if err := checkCopied(v); err != nil {
					return dst, err
				}
			}
			return append(appendLength(dst, len(v)), v...), nil
		}
	case []byte:
		if oid == pgtype.ByteaOID && v != nil {
			dst = append(appendLength(dst, len(v)), v...)
			return closeValue(dst, start, arg)
		}
	case time.Time:
		if out, ok := cc.codecs.appendBinaryTime(append(dst, 0, 0, 0, 0), oid, v); ok {
			return closeValue(out, start, arg)
		}
	case time.Duration:
		if out, ok := appendBinaryDuration(append(dst, 0, 0, 0, 0), oid, v); ok {
			return closeValue(out, start, arg)
		}
	case [16]byte:
		if oid == pgtype.UUIDOID {
			return append(append(dst, 0, 0, 0, 16), v[:]...), nil
		}
	}
	if out, done, err := cc.appendBinaryArray(dst, oid, arg); done {
		return out, err
	}
	out, null, err := cc.appendBinaryBody(append(dst, 0, 0, 0, 0), cc.codecs.base(oid), arg)
	switch {
	case err != nil:
		return dst[:start], err
	case null:
		return append(dst[:start], nullLength...), nil
	}
	return closeValue(out, start, arg)
}

// isShortASCII reports whether a string is one that checkCopied would let through, where that is quickly seen.
func isShortASCII(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c-1 >= 0x7f {
			return false
		}
	}
	return true
}

// checkCopied refuses text that PostgreSQL cannot store.
func checkCopied(s string) error {
	if err := checkSize(s); err != nil {
		return err
	}
	return checkText(s, "string")
}

func appendLength(dst []byte, n int) []byte {
	return append(dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// closeValue writes the length of the value that begins at start.
func closeValue(dst []byte, start int, v any) ([]byte, error) {
	dst, _, err := setLength(dst, start, binaryFormat, v)
	return dst, err
}

// HasBinary reports whether values of v's Go type have a binary form for the type: AppendBinary accepts all of them that the
// server would. v is as [ConvertArgs] gives it. Of a nil it reports whether the type has a binary form at all.
func (cc *CopyCodec) HasBinary(oid uint32, v any) bool {
	base := cc.codecs.base(oid)
	if elem, delim, ok := cc.codecs.element(base); ok {
		return delim == ',' && (v == nil && cc.HasBinary(elem, nil) || arrayHasBinary(cc.codecs.base(elem), v))
	}
	if isTextual(base) && base != pgtype.NameOID || base == pgtype.JSONBOID || cc.isEnum(base) {
		return true // but for a name, which text cuts off
	}
	kind, ok := binaryKinds[base]
	if !ok {
		return false
	}
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return base == pgtype.BoolOID
	case string:
		return kind&binaryString != 0
	case float32, float64:
		return kind&binaryFloat != 0
	case time.Time:
		return kind&binaryTime != 0
	case time.Duration:
		return kind&binaryDuration != 0
	case []byte:
		return base == pgtype.ByteaOID
	case [16]byte:
		return base == pgtype.UUIDOID
	default:
		if base == pgtype.OIDOID { // the text of a negative number is another oid
			_, isOID := v.(uint32)
			return isOID
		}
		_, _, isInt := integer(v)
		return isInt && kind&binaryInteger != 0
	}
}

// The Go types that have a binary form for a type.
const (
	binaryInteger = 1 << iota
	binaryFloat
	binaryString
	binaryTime
	binaryDuration
	binaryOther // one of the type's own
)

var binaryKinds = map[uint32]int{
	pgtype.BoolOID: binaryOther, pgtype.ByteaOID: binaryOther, pgtype.UUIDOID: binaryString,
	pgtype.Int2OID: binaryInteger | binaryFloat, pgtype.Int4OID: binaryInteger | binaryFloat, pgtype.Int8OID: binaryInteger | binaryFloat,
	pgtype.OIDOID: binaryInteger, pgtype.Float4OID: binaryInteger | binaryFloat, pgtype.Float8OID: binaryInteger | binaryFloat,
	pgtype.NumericOID: binaryInteger | binaryFloat | binaryString,
	pgtype.DateOID:    binaryTime, pgtype.TimestampOID: binaryTime, pgtype.TimestamptzOID: binaryTime,
	pgtype.IntervalOID: binaryDuration, pgtype.TimeOID: binaryDuration,
}

func (cc *CopyCodec) isEnum(oid uint32) bool {
	t, _ := cc.codecs.user.find(oid)
	return t.kind == 'e'
}

// appendBinaryBody appends the bytes of a value of a type that is no domain.
func (cc *CopyCodec) appendBinaryBody(dst []byte, oid uint32, v any) (_ []byte, null bool, err error) {
	if oid == pgtype.UUIDOID || oid == pgtype.ByteaOID || oid == pgtype.TimestampOID || oid == pgtype.TimestamptzOID || oid == pgtype.DateOID ||
		oid == pgtype.TimeOID || oid == pgtype.IntervalOID {
		out, format, null, err := cc.codecs.appendValue(dst, oid, v)
		if err != nil || null || format == binaryFormat {
			return out, null, err
		}
	}
	start := len(dst)
	if oid == pgtype.JSONBOID {
		dst = append(dst, 1) // the version
	}
	dst, null, err = cc.codecs.appendText(dst, oid, v)
	if err != nil || null || isTextual(oid) || oid == pgtype.JSONBOID || cc.isEnum(oid) {
		return dst, null, err
	}
	text := string(dst[start:])
	dst, err = cc.appendParsed(dst[:start], oid, text)
	if err != nil {
		return dst, false, fmt.Errorf("%T %q as %s: %w", v, abbreviate(text), cc.codecs.typeName(oid), err)
	}
	return dst, false, nil
}

var errNoBinary = errors.New("it has no binary form here; the text format takes it")

// parsedByMap are the types whose text pgtype reads as the server does, or refuses.
var parsedByMap = map[uint32]bool{
	pgtype.DateOID: true, pgtype.TimestampOID: true, pgtype.TimestamptzOID: true, pgtype.InetOID: true, pgtype.CIDROID: true,
}

// appendParsed appends the binary form of a value's text.
func (cc *CopyCodec) appendParsed(dst []byte, oid uint32, text string) ([]byte, error) {
	if parse := textParsers[oid]; parse != nil {
		return parse(dst, text)
	}
	t, ok := cc.codecs.types.TypeForOID(oid)
	if !ok || !parsedByMap[oid] {
		return dst, errNoBinary
	}
	value, err := t.Codec.DecodeValue(cc.codecs.types, oid, textFormat, []byte(text))
	if err != nil {
		return dst, err
	}
	plan := cc.codecs.types.PlanEncode(oid, binaryFormat, value)
	if plan == nil {
		return dst, errNoBinary
	}
	out, err := plan.Encode(value, dst)
	if err == nil && out == nil {
		err = errNoBinary
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// IsPlain reports whether a value is encoded without code of users: it is no Valuer, nothing that marshals itself, and
// contains none. Values that are not plain must not be encoded in a function of [Do].
func IsPlain(v any) bool {
	switch v.(type) {
	case nil, string, bool, int64, int, int32, int16, int8, uint, uint8, uint16, uint32, uint64, float64, float32,
		time.Time, time.Duration, []byte, [16]byte, []string, []int64, []int32, []int, []float64, []bool, [][]byte:
		return true
	}
	t := reflect.TypeOf(v)
	return t.NumMethod() == 0 && (t.Kind() == reflect.Bool || t.Kind() == reflect.String || t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 && t.Kind() != reflect.Uintptr)
}

// borrow is any(*p) without a copy: only while *p does not change, for functions that keep nothing.
func borrow[T any](p *T, typ unsafe.Pointer) (v any) {
	e := (*eface)(unsafe.Pointer(&v))
	e.typ, e.data = typ, unsafe.Pointer(p)
	return v
}
