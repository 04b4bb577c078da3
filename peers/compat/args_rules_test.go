package compat

import (
	"slices"
	"strings"
)

// The classes of a difference.
const (
	superset  = "superset"                  // this driver stores what a peer refuses; a peer that stores it stores the same
	refused   = "refused corruption"        // a peer stores something else than it was given; this driver refuses or stores it right
	conflicts = "chosen side of a conflict" // both store something sensible
)

// rule explains the differences that it matches. A rule without a field matches every value of that field.
type rule struct {
	values []string // prefixes of the value's name
	types  []string
	shape  func(entry) bool
	class  string
	why    string
}

func (r rule) matches(e entry) bool {
	return (r.values == nil || slices.ContainsFunc(r.values, func(prefix string) bool { return strings.HasPrefix(e.value, prefix) })) &&
		(r.types == nil || slices.Contains(r.types, e.typ)) && (r.shape == nil || r.shape(e))
}

// classify finds the first rule that explains a difference, and its place; -1 when there is none.
func classify(e entry) (class, why string, place int) {
	for i, r := range rules {
		if r.matches(e) {
			return r.class, r.why, i
		}
	}
	return "", "", -1
}

// The peers' outcomes of an entry.
func (e entry) peers() []outcome {
	if e.pgx == "-" {
		return []outcome{e.pq}
	}
	return []outcome{e.pgx, e.pq}
}

// oursStoresMore: some peer refuses, and whatever is stored is the same.
func oursStoresMore(e entry) bool {
	return !e.ours.refused() && !slices.ContainsFunc(e.peers(), func(p outcome) bool { return !p.refused() && p != e.ours })
}

func oursRefuses(e entry) bool { return e.ours.refused() }

func oursStores(e entry) bool { return !e.ours.refused() }

func binaryMode(e entry) bool { return e.mode == binaryParameters }

// literalModes: the rows of pgx's modes that do not ask for the parameter types.
func literalModes(e entry) bool {
	return e.mode == "exec,simple_protocol" || e.mode == "exec" || e.mode == "simple_protocol"
}

func all(conditions ...func(entry) bool) func(entry) bool {
	return func(e entry) bool {
		return !slices.ContainsFunc(conditions, func(c func(entry) bool) bool { return !c(e) })
	}
}

var (
	textTypes    = []string{"text", "varchar", "bpchar", "bytea", "blob", "text[]", "bytea[]"}
	numberArrays = []string{"int4[]", "int8[]", "float8[]", "jsonb[]"}
	bytesValues  = []string{"[]byte", "json.RawMessage", "rawJSON", "sql.RawBytes", "net.IP"}
	timesValues  = []string{"time.Time", "*time.Time", "[]time.Time", "sql.NullTime", "pgtype.Timestamptz", "birthday", "pq.Array([]time.Time)"}
	spanValues   = []string{"time.Second", "time.Duration", "[]time.Duration"}
	floatValues  = []string{"float64", "float32", "[]float32", "[]float64", "pgtype.Float8"}
)

var rules = slices.Concat([]rule{
	{shape: oursStoresMore, class: superset, why: "what one peer stores is stored, whatever the other refuses"},
}, corruptionRules, conflictRules)

// corruptionRules are about values that a peer changes on their way.
var corruptionRules = []rule{
	{values: bytesValues, shape: all(oursRefuses, binaryMode), class: refused, why: "binary_parameters sends bytes as if they were the type's binary form"},
	{values: bytesValues, types: append(numberArrays, "uuid[]"), shape: oursRefuses, class: refused, why: "bytes are no array: pgx stores each byte as an element"},
	{values: bytesValues, types: numberArrays, shape: oursStores, class: refused, why: "the text of an array is read as one: pgx stores each of its bytes as an element"},
	{values: bytesValues, types: []string{"uuid"}, shape: oursRefuses, class: refused, why: "only 16 bytes or the text of a uuid are one: pgx pads others with zeros"},
	{values: []string{"[]byte(uuid text)"}, types: []string{"uuid"}, shape: oursStores, class: refused, why: "the text of a uuid is read as one: pgx cuts it to its first 16 bytes"},
	{values: []string{"[][]byte", "[]json.RawMessage"}, types: []string{"uuid[]"}, shape: oursRefuses, class: refused, why: "only 16 bytes or the text of a uuid are one: pgx pads others with zeros"},
	{values: bytesValues, types: textTypes, shape: all(oursRefuses, literalModes), class: refused, why: "text cannot hold these bytes: pgx stores their hexadecimal digits instead"},
	{values: bytesValues, types: textTypes, shape: literalModes, class: refused, why: "bytes for a text are that text: pgx stores their hexadecimal digits in these modes"},
	{values: floatValues, types: []string{"int2", "int4", "int8", "oid", "int4[]", "int8[]"}, shape: oursRefuses, class: refused, why: "a fraction, NaN or infinity is no integer: pgx cuts it off"},
	{values: []string{"float64(1e300)"}, types: []string{"float4"}, class: refused, why: "out of range: pgx stores Infinity"},
	{values: []string{"float64(1.0000000596046448)"}, types: []string{"float4"}, class: refused, why: "rounded once, as by the server: pgx rounds to another float4"},
	{
		values: spanValues, types: []string{"interval", "time", "timetz"}, shape: func(e entry) bool { return !e.pq.refused() && e.pq != e.ours && oursStores(e) },
		class: refused, why: "a duration is one: lib/pq's number of nanoseconds is read as seconds; fractions of a microsecond are rounded",
	},
	{values: []string{"pq.Array([][]int"}, shape: oursStores, class: refused, why: "the dimensions are kept: pgx flattens them"},
	{values: timesValues, types: []string{"time", "timestamp"}, shape: literalModes, class: refused, why: "the clock that was given, in every mode: pgx shifts it to UTC in these"},
	{values: []string{"[]json.RawMessage"}, class: refused, why: "elements are JSON text: lib/pq stores arrays of their bytes"},
	{values: []string{"[][16]byte"}, types: append(textTypes, numberArrays...), class: refused, why: "16 bytes are a uuid or a JSON array: lib/pq stores a second dimension of numbers"},
	{values: []string{"*big.Rat"}, class: refused, why: "a rational number is its decimal digits: pgx stores {} or reads 1/8 as another value"},
	{values: []string{"float32(1.1)"}, types: []string{"cidr"}, class: refused, why: "a number is no network"},
	{values: []string{"[]string{uuid}"}, types: []string{"uuid"}, class: refused, why: "an array is no uuid, though the server takes a uuid in braces"},
}

// conflictRules are about values that both sides store in a sensible way, or that only one side can read.
var conflictRules = []rule{
	{values: []string{"\"", "[]string{specials}", "pq.ByteaArray"}, types: []string{"bytea", "blob"}, class: conflicts, why: "a string for bytea is its text form, as with pgx; with compat=pq it is the bytes, as with lib/pq"},
	{values: []string{"color(", "[]color"}, class: conflicts, why: "a number whose type prints as a word is that word for types that are no numbers, as with pgx; with compat=pq it is the number, as with lib/pq"},
	{values: timesValues, types: []string{"time", "timestamp", "timestamptz"}, class: conflicts, why: "half a microsecond is rounded as by the server: pgx cuts it off"},
	{values: timesValues, types: []string{"timetz"}, class: conflicts, why: "the clock and offset that were given: pgx shifts them to UTC"},
	{values: timesValues, types: textTypes, class: conflicts, why: "ISO 8601 with microseconds and offset in every mode; pgx has a text of its own in each"},
	{values: spanValues, types: textTypes, class: conflicts, why: "a duration's text is Go's, as with pgx's default mode"},
	{values: []string{"[]float32"}, types: []string{"float8[]"}, class: conflicts, why: "the float64 of the same value, as with pgx's default mode"},
	{values: []string{"float32"}, types: []string{"json", "jsonb", "doc"}, class: conflicts, why: "the shortest text, as with pgx"},
	{values: []string{"float32"}, class: conflicts, why: "the float64 of the same value, as with lib/pq"},
	{values: []string{"float64(+Inf)", "float64(-Inf)"}, types: textTypes, class: conflicts, why: "infinity has PostgreSQL's spelling, which date and time types read too"},
	{values: []string{"float64(1e300)"}, types: []string{"json", "jsonb", "doc"}, class: conflicts, why: "the same number without an exponent, as with lib/pq"},
	{values: []string{"[]int64{}", "[]string{}"}, types: []string{"json", "jsonb", "doc"}, class: conflicts, why: "an empty slice is JSON's []"},
	{values: []string{"[][]int"}, types: []string{"jsonb[]"}, class: conflicts, why: "an array of JSON arrays, as with pgx"},
	{values: []string{"[][]byte"}, types: textTypes, class: conflicts, why: "a nil element is NULL; bytes for a text are that text, as with pgx's default mode"},
	{values: []string{"[]"}, types: []string{"text", "varchar", "bpchar", "bytea", "blob"}, class: conflicts, why: "an array for a text is its text with all elements in quotes, as with lib/pq"},
	{values: []string{"pgtype.FlatArray"}, types: []string{"text", "varchar", "bpchar", "bytea", "blob"}, class: conflicts, why: "a pgtype value has the text that pgx gives it"},
	{values: []string{"net.IP"}, types: []string{"inet", "cidr"}, class: conflicts, why: "an IPv4 address stays one: pgx stores the IPv6 address that it is mapped to"},
	{values: []string{"net.IP"}, types: textTypes, class: conflicts, why: "an address for a text is its text; for bytea its bytes, as with both peers"},
	{values: []string{"netip.Addr"}, types: textTypes, class: conflicts, why: "an address's text without a mask, as with pgx's default mode"},
	{values: []string{"true", "pgtype.Bool"}, types: textTypes, class: conflicts, why: "the words true and false, as with lib/pq"},
}
