package driver

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// textParsers turn the text of a value into its binary form.
var textParsers = map[uint32]func(dst []byte, text string) ([]byte, error){
	pgtype.BoolOID:    parseBoolBinary,
	pgtype.Int2OID:    func(dst []byte, text string) ([]byte, error) { return parseInt(dst, text, 16) },
	pgtype.Int4OID:    func(dst []byte, text string) ([]byte, error) { return parseInt(dst, text, 32) },
	pgtype.Int8OID:    func(dst []byte, text string) ([]byte, error) { return parseInt(dst, text, 64) },
	pgtype.OIDOID:     parseOID,
	pgtype.Float4OID:  parseFloat4,
	pgtype.Float8OID:  parseFloat8,
	pgtype.NumericOID: appendNumeric,
	pgtype.UUIDOID:    parseUUID,
	pgtype.ByteaOID:   parseBytea,
}

var errNoValue = errors.New("not a value of the type")

func parseBoolBinary(dst []byte, text string) ([]byte, error) {
	switch strings.ToLower(text) {
	case "t", "true", "y", "yes", "on", "1":
		return append(dst, 1), nil
	case "f", "false", "n", "no", "off", "0":
		return append(dst, 0), nil
	}
	return dst, errNoValue
}

func parseInt(dst []byte, text string, bits int) ([]byte, error) {
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return dst, numError(err)
	}
	switch bits {
	case 16:
		return binary.BigEndian.AppendUint16(dst, uint16(n)), nil
	case 32:
		return binary.BigEndian.AppendUint32(dst, uint32(n)), nil
	}
	return binary.BigEndian.AppendUint64(dst, uint64(n)), nil
}

// numError is the reason of an error of strconv.
func numError(err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return errors.New("out of range")
	}
	return errNoValue
}

func parseOID(dst []byte, text string) ([]byte, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return dst, numError(err)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)), nil
}

func parseFloat4(dst []byte, text string) ([]byte, error) {
	f, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return dst, numError(err)
	}
	bits := math.Float32bits(float32(f))
	if f != f {
		bits = 0x7fc00000
	}
	return binary.BigEndian.AppendUint32(dst, bits), nil
}

func parseFloat8(dst []byte, text string) ([]byte, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return dst, numError(err)
	}
	return append(dst, appendFloat8(nil, f)[4:]...), nil
}

// parseUUID reads 32 hexadecimal digits, with hyphens and in braces or not.
func parseUUID(dst []byte, text string) ([]byte, error) {
	digits := strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
	digits = strings.ReplaceAll(digits, "-", "")
	if len(digits) != 32 {
		return dst, errNoValue
	}
	out, err := hex.AppendDecode(dst, []byte(digits))
	if err != nil {
		return dst, errNoValue
	}
	return out, nil
}

func parseBytea(dst []byte, text string) ([]byte, error) {
	if digits, ok := strings.CutPrefix(text, `\x`); ok {
		out, err := hex.AppendDecode(dst, []byte(digits))
		if err != nil {
			return dst, errNoValue
		}
		return out, nil
	}
	if strings.Contains(text, `\`) {
		return dst, errNoBinary
	}
	return append(dst, text...), nil
}
