package pgtext

// ParseComposite takes the text of a composite value, or of a record, apart.
func ParseComposite(text string) ([]Item, error) {
	r := reader{kind: "a composite", text: text}
	r.skipSpace()
	if err := r.expect('('); err != nil {
		return nil, err
	}
	var fields []Item
	if r.take(')') { // no field, or one that is NULL: nobody can tell
		r.skipSpace()
		return []Item{{Null: true}}, r.end()
	}
	for {
		text, quoted, err := r.bare(",)")
		if err != nil {
			return nil, err
		}
		fields = append(fields, Item{Text: text, Null: text == "" && !quoted})
		if r.take(')') {
			r.skipSpace()
			return fields, r.end()
		}
		r.at++ // the comma
	}
}

// AppendComposite appends the text of a composite value.
func AppendComposite(dst []byte, fields []Item) []byte {
	dst = append(dst, '(')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		if !f.Null {
			dst = AppendQuoted(dst, f.Text)
		}
	}
	return append(dst, ')')
}
