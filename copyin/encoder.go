package copyin

import (
	"fmt"
	"io"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// EncoderOptions describe a COPY stream that is made without a server.
type EncoderOptions struct {
	Format Format   // Auto is Text
	Types  []uint32 // OIDs of the columns' types, which Binary needs; 0 for one that is not known

	Header    []string // CSV: the first line, nil for none
	Delimiter byte     // CSV: 0 is a comma
	Quote     byte     // CSV: 0 is a double quote
	Escape    byte     // CSV: 0 is the quote: it is doubled
	Null      string   // CSV: what stands for NULL, without quotes
}

// Encoder writes rows in one of COPY's formats, for a file that a COPY will read. It is not safe for concurrent use.
type Encoder struct {
	w       io.Writer
	options EncoderOptions
	csv     copyformat.CSV
	codec   *driver.CopyCodec
	buf     []byte
	text    []byte
	row     int64
	begun   bool
	err     error
}

// NewEncoder makes an encoder that writes to w. What it has written is complete when Close has returned nil.
func NewEncoder(w io.Writer, o EncoderOptions) (*Encoder, error) {
	e := &Encoder{w: w, options: o, codec: driver.NewCopyCodec()}
	var err error
	if e.csv, err = (copyformat.CSV{Delimiter: o.Delimiter, Quote: o.Quote, Escape: o.Escape, Null: o.Null}).Normal(); err != nil {
		return nil, fmt.Errorf("copyin: encoder: %w", err)
	}
	if o.Format == Binary && o.Types == nil {
		return nil, fmt.Errorf("copyin: encoder: the binary format needs Types")
	}
	return e, nil
}

// WriteRow adds a row. Values are what statements take as arguments. After an error nothing is written any more.
func (e *Encoder) WriteRow(values ...any) error {
	if e.err != nil {
		return e.err
	}
	e.start()
	e.row++
	if e.options.Types != nil && len(values) != len(e.options.Types) {
		return e.fail(&RowError{Row: e.row, Err: fmt.Errorf("%d values for %d columns", len(values), len(e.options.Types))})
	}
	values, err := driver.ConvertArgs(values)
	if err != nil {
		return e.fail(&RowError{Row: e.row, Err: err})
	}
	if e.options.Format == Binary {
		e.buf = append(e.buf, byte(len(values)>>8), byte(len(values)))
	}
	for i, v := range values {
		if err := e.field(i, v); err != nil {
			return e.fail(&RowError{Row: e.row, Column: fmt.Sprint(i + 1), Value: v, Err: err})
		}
	}
	if e.options.Format != Binary {
		e.buf = append(e.buf, '\n')
	}
	if len(e.buf) < bufferSize {
		return nil
	}
	return e.flush()
}

func (e *Encoder) field(i int, v any) (err error) {
	oid := uint32(0)
	if e.options.Types != nil {
		oid = e.options.Types[i]
	}
	switch e.options.Format {
	case Binary:
		e.buf, err = e.codec.AppendBinary(e.buf, oid, v)
		return err
	case CSVFormat:
		if i > 0 {
			e.buf = append(e.buf, e.csv.Delimiter)
		}
		var null bool
		if e.text, null, err = e.codec.AppendText(e.text[:0], oid, v); err != nil {
			return err
		}
		field := e.text
		switch {
		case null:
			field = nil
		case field == nil:
			field = []byte{}
		}
		e.buf = e.csv.AppendField(e.buf, field)
		return nil
	}
	if i > 0 {
		e.buf = append(e.buf, '\t')
	}
	e.buf, err = e.codec.AppendField(e.buf, oid, v)
	return err
}

// start writes what the format begins with.
func (e *Encoder) start() {
	if e.begun {
		return
	}
	e.begun = true
	switch {
	case e.options.Format == Binary:
		e.buf = append(e.buf, copyformat.Header...)
	case e.options.Format == CSVFormat && e.options.Header != nil:
		var names [][]byte
		for _, name := range e.options.Header {
			names = append(names, []byte(name))
		}
		e.buf = e.csv.AppendRow(e.buf, names)
	}
}

func (e *Encoder) flush() error {
	if _, err := e.w.Write(e.buf); err != nil {
		e.err = err
		return err
	}
	e.buf = e.buf[:0]
	return nil
}

func (e *Encoder) fail(err error) error {
	e.err = fmt.Errorf("copyin: encoder: %w", err)
	return e.err
}

// Close writes what is left, and the end of the format. It does not close the writer below. After a failure it returns that
// failure.
func (e *Encoder) Close() error {
	if e.err != nil {
		return e.err
	}
	e.start()
	if e.options.Format == Binary {
		e.buf = append(e.buf, copyformat.Trailer...)
	}
	if err := e.flush(); err != nil {
		return err
	}
	e.err = errClosed
	return nil
}
