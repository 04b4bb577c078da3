package copyin

import (
	"bytes"
	"hash/crc32"
	"strings"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// input is one file, stream or sequence of a load.
type input struct {
	ordinal   int    // from 1
	name      string // of a file
	statement string // the COPY, into the table or the temporary one
	into      string // which the server calls so
	columns   []string
	stage     stage // what leads over a temporary table
	format    Format
	csv       copyformat.CSV
	lineEnd   byte   // of CSV: what ends its records
	marked    bool   // of CSV: the server takes a line \. for its end
	done      []span // what earlier runs have stored, in order
}

// span is a part of an input: of CSV bytes behind the header, of a sequence rows.
type span struct {
	start, end int64
	rows       int64
	checksum   uint32
}

// batch is a part of an input that one transaction stores.
type batch struct {
	in    *input
	span  span
	first int64    // of CSV, the line of the first record; of a sequence, the number of the row
	data  [][]byte // whole records
	bytes int      // of data
	raw   int64    // of the input as it is stored
	held  []*block // that data is in

	buffer []byte     // of a sequence, that data is in
	unsent []Rejected // rows of a sequence that are not in data: they could not be encoded

	ahead, begun   chan struct{} // closed when the batch ahead, or this one, has a connection
	before, merged chan struct{} // closed when the batch ahead, or this one, is stored

	careful bool           // it has a bad row: it is loaded in parts
	noted   map[int64]bool // bad rows that the reject file has
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// checksum is that of the data, 0 for a sequence, whose bytes may differ from run to run.
func (b *batch) checksum() (sum uint32) {
	if b.in.format != CSVFormat {
		return 0
	}
	for _, piece := range b.data {
		sum = crc32.Update(sum, checksums, piece)
	}
	return sum
}

// sent is the number of rows in data.
func (b *batch) sent() int64 { return b.span.rows - int64(len(b.unsent)) }

func (b *batch) release() {
	for _, held := range b.held {
		held.release()
	}
	b.data, b.held = nil, nil
}

// records is a run of a batch's records, in one piece of memory.
type records struct {
	b        *batch
	data     []byte
	ends     []int // behind each record of the batch
	from, to int   // the records
}

// records are all records of the batch. They are looked for again: it is not often that they are asked for.
func (b *batch) records() records {
	r := records{b: b, data: bytes.Join(b.data, nil)}
	switch b.in.format {
	case CSVFormat:
		r.ends = b.in.csv.AppendEnds(nil, r.data, copyformat.Outside, b.in.lineEnd)
	case Binary:
		r.ends = []int{len(r.data)}
	default:
		for at := 0; at < len(r.data); {
			at += bytes.IndexByte(r.data[at:], '\n') + 1
			r.ends = append(r.ends, at)
		}
	}
	if n := len(r.ends); len(r.data) > r.start(n) { // the last line of a file may lack its end
		r.ends = append(r.ends, len(r.data))
	}
	r.to = len(r.ends)
	return r
}

func (r records) len() int { return r.to - r.from }

func (r records) slice(from, to int) records {
	r.from, r.to = r.from+from, r.from+to
	return r
}

func (r records) start(i int) int {
	if i == 0 {
		return 0
	}
	return r.ends[i-1]
}

// bytes are the records themselves.
func (r records) bytes() []byte { return r.data[r.start(r.from):r.ends[r.to-1]] }

// text is a record without its line end.
func (r records) text(i int) string {
	i += r.from
	return strings.TrimRight(string(r.data[r.start(i):r.ends[i]]), "\r\n")
}

// find is the index of the record that the server means by a line.
func (r records) find(line int64) int {
	if r.b.in.format != CSVFormat {
		return int(line) - 1
	}
	start := r.start(r.from)
	ends := make([]int, r.len())
	for i := range ends {
		ends[i] = r.ends[r.from+i] - start
	}
	return copyformat.RecordOfLine(r.bytes(), ends, line, r.b.in.lineEnd)
}

// row is the number of a record for people: of CSV the line of the file.
func (r records) row(i int) int64 {
	i += r.from
	if r.b.in.format != CSVFormat {
		row := r.b.first + int64(i)
		for _, unsent := range r.b.unsent {
			if unsent.Err.Row <= row {
				row++
			}
		}
		return row
	}
	return r.b.first + int64(bytes.Count(r.data[:r.start(i)], []byte{r.b.in.lineEnd}))
}
