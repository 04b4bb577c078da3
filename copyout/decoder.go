package copyout

import (
	"fmt"
	"io"
	"iter"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// DecoderOptions describe a COPY stream that is read without a server.
type DecoderOptions struct {
	Format Format
	Types  []uint32 // OIDs of the columns' types, for Values; without them text is string and binary is []byte

	Header    bool // CSV: the first line is the columns' names
	Delimiter byte // CSV: 0 is a comma
	Quote     byte // CSV: 0 is a double quote
	Escape    byte // CSV: 0 is the quote: it is doubled
	Null      string
}

// Decoder reads rows in one of COPY's formats, as a COPY has written them to a file. It is not safe for concurrent use.
type Decoder struct {
	options DecoderOptions
	source  interface{ Next() ([][]byte, error) }
	codec   *driver.CopyCodec
	header  []string
	row     int64
	begun   bool
	err     error
}

// NewDecoder makes a decoder that reads from r, further than the rows it has given.
func NewDecoder(r io.Reader, o DecoderOptions) (*Decoder, error) {
	d := &Decoder{options: o, codec: driver.NewCopyCodec()}
	switch o.Format {
	case Binary:
		d.source = copyformat.NewBinaryReader(r)
	case CSVFormat:
		csv, err := (copyformat.CSV{Delimiter: o.Delimiter, Quote: o.Quote, Escape: o.Escape, Null: o.Null}).Normal()
		if err != nil {
			return nil, fmt.Errorf("copyout: decoder: %w", err)
		}
		d.source = copyformat.NewCSVReader(r, csv)
	default:
		d.source = copyformat.NewTextReader(r)
	}
	return d, nil
}

// Header is the columns' names, nil where the stream has none.
func (d *Decoder) Header() ([]string, error) {
	err := d.start()
	return d.header, err
}

func (d *Decoder) start() error {
	if d.begun || d.err != nil {
		return d.err
	}
	d.begun = true
	if d.options.Format != CSVFormat || !d.options.Header {
		return nil
	}
	fields, err := d.source.Next()
	if err != nil {
		d.err = d.wrap(err)
		return d.err
	}
	d.header = make([]string, len(fields))
	for i, f := range fields {
		d.header[i] = string(f)
	}
	return nil
}

func (d *Decoder) wrap(err error) error {
	if err == io.EOF {
		return err
	}
	return fmt.Errorf("copyout: decoder: behind row %d: %w", d.row, err)
}

// Next returns the fields of the next row as they are in the stream, without its quotes and escapes, valid until the next
// call; nil is NULL. Behind the last row it returns io.EOF.
func (d *Decoder) Next() ([][]byte, error) {
	if err := d.start(); err != nil {
		return nil, err
	}
	fields, err := d.source.Next()
	if err != nil {
		d.err = d.wrap(err)
		return nil, d.err
	}
	d.row++
	return fields, nil
}

// Values returns the values of the next row, which may be kept: what a query's Scan into an any gives for the columns' types.
func (d *Decoder) Values() ([]any, error) {
	fields, err := d.Next()
	if err != nil {
		return nil, err
	}
	types := d.options.Types
	if types != nil && len(types) != len(fields) {
		return nil, fmt.Errorf("copyout: decoder: row %d: %d values for %d columns", d.row, len(fields), len(types))
	}
	values := make([]any, len(fields))
	for i, f := range fields {
		switch {
		case f == nil:
		case types == nil && d.options.Format == Binary:
			values[i] = append([]byte{}, f...)
		case types == nil:
			values[i] = string(f)
		case d.options.Format == Binary:
			values[i], err = d.codec.DecodeBinary(types[i], f)
		default:
			values[i], err = d.codec.DecodeText(types[i], f)
		}
		if err != nil {
			return nil, fmt.Errorf("copyout: decoder: row %d, column %d: %w", d.row, i+1, err)
		}
	}
	return values, nil
}

// Rows yields what Values returns, row by row. The first error ends it.
func (d *Decoder) Rows() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for {
			values, err := d.Values()
			if err == io.EOF || !yield(values, err) || err != nil {
				return
			}
		}
	}
}
