package copyformat

import (
	"bufio"
	"bytes"
	"io"
)

// lineReader reads lines of any length. As the server does, it takes the first line's end for that of all: \n, \r\n or \r.
type lineReader struct {
	r   *bufio.Reader
	buf []byte
	end string // "" until it is known
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns a line without its end, valid until the next call. Of a last line without an end ok is false and the error nil.
func (l *lineReader) next() (line []byte, ended bool, err error) {
	if l.end == "" {
		return l.first()
	}
	l.buf = l.buf[:0]
	last := l.end[len(l.end)-1]
	for {
		part, err := l.r.ReadSlice(last)
		l.buf = append(l.buf, part...)
		switch {
		case err == bufio.ErrBufferFull, err == nil && !bytes.HasSuffix(l.buf, []byte(l.end)):
			continue
		case err == nil:
			return l.buf[:len(l.buf)-len(l.end)], true, nil
		case err == io.EOF && len(l.buf) > 0:
			return l.buf, false, nil
		}
		return nil, false, err
	}
}

// first reads the first line, byte by byte.
func (l *lineReader) first() ([]byte, bool, error) {
	for {
		b, err := l.r.ReadByte()
		switch {
		case err == io.EOF && len(l.buf) > 0:
			l.end = "\n"
			return l.buf, false, nil
		case err != nil:
			return nil, false, err
		case b == '\n' || b == '\r':
			l.endsIn(b)
			return l.buf, true, nil
		}
		l.buf = append(l.buf, b)
	}
}

// endsIn notes the first byte of the first line's end, and reads what belongs to it.
func (l *lineReader) endsIn(b byte) {
	l.end = string(b)
	if next, err := l.r.Peek(1); b == '\r' && err == nil && next[0] == '\n' {
		l.end = "\r\n"
		l.r.ReadByte()
	}
}

// CSVReader reads the records of CSV.
type CSVReader struct {
	csv    CSV
	lines  *lineReader
	record []byte
	fields [][]byte
	buf    []byte
	Line   int64 // the last one read, from 1
}

// NewCSVReader reads CSV whose characters are csv, which is normal.
func NewCSVReader(r io.Reader, csv CSV) *CSVReader {
	return &CSVReader{csv: csv, lines: newLineReader(r)}
}

// LineEnd is the last byte of the line ends, 0 while they are not known.
func (r *CSVReader) LineEnd() byte {
	if r.lines.end == "" {
		return 0
	}
	return r.lines.end[len(r.lines.end)-1]
}

// Next returns the fields of the next record, valid until the next call, and io.EOF behind the last. A line that is \. ends
// the data.
func (r *CSVReader) Next() ([][]byte, error) {
	r.record = r.record[:0]
	if r.lines.end == "" {
		return r.first()
	}
	for open := false; ; {
		line, ended, err := r.lines.next()
		if err != nil {
			if err == io.EOF && open {
				err = ErrOpenQuote
			}
			return nil, err
		}
		r.Line++
		if !open && string(line) == `\.` {
			return nil, io.EOF
		}
		open = r.csv.openAfter(line, open)
		r.record = append(r.record, line...)
		if !open {
			break
		}
		if !ended {
			return nil, ErrOpenQuote
		}
		r.record = append(r.record, r.lines.end...)
	}
	r.fields, r.buf = r.csv.split(r.record, r.fields[:0], r.buf[:0])
	return r.fields, nil
}

// first reads the first record, byte by byte: the line end behind it, which no quotes protect, is that of all lines.
func (r *CSVReader) first() ([][]byte, error) {
	inside, escaped := false, false
	for {
		b, err := r.lines.r.ReadByte()
		switch {
		case err == io.EOF && inside:
			return nil, ErrOpenQuote
		case err == io.EOF && len(r.record) > 0:
			r.lines.end = "\n"
		case err != nil:
			return nil, err
		case !inside && (b == '\n' || b == '\r'):
			r.lines.endsIn(b)
		default:
			r.record = append(r.record, b)
			switch {
			case escaped && (b == r.csv.Quote || b == r.csv.Escape):
				escaped = false
			case inside && b == r.csv.Escape && b != r.csv.Quote:
				escaped = true
				continue
			case b == r.csv.Quote:
				inside = !inside
			}
			escaped = false
			continue
		}
		break
	}
	r.Line += int64(bytes.Count(r.record, []byte(r.lines.end))) + 1
	if string(r.record) == `\.` {
		return nil, io.EOF
	}
	r.fields, r.buf = r.csv.split(r.record, r.fields[:0], r.buf[:0])
	return r.fields, nil
}
