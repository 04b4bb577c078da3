package copyformat

import "bytes"

// Marker is the line that ends the data of a COPY. In CSV that is so before PostgreSQL 18, where a record has no other text.
const Marker = `\.`

// MarkerFinder looks for data behind the marker in CSV that comes in pieces, cut anywhere.
type MarkerFinder struct {
	csv   CSV
	blind bool       // what is in quotes cannot be told
	state QuoteState // behind what was looked at
	step  markerStep
	ends  [2]int64 // line ends so far, \n and \r by their lowest bit
	line  int64    // ahead of the record
}

// markerStep is how much of the marker stands at the end of what was looked at.
type markerStep uint8

const (
	recordStart markerStep = iota
	markerSlash
	markerDot
	markerEnded   // with a line end
	markerEndedCR // with a \r, to which a \n may belong
	inRecord
)

// NewMarkerFinder looks at CSV whose characters are csv, which is normal. With blind the marker is found inside of quotes too:
// for characters of which a quote can be half.
func NewMarkerFinder(csv CSV, blind bool) *MarkerFinder { return &MarkerFinder{csv: csv, blind: blind} }

// Line is the line of the marker that Look has found, from 1.
func (f *MarkerFinder) Line() int64 { return f.line + 1 }

// Look takes the next piece, and reports whether a byte of it is behind the marker. Then it is not to be called again.
func (f *MarkerFinder) Look(data []byte) bool {
	for at := 0; at < len(data); {
		n, next := 1, inRecord
		switch b := data[at]; {
		case f.step == recordStart && b == '\\':
			next = markerSlash
		case f.step == markerSlash && b == '.':
			next = markerDot
		case f.step == markerDot && isLineEnd(b):
			if next = markerEnded; b == '\r' {
				next = markerEndedCR
			}
		case f.step == markerEndedCR && b == '\n':
			next = markerEnded
		case f.step == markerEnded || f.step == markerEndedCR:
			return true
		default:
			n = nextCandidate(data[at:])
		}
		f.pass(data[at : at+n])
		at += n
		if f.step = next; next == inRecord && f.state == Outside && isLineEnd(data[at-1]) {
			f.step, f.line = recordStart, f.ends[data[at-1]&1]
		}
	}
	return false
}

func isLineEnd(b byte) bool { return b == '\n' || b == '\r' }

// nextCandidate is the offset behind the next line end in data at which the marker may begin, or the end of data.
func nextCandidate(data []byte) int {
	for from := 0; ; {
		n := bytes.Index(data[from:], []byte(Marker))
		if n < 0 {
			break
		}
		if from += n; from > 0 && isLineEnd(data[from-1]) {
			return from
		}
		from += len(Marker)
	}
	if last := len(data) - 1; last > 0 && data[last] == '\\' && isLineEnd(data[last-1]) {
		return last
	}
	return len(data)
}

// pass counts what was looked at.
func (f *MarkerFinder) pass(data []byte) {
	for _, b := range []byte("\n\r") {
		f.ends[b&1] += int64(bytes.Count(data, []byte{b}))
	}
	switch {
	case f.blind:
	case f.csv.Escape != f.csv.Quote:
		f.state = f.csv.walk(data, f.state, func(int, []byte) {})
	case bytes.Count(data, []byte{f.csv.Quote})%2 == 1:
		f.state = Inside - f.state
	}
}
