package driver

import (
	sqldriver "database/sql/driver"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// errNoText is wrapped by the errors of values that have no text form for the type.
var errNoText = errors.New("no way to encode")

// appendText appends the text form of a value for the type oid, 0 when it is not known. It is defined for every value that
// checkArg lets through, and for elements of slices, which checkArg has not seen.
func (c *codecs) appendText(dst []byte, oid uint32, arg any) (_ []byte, null bool, err error) {
	switch v := arg.(type) {
	case nil:
		return dst, true, nil
	case string:
		if c.isPq() && oid == pgtype.ByteaOID {
			return appendHex(dst, []byte(v)), false, nil
		}
		dst, err = appendString(dst, v, "string")
		return dst, false, err
	case []byte:
		if v == nil {
			return dst, true, nil
		}
		dst, err = c.appendBytesText(dst, oid, v)
		return dst, false, err
	case float32:
		return appendFloat32Text(dst, oid, v), false, nil
	case time.Duration:
		return appendDurationText(dst, oid, v), false, nil
	case netip.Addr:
		if !v.IsValid() && isNetwork(oid) {
			return dst, true, nil
		}
	case netip.Prefix:
		if !v.IsValid() && isNetwork(oid) {
			return dst, true, nil
		}
	case sqldriver.Valuer:
		return c.appendChecked(dst, oid, arg)
	}
	if isJSON(oid) {
		return c.appendJSON(dst, arg)
	}
	if a := c.set.adapter(reflect.TypeOf(arg), 0); a != nil && a.encode != nil {
		dst, err = a.append(dst, arg)
		return dst, false, err
	}
	if dst, done, err := c.asComposite(dst, oid, arg); done {
		return dst, false, err
	}
	if t, ok := arg.(time.Time); ok {
		return c.appendTimeText(dst, oid, t), false, nil
	}
	if dst, ok, err := c.appendPlainText(dst, arg); ok || err != nil {
		return dst, false, err
	}
	return c.appendLibraryText(dst, oid, arg)
}

// append appends a value of a registered Go type.
func (a *typeAdapter) append(dst []byte, arg any) ([]byte, error) {
	text, err := a.encode(arg)
	if err != nil {
		return dst, fmt.Errorf("%T: %w", arg, err)
	}
	return appendString(dst, text, fmt.Sprintf("%T", arg))
}

// isNetwork tells whether the zero address and prefix of netip are NULL for a type, as pgx has it.
func isNetwork(oid uint32) bool { return oid == pgtype.InetOID || oid == pgtype.CIDROID }

func appendHex(dst, b []byte) []byte { return hex.AppendEncode(append(dst, `\x`...), b) }

// appendChecked appends what checkArg makes of a Valuer or a pointer.
func (c *codecs) appendChecked(dst []byte, oid uint32, arg any) (_ []byte, null bool, err error) {
	plain, err := checkArg(arg)
	if err != nil {
		return dst, false, err
	}
	return c.appendText(dst, oid, plain)
}

// appendJSON appends the JSON text of a value. Strings and bytes are JSON text already, unless their type marshals itself.
func (c *codecs) appendJSON(dst []byte, arg any) (_ []byte, null bool, err error) {
	_, marshals := arg.(json.Marshaler)
	_, raw := arg.(json.RawMessage)
	rv := reflect.ValueOf(arg)
	switch {
	case rv.Kind() == reflect.String && !marshals:
		dst, err = appendString(dst, rv.String(), rv.Type().String())
		return dst, false, err
	case isByteSlice(rv) && (raw || !marshals):
		if rv.IsNil() {
			return dst, true, nil
		}
		dst, err = appendString(dst, borrowed(rv.Bytes()), rv.Type().String())
		return dst, false, err
	case rv.Kind() == reflect.Slice && rv.IsNil() && !marshals:
		return dst, true, nil
	case rv.Kind() == reflect.Float64:
		return appendFloat(dst, rv.Float()), false, nil
	}
	text, err := json.Marshal(arg)
	if err != nil {
		return dst, false, fmt.Errorf("%T as JSON: %w", arg, err)
	}
	return append(dst, text...), false, nil
}

func isByteSlice(rv reflect.Value) bool {
	return rv.Kind() == reflect.Slice && rv.Type().Elem() == reflect.TypeFor[byte]()
}

// appendLibraryText knows the types of the standard library, and leaves the others to what their interfaces and kinds say.
func (c *codecs) appendLibraryText(dst []byte, oid uint32, arg any) (_ []byte, null bool, err error) {
	switch v := arg.(type) {
	case *big.Int:
		return v.Append(dst, 10), false, nil
	case *big.Float:
		return v.Append(dst, 'g', -1), false, nil
	case *big.Rat:
		digits, exact := v.FloatPrec()
		if !exact {
			return dst, false, fmt.Errorf("*big.Rat %s has no finite decimal form", v)
		}
		return append(dst, v.FloatString(digits)...), false, nil
	case net.IP:
		if v == nil {
			return dst, true, nil
		}
		if len(v) == 0 { // its String is "<nil>"
			return dst, false, nil
		}
		if oid != pgtype.ByteaOID {
			return append(dst, v.String()...), false, nil
		}
	case net.HardwareAddr:
		if v == nil {
			return dst, true, nil
		}
		if oid != pgtype.ByteaOID {
			return append(dst, v.String()...), false, nil
		}
	case net.IPNet:
		return append(dst, v.String()...), false, nil
	case *net.IPNet:
		return append(dst, v.String()...), false, nil
	case pgtype.ArrayGetter, pgtype.RangeValuer, pgtype.MultirangeGetter, pgtype.CompositeIndexGetter:
		return c.appendLast(dst, oid, arg)
	case map[string]string, map[string]*string:
		dst, err = appendHstore(dst, v)
		return dst, false, err
	}
	return c.appendKind(dst, oid, arg)
}

// appendKind goes by the kind of a value's type.
func (c *codecs) appendKind(dst []byte, oid uint32, arg any) (_ []byte, null bool, err error) {
	rv := reflect.ValueOf(arg)
	switch kind := rv.Kind(); {
	case kind == reflect.Pointer:
		if !isPointerValue(arg) {
			return c.appendChecked(dst, oid, arg)
		}
	case kind == reflect.String:
		return c.appendText(dst, oid, rv.String())
	case isByteSlice(rv):
		return c.appendText(dst, oid, rv.Bytes())
	case kind == reflect.Slice:
		if rv.IsNil() {
			return dst, true, nil
		}
		dst, err = c.appendArray(dst, oid, rv)
		return dst, false, err
	case kind == reflect.Array:
		return c.appendArrayKind(dst, oid, rv, arg)
	case kind == reflect.Struct && rv.Type().ConvertibleTo(reflect.TypeFor[time.Time]()):
		return c.appendText(dst, oid, rv.Convert(reflect.TypeFor[time.Time]()).Interface())
	case kind == reflect.Map && rv.Type().ConvertibleTo(reflect.TypeFor[map[string]string]()):
		return c.appendText(dst, oid, rv.Convert(reflect.TypeFor[map[string]string]()).Interface())
	default:
		if plain, ok := plainKind(rv); ok {
			if s, named := arg.(fmt.Stringer); named && !c.isPq() && c.takesWords(oid) {
				return c.appendText(dst, oid, s.String())
			}
			return c.appendText(dst, oid, plain)
		}
	}
	return c.appendLast(dst, oid, arg)
}

// takesWords tells whether a number whose type prints as a word is stored as that word. A type that is not known may be a
// domain over a number, and gets the number, as from the peers.
func (c *codecs) takesWords(oid uint32) bool {
	if oid >= firstUserOID {
		t, _ := c.user.find(oid)
		_, registered := c.types.TypeForOID(oid)
		return registered || t.kind == 'e'
	}
	return !isNumber(oid) && oid != pgtype.BoolOID
}

// appendArrayKind appends Go arrays: bytes are a uuid or bytea unless their type has its own text, others are arrays.
func (c *codecs) appendArrayKind(dst []byte, oid uint32, rv reflect.Value, arg any) (_ []byte, null bool, err error) {
	b, isBytes := fixedBytes(arg)
	if !isBytes {
		dst, err = c.appendArray(dst, oid, rv)
		return dst, false, err
	}
	if oid == pgtype.ByteaOID || oid == pgtype.UUIDOID && len(b) == 16 {
		dst, err = c.appendBytesText(dst, oid, b)
		return dst, false, err
	}
	switch v := arg.(type) {
	case encoding.TextMarshaler, fmt.Stringer:
		return c.appendLast(dst, oid, v)
	}
	if _, _, isArray := c.element(oid); len(b) == 16 && !isArray {
		return appendUUID(dst, [16]byte(b)), false, nil
	}
	dst, err = c.appendArray(dst, oid, rv)
	return dst, false, err
}

// appendLast tries pgtype's plans for the registered types of the connection, then the text that the value gives of itself.
func (c *codecs) appendLast(dst []byte, oid uint32, arg any) (_ []byte, null bool, err error) {
	if dst, null, ok, err := c.appendByMap(dst, oid, textFormat, arg); ok {
		return dst, null, err
	}
	if t, ok := c.types.TypeForValue(arg); ok && t.OID != oid { // a value of pgtype has the text of its own type
		if dst, null, ok, err := c.appendByMap(dst, t.OID, textFormat, arg); ok {
			return dst, null, err
		}
	}
	switch v := arg.(type) {
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return dst, false, fmt.Errorf("%T as text: %w", arg, err)
		}
		dst, err = appendString(dst, string(text), fmt.Sprintf("%T", arg))
		return dst, false, err
	case fmt.Stringer:
		dst, err = appendString(dst, v.String(), fmt.Sprintf("%T", arg))
		return dst, false, err
	}
	if oid >= firstUserOID && holdsFields(reflect.TypeOf(arg)) {
		return dst, false, fmt.Errorf("%w %T as %s: it is no composite, or one of an open transaction that LoadTypes has not loaded", errNoText, arg, c.typeName(oid))
	}
	return dst, false, fmt.Errorf("%w %T as %s", errNoText, arg, c.typeName(oid))
}

// appendByMap encodes with pgtype. ok is false when it has no plan.
func (c *codecs) appendByMap(dst []byte, oid uint32, format int16, arg any) (_ []byte, null, ok bool, err error) {
	plan := c.types.PlanEncode(oid, format, arg)
	if plan == nil {
		return dst, false, false, nil
	}
	encoded, err := plan.Encode(arg, dst)
	if err != nil {
		return dst, false, true, fmt.Errorf("%T as %s: %w", arg, c.typeName(oid), err)
	}
	if encoded == nil {
		return dst, true, true, nil
	}
	return encoded, false, true, nil
}

// typeName names a type in an error.
func (c *codecs) typeName(oid uint32) string {
	if t, ok := c.types.TypeForOID(oid); ok {
		return t.Name
	}
	return "type with OID " + strconv.FormatUint(uint64(oid), 10)
}
