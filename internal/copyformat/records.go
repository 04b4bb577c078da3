package copyformat

import "bytes"

// QuoteState is where in CSV a byte stands: what a cut piece of a file has to know of all that is ahead of it.
type QuoteState uint8

// The states.
const (
	Outside QuoteState = iota // of quotes
	Inside
	Escaped // inside, behind an escape that is not the quote
	quoteStates
)

// Transition is the state behind a piece of data, for each state in front of it.
type Transition [quoteStates]QuoteState

// Through is what a piece of data makes of each state. It does not need what is ahead of the piece, so that pieces can be
// looked at side by side. c is normal.
func (c CSV) Through(data []byte) Transition {
	if c.Escape == c.Quote { // quotes only take turns
		if bytes.Count(data, []byte{c.Quote})%2 == 1 {
			return Transition{Inside, Outside, Outside}
		}
		return Transition{Outside, Inside, Inside}
	}
	var t Transition
	for s := range t {
		t[s] = c.walk(data, QuoteState(s), func(int, []byte) {})
	}
	return t
}

// AppendEnds appends the offsets behind the records that end in data, in front of which s is the state. end is the last byte of
// the file's line ends.
func (c CSV) AppendEnds(ends []int, data []byte, s QuoteState, end byte) []int {
	c.walk(data, s, func(at int, plain []byte) {
		for {
			n := bytes.IndexByte(plain, end)
			if n < 0 {
				return
			}
			at, plain = at+n+1, plain[n+1:]
			ends = append(ends, at)
		}
	})
	return ends
}

// LineEnd finds the first line end outside of quotes, as the server does, and returns the byte that ends each record:
// '\n', or '\r' of a file without it. ok is false where data has none, or ends before that is certain.
func (c CSV) LineEnd(data []byte) (end byte, ok bool) {
	c.walk(data, Outside, func(at int, plain []byte) {
		n := bytes.IndexAny(plain, "\r\n")
		if ok || n < 0 {
			return
		}
		switch at += n; {
		case data[at] == '\n':
			end, ok = '\n', true
		case at+1 < len(data) && data[at+1] == '\n':
			end, ok = '\n', true
		case at+1 < len(data):
			end, ok = '\r', true
		}
	})
	return end, ok
}

// walk visits the stretches of data that are outside of quotes, with their offsets, and returns the state behind data.
func (c CSV) walk(data []byte, s QuoteState, visit func(at int, plain []byte)) QuoteState {
	for at := 0; at < len(data); {
		if s != Outside {
			n := 0
			n, s = c.leave(data[at:], s)
			at += n
			continue
		}
		n := bytes.IndexByte(data[at:], c.Quote)
		if n < 0 {
			visit(at, data[at:])
			return Outside
		}
		visit(at, data[at:at+n])
		at, s = at+n+1, Inside
	}
	return s
}

// leave goes on inside of quotes up to their end.
func (c CSV) leave(data []byte, s QuoteState) (n int, _ QuoteState) {
	if c.Escape == c.Quote {
		if n = bytes.IndexByte(data, c.Quote); n < 0 {
			return len(data), Inside
		}
		return n + 1, Outside
	}
	for i, b := range data {
		switch {
		case s == Escaped:
			s = Inside
		case b == c.Escape:
			s = Escaped
		case b == c.Quote:
			return i + 1, Outside
		}
	}
	return len(data), s
}

// RecordOfLine is the number, from 0, of the record that the server means by a line of a COPY of data. It counts the line ends
// inside of quotes too, those of the first record as \r, since it does not know yet what ends its lines. ends are those of
// the records, the last of which may lack its line end.
func RecordOfLine(data []byte, ends []int, line int64, end byte) int {
	start, counted := 0, byte('\r')
	if end == '\n' && len(ends) > 0 && bytes.HasSuffix(data[:ends[0]], []byte("\r\n")) {
		end = '\r'
	}
	last := int64(0)
	for i, stop := range ends {
		record := bytes.TrimRight(data[start:stop], "\r\n")
		if last += 1 + int64(bytes.Count(record, []byte{counted})); last >= line {
			return i
		}
		start, counted = stop, end
	}
	return len(ends) - 1
}
