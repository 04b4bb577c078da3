package pgtext

import (
	"fmt"
	"strconv"
	"strings"
)

// Dim is a dimension of an array.
type Dim struct {
	Length int
	Lower  int // the index of the first element, usually 1
}

// maxDims is how many dimensions PostgreSQL's arrays can have.
const maxDims = 6

// ParseArray takes the text of an array apart: the elements of all dimensions, one after the other, and the dimensions, of which
// an empty array has none. delim separates the elements.
func ParseArray(text string, delim byte) (elems []Item, dims []Dim, err error) {
	p := arrayParser{reader: reader{kind: "an array", text: text}, delim: delim, ends: "{}" + string(rune(delim))}
	p.skipSpace()
	bounds, err := p.bounds()
	if err != nil {
		return nil, nil, err
	}
	if n := strings.Count(p.text, string(rune(delim))); n < len(p.text) {
		p.elems = make([]Item, 0, n+1)
	}
	if err := p.level(0); err != nil {
		return nil, nil, err
	}
	p.skipSpace()
	if err := p.end(); err != nil {
		return nil, nil, err
	}
	if len(p.elems) == 0 {
		return nil, nil, nil
	}
	if bounds != nil {
		if len(bounds) != len(p.dims) {
			return nil, nil, p.fail("other dimensions than declared")
		}
		for i := range bounds {
			if bounds[i].Length != p.dims[i].Length {
				return nil, nil, p.fail("other dimensions than declared")
			}
		}
		p.dims = bounds
	}
	return p.elems, p.dims, nil
}

type arrayParser struct {
	reader
	delim byte
	ends  string
	elems []Item
	dims  []Dim
	leaf  int // the level of the elements plus one, 0 while it is not known
}

// bounds reads [1:3][0:1]= ahead of an array whose indexes do not begin with 1.
func (p *arrayParser) bounds() (bounds []Dim, err error) {
	for p.take('[') {
		lower, err1 := p.number(':')
		upper, err2 := p.number(']')
		if err1 != nil || err2 != nil || upper < lower-1 || upper-lower+1 > len(p.text) || len(bounds) == maxDims {
			return nil, p.fail("bad bounds")
		}
		bounds = append(bounds, Dim{Length: upper - lower + 1, Lower: lower})
	}
	if bounds == nil {
		return nil, nil
	}
	return bounds, p.expect('=')
}

func (p *arrayParser) number(end byte) (int, error) {
	i := strings.IndexByte(p.text[p.at:], end)
	if i < 0 {
		return 0, p.fail("bad bounds")
	}
	n, err := strconv.ParseInt(p.text[p.at:p.at+i], 10, 32)
	p.at += i + 1
	return int(n), err
}

// level reads {…}.
func (p *arrayParser) level(depth int) error {
	if depth == maxDims {
		return p.fail("more than 6 dimensions")
	}
	if err := p.expect('{'); err != nil {
		return err
	}
	if len(p.dims) == depth {
		p.dims = append(p.dims, Dim{Length: -1, Lower: 1})
	}
	p.skipSpace()
	count := 0
	if !p.take('}') {
		for {
			p.skipSpace()
			if err := p.item(depth); err != nil {
				return err
			}
			count++
			p.skipSpace()
			if p.take('}') {
				break
			}
			if err := p.expect(p.delim); err != nil {
				return err
			}
		}
	} else if depth > 0 {
		return p.fail("an empty part")
	}
	switch {
	case p.dims[depth].Length == -1:
		p.dims[depth].Length = count
	case p.dims[depth].Length != count:
		return p.fail("parts of different lengths")
	}
	return nil
}

// item reads an element or a further dimension.
func (p *arrayParser) item(depth int) error {
	if p.peek() == '{' {
		if p.leaf == depth+1 {
			return p.fail("elements and parts side by side")
		}
		return p.level(depth + 1)
	}
	if p.leaf == 0 && len(p.dims) == depth+1 {
		p.leaf = depth + 1
	}
	if p.leaf != depth+1 {
		return p.fail("elements and parts side by side")
	}
	if p.take('"') {
		text, err := p.quoted(false)
		p.elems = append(p.elems, Item{Text: text})
		return err
	}
	start := p.at
	text, quoted, err := p.bare(p.ends)
	switch {
	case err != nil:
		return err
	case quoted:
		return p.fail("a quote inside an element")
	}
	raw := strings.TrimRight(p.text[start:p.at], " \t\n\r\v\f")
	if strings.IndexByte(raw, '\\') < 0 {
		text = raw
	}
	if text == "" {
		return p.fail("no element")
	}
	if strings.EqualFold(raw, "null") {
		p.elems = append(p.elems, Item{Null: true})
		return nil
	}
	p.elems = append(p.elems, Item{Text: text})
	return nil
}

// AppendArray appends the text of an array. Its elements number as many as dims say; no dims are the empty array. Lower bounds
// other than 1 are written.
func AppendArray(dst []byte, elems []Item, dims []Dim, delim byte) ([]byte, error) {
	if len(dims) == 0 {
		if len(elems) > 0 {
			return dst, fmt.Errorf("an array of %d elements without dimensions", len(elems))
		}
		return append(dst, "{}"...), nil
	}
	count, odd := 1, false
	for _, d := range dims {
		if d.Length < 1 || count > len(elems) {
			return dst, fmt.Errorf("an array of %d elements with a dimension of length %d", len(elems), d.Length)
		}
		count *= d.Length
		odd = odd || d.Lower != 1
	}
	if len(dims) > maxDims || count != len(elems) {
		return dst, fmt.Errorf("an array of %d elements in %d dimensions, which have %d", len(elems), len(dims), count)
	}
	if odd {
		for _, d := range dims {
			dst = fmt.Appendf(dst, "[%d:%d]", d.Lower, d.Lower+d.Length-1)
		}
		dst = append(dst, '=')
	}
	dst, _ = appendLevel(dst, elems, dims, delim)
	return dst, nil
}

func appendLevel(dst []byte, elems []Item, dims []Dim, delim byte) ([]byte, []Item) {
	dst = append(dst, '{')
	for i := range dims[0].Length {
		if i > 0 {
			dst = append(dst, delim)
		}
		switch {
		case len(dims) > 1:
			dst, elems = appendLevel(dst, elems, dims[1:], delim)
			continue
		case elems[0].Null:
			dst = append(dst, "NULL"...)
		default:
			dst = AppendQuoted(dst, elems[0].Text)
		}
		elems = elems[1:]
	}
	return append(dst, '}'), elems
}
