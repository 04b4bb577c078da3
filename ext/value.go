package ext

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// anyScanner fills an any with the Go value of the column's PostgreSQL type, as docs/types.md lists them. It is a Scanner,
// so that it gets the same values whatever Go's version.
type anyScanner struct {
	column
	typ  string // of the column, in upper case; "" when it is not known
	dest *any
}

var _ sql.Scanner = (*anyScanner)(nil)

// Scan implements [sql.Scanner].
func (s *anyScanner) Scan(src any) (err error) {
	if v, ok, err := s.known.Any(s.index, src, jsonValue); ok {
		*s.dest = v
		return err
	}
	*s.dest, err = anyValue(s.types, s.typ, src)
	return err
}

// anyValue is the Go value of what the driver gives for a column.
func anyValue(types *pgtype.Map, typ string, src any) (any, error) {
	var text string
	switch v := src.(type) {
	case []byte:
		switch typ {
		case "JSON", "JSONB":
			return jsonValue(v)
		case "BYTEA", "":
			return bytes.Clone(v), nil
		}
		text = string(v)
	case string:
		text = v
	default:
		return src, nil
	}
	if elem, ok := strings.CutPrefix(typ, "_"); ok && elem != "BOX" {
		return arrayValue(types, elem, text)
	}
	if typ == "JSON" || typ == "JSONB" {
		return jsonValue([]byte(text))
	}
	return text, nil
}

// arrayValue is an array as a []any, of further []any where it has several dimensions.
func arrayValue(types *pgtype.Map, elem, text string) (any, error) {
	var a pgtype.Array[*string]
	if err := types.Scan(pgtype.TextArrayOID, pgtype.TextFormatCode, []byte(text), &a); err != nil {
		return nil, err
	}
	values := make([]any, len(a.Elements))
	for i, e := range a.Elements {
		if e == nil {
			continue
		}
		v, err := elementValue(types, elem, *e)
		if err != nil {
			return nil, fmt.Errorf("array element %d: %w", i, err)
		}
		values[i] = v
	}
	for i := len(a.Dims) - 1; i > 0; i-- {
		values = split(values, int(a.Dims[i].Length))
	}
	return values, nil
}

func split(values []any, size int) []any {
	var groups []any
	for ; size > 0 && len(values) >= size; values = values[size:] {
		groups = append(groups, values[:size:size])
	}
	return groups
}

// elementValue is the value of an array's element: the one that a column of its type has.
func elementValue(types *pgtype.Map, typ, text string) (any, error) {
	switch typ {
	case "BOOL":
		return text == "t", nil
	case "INT2", "INT4", "INT8", "OID", "XID", "CID":
		return strconv.ParseInt(text, 10, 64)
	case "FLOAT8", "FLOAT4":
		bits := 64
		if typ == "FLOAT4" {
			bits = 32
		}
		return strconv.ParseFloat(text, bits)
	case "JSON", "JSONB":
		return jsonValue([]byte(text))
	case "BYTEA":
		return driver.ParseBytea(text)
	case "DATE", "TIMESTAMP", "TIMESTAMPTZ":
		return timeValue(types, typ, text)
	}
	return text, nil
}

// timeValue is a date or timestamp as a time.Time; infinity stays text.
func timeValue(types *pgtype.Map, typ, text string) (any, error) {
	if strings.HasSuffix(text, "infinity") {
		return text, nil
	}
	var t time.Time
	dt, _ := types.TypeForName(strings.ToLower(typ))
	if err := types.Scan(dt.OID, pgtype.TextFormatCode, []byte(text), &t); err != nil {
		return nil, err
	}
	if typ == "TIMESTAMPTZ" {
		t = t.Local()
	}
	return t, nil
}

// jsonValue decodes JSON as encoding/json does, except for whole numbers that a float64 cannot hold: they stay exact, as
// json.Number.
func jsonValue(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return exact(v), nil
}

// maxExact is below which float64 holds every whole number.
const maxExact = 1 << 53

func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil || (f >= maxExact || f <= -maxExact) && !strings.ContainsAny(string(v), ".eE") {
			return v
		}
		return f
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = exact(v[key])
		}
	}
	return v
}
