package driver

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// TypeInfo describes a type of a database, as its catalog does.
type TypeInfo struct {
	OID     uint32
	Schema  string
	Name    string      // pg_type.typname: int4, mood, _mood for its array
	SQLName string      // as format_type gives it: integer, app.mood, mood[]
	Kind    TypeKind    // what it is made of
	Array   uint32      // OID of the array of it, 0 where there is none
	Elem    uint32      // of an array: OID of its elements
	Delim   byte        // that separates the elements of an array of it, a comma as a rule
	Base    uint32      // of a domain: OID of the type that it restricts
	Subtype uint32      // of a range: OID of its bounds; of a multirange: OID of its range
	Fields  []TypeField // of a composite
	Labels  []string    // of an enum, in its order
}

// TypeKind is what a type is made of, as in pg_type.typtype.
type TypeKind byte

// The kinds of types.
const (
	BaseType       TypeKind = 'b' // arrays too
	CompositeType  TypeKind = 'c' // the row types of tables too
	DomainType     TypeKind = 'd'
	EnumType       TypeKind = 'e'
	PseudoType     TypeKind = 'p'
	RangeType      TypeKind = 'r'
	MultirangeType TypeKind = 'm'
)

// TypeField is a field of a composite type.
type TypeField struct {
	Name string
	OID  uint32 // of its type
}

// related lists the types that the type is made of.
func (t *TypeInfo) related() []uint32 {
	oids := []uint32{t.Array, t.Elem, t.Base, t.Subtype}
	for _, f := range t.Fields {
		oids = append(oids, f.OID)
	}
	return oids
}

// typeInfoColumns is how many columns typeInfoQuery has.
const typeInfoColumns = 12

// firstWithMultiranges is the first version with pg_range.rngmultitypid.
const firstWithMultiranges = 140000

// typeInfoQuery asks for types by their OIDs. Each column is text or a number.
func typeInfoQuery(oids []uint32, version int) string {
	subtype := "(select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid)"
	if version >= firstWithMultiranges {
		subtype = "coalesce(" + subtype + ", (select r.rngtypid from pg_catalog.pg_range r where r.rngmultitypid = t.oid))"
	}
	numbers := make([]string, len(oids))
	for i, oid := range oids {
		numbers[i] = strconv.FormatUint(uint64(oid), 10)
	}
	return `select t.oid::pg_catalog.int8, n.nspname::pg_catalog.text, t.typname::pg_catalog.text, pg_catalog.format_type(t.oid, null),
	t.typtype::pg_catalog.text, t.typarray::pg_catalog.int8, (case when t.typcategory = 'A' then t.typelem else 0 end)::pg_catalog.int8,
	t.typdelim::pg_catalog.text, t.typbasetype::pg_catalog.int8, coalesce(` + subtype + `, 0)::pg_catalog.int8,
	coalesce((select pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.atttypid::pg_catalog.int8) order by a.attnum)
		from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and t.typtype = 'c' and a.attnum > 0 and not a.attisdropped), '[]')::pg_catalog.text,
	coalesce((select pg_catalog.json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = t.oid), '[]')::pg_catalog.text
from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where t.oid in (` + strings.Join(numbers, ", ") + ")"
}

// parseTypeInfo reads a row of typeInfoQuery.
func parseTypeInfo(row []string) (*TypeInfo, error) {
	if len(row) != typeInfoColumns || len(row[4]) != 1 || len(row[7]) != 1 {
		return nil, fmt.Errorf("driver: the catalog describes a type as %q", row)
	}
	t := &TypeInfo{Schema: row[1], Name: row[2], SQLName: row[3], Kind: TypeKind(row[4][0]), Delim: row[7][0]}
	for at, to := range map[int]*uint32{0: &t.OID, 5: &t.Array, 6: &t.Elem, 8: &t.Base, 9: &t.Subtype} {
		n, err := strconv.ParseUint(row[at], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("driver: the catalog describes a type as %q", row)
		}
		*to = uint32(n)
	}
	var fields [][2]any
	if err := json.Unmarshal([]byte(row[10]), &fields); err != nil {
		return nil, fmt.Errorf("driver: fields of type %s: %w", t.SQLName, err)
	}
	for _, f := range fields {
		name, _ := f[0].(string)
		oid, _ := f[1].(float64)
		t.Fields = append(t.Fields, TypeField{Name: name, OID: uint32(oid)})
	}
	if err := json.Unmarshal([]byte(row[11]), &t.Labels); err != nil {
		return nil, fmt.Errorf("driver: labels of type %s: %w", t.SQLName, err)
	}
	if len(t.Labels) == 0 {
		t.Labels = nil
	}
	return t, nil
}
