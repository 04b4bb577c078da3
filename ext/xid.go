package ext

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxXidPart is the length of a gtrid or bqual in bytes, by the XA specification; maxGID that of PostgreSQL's identifiers of
// prepared transactions (GIDSIZE - 1).
const (
	maxXidPart = 64
	maxGID     = 199
)

// Xid identifies a two-phase transaction, in the form of the XA specification: a format, a global transaction and a branch
// of it. PostgreSQL knows it by its text, a gid, which is FORMAT_BASE64(GTRID)_BASE64(BQUAL) as psycopg and the JDBC driver
// write it. Two Xids are == when their gids are equal. It is made by [NewXid] or [ParseXid]; the zero Xid is refused.
type Xid struct {
	gid          string
	format       int32
	gtrid, bqual string
	foreign      bool
}

// NewXid returns the Xid of a format, which must not be negative, a global transaction and a branch, of at most 64 bytes
// each.
func NewXid(format int32, gtrid, bqual string) (Xid, error) {
	switch {
	case format < 0:
		return Xid{}, fmt.Errorf("ext: xid: format %d is negative", format)
	case len(gtrid) > maxXidPart:
		return Xid{}, fmt.Errorf("ext: xid: a gtrid of %d bytes, more than %d", len(gtrid), maxXidPart)
	case len(bqual) > maxXidPart:
		return Xid{}, fmt.Errorf("ext: xid: a bqual of %d bytes, more than %d", len(bqual), maxXidPart)
	}
	return Xid{gid: formatXid(format, gtrid, bqual), format: format, gtrid: gtrid, bqual: bqual}, nil
}

func formatXid(format int32, gtrid, bqual string) string {
	encode := base64.StdEncoding.EncodeToString
	return strconv.Itoa(int(format)) + "_" + encode([]byte(gtrid)) + "_" + encode([]byte(bqual))
}

// ParseXid reads a gid: one that another program gave its transaction, or one of one's own choice. Where it does not have
// the form of NewXid's, the Xid is [Xid.Foreign]. A gid that PostgreSQL cannot have is an error: it is empty, over 199
// bytes, has a NUL byte, or is not UTF-8.
func ParseXid(gid string) (Xid, error) {
	if err := checkGID(gid); err != nil {
		return Xid{}, fmt.Errorf("ext: xid %q: %w", gid, err)
	}
	if xid, ok := parseXid(gid); ok {
		return xid, nil
	}
	return Xid{gid: gid, gtrid: gid, foreign: true}, nil
}

// parseXid takes only what would be written the same, so that the gid stays what it is.
func parseXid(gid string) (Xid, bool) {
	parts := strings.Split(gid, "_")
	if len(parts) != 3 {
		return Xid{}, false
	}
	format, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil {
		return Xid{}, false
	}
	gtrid, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return Xid{}, false
	}
	bqual, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return Xid{}, false
	}
	xid, err := NewXid(int32(format), string(gtrid), string(bqual))
	return xid, err == nil && xid.gid == gid
}

func checkGID(gid string) error {
	switch {
	case gid == "":
		return errors.New("it is empty")
	case len(gid) > maxGID:
		return fmt.Errorf("it has %d bytes, more than %d", len(gid), maxGID)
	case strings.IndexByte(gid, 0) >= 0:
		return errors.New("it has a NUL byte")
	case !utf8.ValidString(gid):
		return errors.New("it is not UTF-8")
	}
	return nil
}

// String is the gid, as pg_prepared_xacts shows it.
func (x Xid) String() string { return x.gid }

// Format is the format identifier, 0 of a foreign Xid.
func (x Xid) Format() int32 { return x.format }

// GTRID is the global transaction identifier, the whole gid of a foreign Xid.
func (x Xid) GTRID() string { return x.gtrid }

// BQual is the branch qualifier, "" of a foreign Xid.
func (x Xid) BQual() string { return x.bqual }

// Foreign reports whether the gid does not have the form FORMAT_BASE64(GTRID)_BASE64(BQUAL).
func (x Xid) Foreign() bool { return x.foreign }

// sql is a statement on the transaction. The statements of two-phase commit take no parameters.
func (x Xid) sql(verb string) (string, error) {
	if x.gid == "" {
		return "", fmt.Errorf("ext: %s: the zero Xid: make one with NewXid or ParseXid", verb)
	}
	literal := "'" + strings.ReplaceAll(x.gid, "'", "''") + "'"
	if strings.Contains(literal, `\`) { // whatever standard_conforming_strings says
		literal = "E" + strings.ReplaceAll(literal, `\`, `\\`)
	}
	return verb + " " + literal, nil
}
