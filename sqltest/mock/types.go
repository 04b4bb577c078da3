package mock

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// builtins knows PostgreSQL's own types. Nothing is registered in it, and it is only read.
var builtins = func() *pgtype.Map {
	m := pgtype.NewMap()
	m.TypeForValue("") // the first call fills a table
	return m
}()

// synonyms are the names of types in SQL that are none in the catalog.
var synonyms = map[string]string{
	"bigint": "int8", "integer": "int4", "int": "int4", "smallint": "int2", "boolean": "bool", "real": "float4",
	"double precision": "float8", "float": "float8", "decimal": "numeric", "character varying": "varchar", "character": "bpchar",
	"char": "bpchar", "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
	"time with time zone": "timetz", "time without time zone": "time", "bit varying": "varbit", "serial": "int4",
	"bigserial": "int8", "smallserial": "int2",
}

// longNames are the names that PostgreSQL itself writes, where they are not the catalog's.
var longNames = map[string]string{
	"int8": "bigint", "int4": "integer", "int2": "smallint", "bool": "boolean", "float4": "real", "float8": "double precision",
	"varchar": "character varying", "bpchar": "character", "varbit": "bit varying",
	"timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone",
	"timetz": "time with time zone", "time": "time without time zone",
}

var typmod = regexp.MustCompile(`\([^)]*\)`)

// builtinType is the OID of one of PostgreSQL's own types, however it is written: text[], _text, numeric(10,2), INTEGER.
func builtinType(name string) (uint32, bool) {
	name = strings.Join(strings.Fields(typmod.ReplaceAllString(strings.ToLower(name), " ")), " ")
	name = strings.TrimPrefix(name, "pg_catalog.")
	elem, isArray := strings.CutSuffix(name, "[]")
	for strings.HasSuffix(elem, "[]") { // more dimensions are the same type
		elem = strings.TrimSuffix(elem, "[]")
	}
	if s, ok := synonyms[elem]; ok {
		elem = s
	}
	if isArray {
		elem = "_" + elem
	}
	t, ok := builtins.TypeForName(elem)
	if !ok {
		return 0, false
	}
	return t.OID, true
}

// typesOf are the OIDs of parameter types. One of the database's own is taken for text.
func (m *Mock) typesOf(names []string) []uint32 {
	oids := make([]uint32, len(names))
	for i, name := range names {
		oid, ok := builtinType(name)
		if !ok {
			oid = pgtype.TextOID
		}
		oids[i] = oid
	}
	return oids
}

// typeOf is the type that suits a Go value, text where there is no better one.
func typeOf(v any) uint32 {
	switch v.(type) {
	case nil, string:
		return pgtype.TextOID
	case []byte:
		return pgtype.ByteaOID
	case time.Time:
		return pgtype.TimestamptzOID
	case time.Duration:
		return pgtype.IntervalOID
	case [16]byte:
		return pgtype.UUIDOID
	case json.RawMessage, json.Marshaler:
		return pgtype.JSONBOID
	}
	if t, ok := builtins.TypeForValue(v); ok {
		return t.OID
	}
	return typeOfKind(reflect.TypeOf(v))
}

func typeOfKind(t reflect.Type) uint32 {
	switch t.Kind() {
	case reflect.Pointer:
		return typeOfKind(t.Elem())
	case reflect.Bool:
		return pgtype.BoolOID
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return pgtype.Int8OID
	case reflect.Uint, reflect.Uint64:
		return pgtype.NumericOID
	case reflect.Float32, reflect.Float64:
		return pgtype.Float8OID
	case reflect.Map, reflect.Struct:
		return pgtype.JSONBOID
	case reflect.Slice, reflect.Array:
		return arrayOf(t.Elem())
	}
	return pgtype.TextOID
}

// arrayOf is the type of arrays whose elements are Go values of type t.
func arrayOf(t reflect.Type) uint32 {
	for t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 { // more dimensions are the same type
		t = t.Elem()
	}
	elem := typeOf(reflect.Zero(t).Interface())
	if t.Kind() == reflect.Interface {
		return pgtype.TextArrayOID
	}
	if e, ok := builtins.TypeForOID(elem); ok {
		if a, ok := builtins.TypeForName("_" + e.Name); ok {
			return a.OID
		}
	}
	return pgtype.TextArrayOID
}
