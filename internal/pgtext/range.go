package pgtext

import "strings"

// Range is a range whose bounds are text. A bound that is Null is infinite.
type Range struct {
	Lower, Upper       Item
	LowerInc, UpperInc bool
	Empty              bool
}

// ParseRange takes the text of a range apart.
func ParseRange(text string) (Range, error) {
	r := reader{kind: "a range", text: text}
	v, err := r.one()
	if err == nil {
		err = r.end()
	}
	return v, err
}

// one reads a range.
func (r *reader) one() (v Range, err error) {
	r.skipSpace()
	const empty = "empty"
	if rest := r.text[r.at:]; len(rest) >= len(empty) && strings.EqualFold(rest[:len(empty)], empty) {
		r.at += len(empty)
		r.skipSpace()
		return Range{Empty: true}, nil
	}
	v.LowerInc = r.take('[')
	if !v.LowerInc {
		if err := r.expect('('); err != nil {
			return v, err
		}
	}
	if v.Lower, err = r.bound(","); err != nil {
		return v, err
	}
	if err := r.expect(','); err != nil {
		return v, err
	}
	if v.Upper, err = r.bound("])"); err != nil {
		return v, err
	}
	v.UpperInc = r.take(']')
	if !v.UpperInc {
		r.at++
	}
	r.skipSpace()
	return v, nil
}

func (r *reader) bound(ends string) (Item, error) {
	text, quoted, err := r.bare(ends)
	return Item{Text: text, Null: text == "" && !quoted}, err
}

// AppendRange appends the text of a range.
func AppendRange(dst []byte, v Range) []byte {
	if v.Empty {
		return append(dst, "empty"...)
	}
	open, end := byte('('), byte(')')
	if v.LowerInc {
		open = '['
	}
	if v.UpperInc {
		end = ']'
	}
	dst = append(dst, open)
	if !v.Lower.Null {
		dst = AppendQuoted(dst, v.Lower.Text)
	}
	dst = append(dst, ',')
	if !v.Upper.Null {
		dst = AppendQuoted(dst, v.Upper.Text)
	}
	return append(dst, end)
}

// ParseMultirange takes the text of a multirange apart.
func ParseMultirange(text string) ([]Range, error) {
	r := reader{kind: "a multirange", text: text}
	r.skipSpace()
	if err := r.expect('{'); err != nil {
		return nil, err
	}
	r.skipSpace()
	ranges := []Range{}
	if !r.take('}') {
		for {
			v, err := r.one()
			if err != nil {
				return nil, err
			}
			ranges = append(ranges, v)
			if r.take('}') {
				break
			}
			if err := r.expect(','); err != nil {
				return nil, err
			}
		}
	}
	r.skipSpace()
	return ranges, r.end()
}

// AppendMultirange appends the text of a multirange.
func AppendMultirange(dst []byte, ranges []Range) []byte {
	dst = append(dst, '{')
	for i, v := range ranges {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendRange(dst, v)
	}
	return append(dst, '}')
}
