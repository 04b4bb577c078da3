package driver

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// Formats of parameters and results on the wire.
const (
	textFormat   int16 = 0
	binaryFormat int16 = 1
)

// codecs translates between Go values and wire values for one connection. It knows nothing of the connection's I/O.
// It is not safe for concurrent use.
type codecs struct {
	types    *pgtype.Map           // the connection's types: plans for what is not known here
	user     *userTypes            // the database's own types that parameters have had
	set      *typeSet              // what the pool was told of types
	compat   Compat                // whose values Scan(*any) gives; "" is CompatPgx
	infinity InfinityMode          // what infinite dates and timestamps become; "" is InfinityError
	location func() *time.Location // where timestamptz values are shown
	byGoType bool                  // no type is known: the codecs of Scanners, Valuers and literals
	box      boxer
}

// firstUserOID is where the OIDs begin that differ from one database to the next.
const firstUserOID = 16384

// newCodecs makes the codecs of a connection. A nil location shows timestamptz values in time.Local.
func newCodecs(types *pgtype.Map, compat Compat, infinity InfinityMode, location func() *time.Location) *codecs {
	if location == nil {
		location = func() *time.Location { return time.Local }
	}
	return &codecs{types: types, compat: compat, infinity: infinity, location: location}
}

// isPq tells whether values are those of lib/pq.
func (c *codecs) isPq() bool { return c.compat == CompatPq }

// builtinType is a type with a fixed OID.
type builtinType struct {
	name  string
	elem  uint32 // of a true array: the type of its elements, else 0
	delim byte   // between the elements of arrays of this type, 0 means a comma
}

// builtinTypeName is the name of a type with a fixed OID, in upper case. ok is false for other types.
func builtinTypeName(oid uint32) (name string, ok bool) {
	t, ok := builtinTypes[oid]
	return t.name, ok
}

// element finds the type of an array's elements and their delimiter; ok is false when oid is not known to be an array.
func (c *codecs) element(oid uint32) (elem uint32, delim byte, ok bool) {
	if t, ok := builtinTypes[oid]; ok {
		if t.elem == 0 {
			return 0, ',', false
		}
		if delim := builtinTypes[t.elem].delim; delim != 0 {
			return t.elem, delim, true
		}
		return t.elem, ',', true
	}
	if t, ok := c.types.TypeForOID(oid); ok {
		if array, ok := t.Codec.(*pgtype.ArrayCodec); ok {
			if array.Delimiter != 0 {
				return array.ElementType.OID, array.Delimiter, true
			}
			return array.ElementType.OID, ',', true
		}
	}
	if t, ok := c.user.find(oid); ok && t.elem != 0 {
		return t.elem, t.delim, true
	}
	if t := c.set.current().infos[oid]; t != nil && t.Elem != 0 {
		return t.Elem, t.Delim, true
	}
	return 0, ',', false
}

// base is the type whose values a known domain has, or oid itself.
func (c *codecs) base(oid uint32) uint32 {
	if oid < firstUserOID {
		return oid
	}
	if t, ok := c.user.find(oid); ok && t.base != oid {
		return t.base
	}
	if t := c.set.current().infos[oid]; t != nil && t.Kind == DomainType {
		return c.base(t.Base)
	}
	t, ok := c.types.TypeForOID(oid)
	if !ok {
		return oid
	}
	switch t.Codec.(type) {
	case pgtype.ByteaCodec, *pgtype.ByteaCodec:
		return pgtype.ByteaOID
	case *pgtype.JSONCodec:
		return pgtype.JSONOID
	case *pgtype.JSONBCodec:
		return pgtype.JSONBOID
	case pgtype.UUIDCodec, *pgtype.UUIDCodec:
		return pgtype.UUIDOID
	case pgtype.IntervalCodec, *pgtype.IntervalCodec:
		return pgtype.IntervalOID
	case pgtype.TextCodec, *pgtype.TextCodec:
		return pgtype.TextOID
	}
	return oid
}
