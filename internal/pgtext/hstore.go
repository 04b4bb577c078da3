package pgtext

import "strings"

// Pair is a key of an hstore and its value.
type Pair struct {
	Key   string
	Value Item
}

// ParseHstore takes the text of an hstore apart, as the server writes it.
func ParseHstore(text string) ([]Pair, error) {
	r := reader{kind: "an hstore", text: text}
	r.skipSpace()
	var pairs []Pair
	for r.at < len(r.text) {
		key, err := r.word()
		if err != nil {
			return nil, err
		}
		r.skipSpace()
		if !r.take('=') || !r.take('>') {
			return nil, r.fail(`no "=>"`)
		}
		r.skipSpace()
		quoted := r.peek() == '"'
		value, err := r.word()
		if err != nil {
			return nil, err
		}
		item := Item{Text: value}
		if !quoted && strings.EqualFold(value, "null") {
			item = Item{Null: true}
		}
		pairs = append(pairs, Pair{Key: key, Value: item})
		r.skipSpace()
		if r.at == len(r.text) {
			break
		}
		if err := r.expect(','); err != nil {
			return nil, err
		}
		r.skipSpace()
	}
	return pairs, nil
}

// word reads a key or a value, in quotes or not.
func (r *reader) word() (string, error) {
	if r.take('"') {
		return r.quoted(false)
	}
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("=,\" \t\n\r", r.text[r.at]) < 0 {
		r.at++
	}
	if r.at == start {
		return "", r.fail("no key or value")
	}
	return r.text[start:r.at], nil
}

// AppendHstore appends the text of an hstore.
func AppendHstore(dst []byte, pairs []Pair) []byte {
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(AppendQuoted(dst, p.Key), "=>"...)
		if p.Value.Null {
			dst = append(dst, "NULL"...)
		} else {
			dst = AppendQuoted(dst, p.Value.Text)
		}
	}
	return dst
}
