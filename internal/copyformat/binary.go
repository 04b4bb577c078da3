package copyformat

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Header is what the binary format begins with: its signature, no flags, no extension.
const Header = signature + "\x00\x00\x00\x00\x00\x00\x00\x00"

// Trailer ends the binary format.
const Trailer = "\xff\xff"

const signature = "PGCOPY\n\xff\r\n\x00"

// maxField is the longest field that is believed: the server's own limit.
const maxField = 1 << 30

// SkipHeader cuts the header off the beginning of a binary COPY.
func SkipHeader(src []byte) ([]byte, error) {
	if len(src) < len(Header) || string(src[:len(signature)]) != signature {
		return nil, errors.New("this is no binary COPY: it has no PGCOPY signature")
	}
	if flags := binary.BigEndian.Uint32(src[11:]); flags&0xffff0000 != 0 {
		return nil, fmt.Errorf("binary COPY with unknown critical flags %#x", flags)
	}
	n := int64(binary.BigEndian.Uint32(src[15:]))
	rest := src[len(Header):]
	if int64(len(rest)) < n {
		return nil, io.ErrUnexpectedEOF
	}
	return rest[n:], nil
}

var errRow = errors.New("malformed row of a binary COPY")

// SplitRow appends the fields of a row at the beginning of src, and returns what follows it. more is false for the trailer.
func SplitRow(src []byte, fields [][]byte) (_ [][]byte, rest []byte, more bool, err error) {
	if len(src) < 2 {
		return fields, nil, false, errRow
	}
	count := int16(binary.BigEndian.Uint16(src))
	src = src[2:]
	if count == -1 {
		return fields, src, false, nil
	}
	for ; count > 0; count-- {
		if len(src) < 4 {
			return fields, nil, false, errRow
		}
		n := int32(binary.BigEndian.Uint32(src))
		src = src[4:]
		switch {
		case n == -1:
			fields = append(fields, nil)
			continue
		case n < 0 || int(n) > len(src):
			return fields, nil, false, errRow
		}
		fields = append(fields, src[:n:n])
		src = src[n:]
	}
	if count < 0 {
		return fields, nil, false, errRow
	}
	return fields, src, true, nil
}

// BinaryReader reads the rows of the binary format.
type BinaryReader struct {
	r      *bufio.Reader
	begun  bool
	ended  bool
	buf    []byte
	ends   []int
	fields [][]byte
	Line   int64 // the last row read, from 1
}

// NewBinaryReader reads the binary format from r.
func NewBinaryReader(r io.Reader) *BinaryReader {
	return &BinaryReader{r: bufio.NewReaderSize(r, 64<<10)}
}

// Next returns the fields of the next row, valid until the next call, and io.EOF behind the last. Data that ends without the
// trailer is io.ErrUnexpectedEOF.
func (r *BinaryReader) Next() ([][]byte, error) {
	if r.ended {
		return nil, io.EOF
	}
	if !r.begun {
		if err := r.header(); err != nil {
			return nil, err
		}
		r.begun = true
	}
	var number [4]byte
	if err := r.read(number[:2]); err != nil {
		return nil, err
	}
	count := int16(binary.BigEndian.Uint16(number[:]))
	switch {
	case count == -1:
		r.ended = true
		return nil, io.EOF
	case count < 0:
		return nil, errRow
	}
	r.buf, r.ends, r.fields = r.buf[:0], r.ends[:0], r.fields[:0]
	for range count {
		if err := r.read(number[:]); err != nil {
			return nil, err
		}
		if err := r.field(int32(binary.BigEndian.Uint32(number[:]))); err != nil {
			return nil, err
		}
	}
	start := 0
	for _, end := range r.ends {
		if end < 0 {
			r.fields = append(r.fields, nil)
			continue
		}
		r.fields = append(r.fields, r.buf[start:end:end])
		start = end
	}
	r.Line++
	return r.fields, nil
}

func (r *BinaryReader) header() error {
	head := make([]byte, len(Header))
	if err := r.read(head); err != nil {
		return err
	}
	extension := int64(binary.BigEndian.Uint32(head[15:]))
	clear(head[15:])
	if _, err := SkipHeader(head); err != nil {
		return err
	}
	if n, err := io.CopyN(io.Discard, r.r, extension); n < extension {
		return unexpected(err)
	}
	return nil
}

// field reads the bytes of a field of length n onto buf. Of a long one no more is allocated than arrives.
func (r *BinaryReader) field(n int32) error {
	if n == -1 {
		r.ends = append(r.ends, -1)
		return nil
	}
	if n < 0 || n > maxField {
		return errRow
	}
	if r.buf == nil {
		r.buf = make([]byte, 0, 256)
	}
	for left := int(n); left > 0; {
		at := len(r.buf)
		part := min(left, 64<<10)
		r.buf = append(r.buf, make([]byte, part)...)
		if err := r.read(r.buf[at:]); err != nil {
			return err
		}
		left -= part
	}
	r.ends = append(r.ends, len(r.buf))
	return nil
}

func (r *BinaryReader) read(dst []byte) error {
	_, err := io.ReadFull(r.r, dst)
	return unexpected(err)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
