package mock

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// asServer is a value's text as the server writes it: what is right to send need not be what comes back.
func asServer(oid uint32, text []byte) []byte {
	switch oid {
	case pgtype.JSONBOID:
		return jsonbText(text)
	case pgtype.DateOID:
		if len(text) > len(time.DateOnly) && bytes.ContainsAny(text, "T:") && !bytes.HasSuffix(text, []byte("BC")) {
			return text[:len(time.DateOnly)]
		}
		return text
	case pgtype.BoolOID:
		return text[:min(1, len(text))]
	case pgtype.BoolArrayOID:
		return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("true"), []byte("t")), []byte("false"), []byte("f"))
	}
	if t, ok := builtins.TypeForOID(oid); ok && strings.HasPrefix(t.Name, "_") && bytes.HasPrefix(text, []byte("{")) {
		return arrayText(text)
	}
	return text
}

// arrayText takes the quotes off the elements of an array that need none.
func arrayText(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			out = append(out, text[i])
			continue
		}
		end := i + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		quoted := text[i:min(end+1, len(text))]
		if inner := quoted[1 : len(quoted)-1]; needsQuotes(inner) {
			out = append(out, quoted...)
		} else {
			out = append(out, inner...)
		}
		i = end
	}
	return out
}

func needsQuotes(element []byte) bool {
	return len(element) == 0 || bytes.EqualFold(element, []byte("NULL")) || bytes.ContainsAny(element, "{},;\"\\ \t\n\r\v\f")
}

// jsonbText is JSON as jsonb is shown: a blank behind each colon and comma, keys by their length. What is no JSON stays.
func jsonbText(text []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return text
	}
	return appendJSONB(nil, v)
}

func appendJSONB(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.SortedFunc(maps.Keys(v), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
		})
		dst = append(dst, '{')
		for i, key := range keys {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendJSONB(append(appendJSONB(dst, key), ": "...), v[key])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, elem := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendJSONB(dst, elem)
		}
		return append(dst, ']')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil { // a decoded scalar can be encoded
		return dst
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
