package admin

import (
	"database/sql"
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/ext"
)

// namedTypes are the PostgreSQL types of Go types that their kind does not tell.
var namedTypes = map[reflect.Type]string{
	reflect.TypeFor[time.Time]():          "timestamptz",
	reflect.TypeFor[time.Duration]():      "interval",
	reflect.TypeFor[json.RawMessage]():    "jsonb",
	reflect.TypeFor[json.Number]():        "numeric",
	reflect.TypeFor[big.Int]():            "numeric",
	reflect.TypeFor[big.Rat]():            "numeric",
	reflect.TypeFor[big.Float]():          "numeric",
	reflect.TypeFor[netip.Addr]():         "inet",
	reflect.TypeFor[netip.Prefix]():       "cidr",
	reflect.TypeFor[net.IP]():             "inet",
	reflect.TypeFor[net.IPNet]():          "cidr",
	reflect.TypeFor[net.HardwareAddr]():   "macaddr",
	reflect.TypeFor[sql.NullBool]():       "boolean",
	reflect.TypeFor[sql.NullByte]():       "smallint",
	reflect.TypeFor[sql.NullFloat64]():    "double precision",
	reflect.TypeFor[sql.NullInt16]():      "smallint",
	reflect.TypeFor[sql.NullInt32]():      "integer",
	reflect.TypeFor[sql.NullInt64]():      "bigint",
	reflect.TypeFor[sql.NullString]():     "text",
	reflect.TypeFor[sql.NullTime]():       "timestamptz",
	reflect.TypeFor[pgtype.Bits]():        "varbit",
	reflect.TypeFor[pgtype.Bool]():        "boolean",
	reflect.TypeFor[pgtype.Box]():         "box",
	reflect.TypeFor[pgtype.Circle]():      "circle",
	reflect.TypeFor[pgtype.Date]():        "date",
	reflect.TypeFor[pgtype.Float4]():      "real",
	reflect.TypeFor[pgtype.Float8]():      "double precision",
	reflect.TypeFor[pgtype.Hstore]():      "hstore",
	reflect.TypeFor[pgtype.Int2]():        "smallint",
	reflect.TypeFor[pgtype.Int4]():        "integer",
	reflect.TypeFor[pgtype.Int8]():        "bigint",
	reflect.TypeFor[pgtype.Interval]():    "interval",
	reflect.TypeFor[pgtype.Line]():        "line",
	reflect.TypeFor[pgtype.Lseg]():        "lseg",
	reflect.TypeFor[pgtype.Numeric]():     "numeric",
	reflect.TypeFor[pgtype.Path]():        "path",
	reflect.TypeFor[pgtype.Point]():       "point",
	reflect.TypeFor[pgtype.Polygon]():     "polygon",
	reflect.TypeFor[pgtype.Text]():        "text",
	reflect.TypeFor[pgtype.Time]():        "time",
	reflect.TypeFor[pgtype.Timestamp]():   "timestamp",
	reflect.TypeFor[pgtype.Timestamptz](): "timestamptz",
	reflect.TypeFor[pgtype.UUID]():        "uuid",
	reflect.TypeFor[ext.Date]():           "date",
	reflect.TypeFor[ext.Hstore]():         "hstore",
	reflect.TypeFor[ext.InfTime]():        "timestamptz",
	reflect.TypeFor[ext.Interval]():       "interval",
	reflect.TypeFor[ext.Numeric]():        "numeric",
	reflect.TypeFor[ext.TimeTZ]():         "timetz",

	reflect.TypeFor[ext.Range[int32]]():            "int4range",
	reflect.TypeFor[ext.Range[int]]():              "int8range",
	reflect.TypeFor[ext.Range[int64]]():            "int8range",
	reflect.TypeFor[ext.Range[ext.Numeric]]():      "numrange",
	reflect.TypeFor[ext.Range[ext.Date]]():         "daterange",
	reflect.TypeFor[ext.Range[time.Time]]():        "tstzrange",
	reflect.TypeFor[ext.Range[ext.InfTime]]():      "tstzrange",
	reflect.TypeFor[ext.Multirange[int32]]():       "int4multirange",
	reflect.TypeFor[ext.Multirange[int]]():         "int8multirange",
	reflect.TypeFor[ext.Multirange[int64]]():       "int8multirange",
	reflect.TypeFor[ext.Multirange[ext.Numeric]](): "nummultirange",
	reflect.TypeFor[ext.Multirange[ext.Date]]():    "datemultirange",
	reflect.TypeFor[ext.Multirange[time.Time]]():   "tstzmultirange",
	reflect.TypeFor[ext.Multirange[ext.InfTime]](): "tstzmultirange",
}

// kindTypes are the PostgreSQL types of Go's kinds: the smallest that holds every value.
var kindTypes = map[reflect.Kind]string{
	reflect.Bool: "boolean", reflect.String: "text", reflect.Float32: "real", reflect.Float64: "double precision",
	reflect.Int8: "smallint", reflect.Int16: "smallint", reflect.Int32: "integer", reflect.Int64: "bigint", reflect.Int: "bigint",
	reflect.Uint8: "smallint", reflect.Uint16: "integer", reflect.Uint32: "bigint", reflect.Uint64: "numeric(20)", reflect.Uint: "numeric(20)",
	reflect.Map: "jsonb",
}

// sqlType is the PostgreSQL type for the values of a Go type, and whether a field of it can hold NULL. known is false where it
// stands for none.
func sqlType(t reflect.Type) (typ string, nullable, known bool) {
	switch {
	case t.Kind() == reflect.Pointer:
		typ, _, known = sqlType(t.Elem())
		return typ, true, known
	case namedTypes[t] != "":
		return namedTypes[t], holdsNULL(t), true
	}
	if inner, ok := nullOf(t); ok {
		typ, _, known = sqlType(inner)
		return typ, true, known
	}
	switch generic, _, _ := strings.Cut(t.Name(), "["); {
	case t.PkgPath() != reflect.TypeFor[ext.Date]().PkgPath():
	case generic == "JSONValue":
		return "jsonb", false, true
	case generic == "ArrayValue":
		return listType(t.Field(0).Type)
	}
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		return listType(t)
	}
	if typ, known = kindTypes[t.Kind()]; known {
		return typ, holdsNULL(t), true
	}
	switch {
	case ext.IsRowStruct(t):
		return "jsonb", false, true
	case t.Kind() == reflect.Struct && t.ConvertibleTo(reflect.TypeFor[time.Time]()):
		return "timestamptz", false, true
	}
	return "", false, false
}

// nullOf is the type that a sql.Null holds.
func nullOf(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct || t.PkgPath() != "database/sql" || t.NumField() != 2 || t.Field(0).Name != "V" {
		return nil, false
	}
	return t.Field(0).Type, true
}

// listType is the type for slices and arrays.
func listType(t reflect.Type) (typ string, nullable, known bool) {
	nullable = t.Kind() == reflect.Slice
	if t.Elem().Kind() == reflect.Uint8 {
		if !nullable && t.Len() == 16 {
			return "uuid", false, true
		}
		return "bytea", nullable, true
	}
	elem := t.Elem()
	for elem.Kind() == reflect.Slice && elem.Elem().Kind() != reflect.Uint8 && namedTypes[elem] == "" {
		elem = elem.Elem() // PostgreSQL's arrays have any number of dimensions
	}
	typ, _, known = sqlType(elem)
	if known && typ != "jsonb" { // one document holds a list of structs or maps
		typ += "[]"
	}
	return typ, nullable, known
}

// holdsNULL reports whether a value of a type that is no pointer can be NULL.
func holdsNULL(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		return true
	case reflect.Struct:
		_, ok := t.FieldByName("Valid")
		return ok
	}
	return false
}
