package copyin

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// plainText is r without compression and without a byte order mark.
func plainText(r io.Reader) (*bufio.Reader, error) {
	if _, own := r.(ownFile); !own {
		r = &userReader{r: r}
	}
	data := bufio.NewReaderSize(r, bufferSize)
	magic, err := data.Peek(2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(data)
		if err != nil {
			return nil, gzipError(err)
		}
		data = bufio.NewReaderSize(gzipReader{unzipped}, bufferSize)
	}
	mark, err := data.Peek(3)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if string(mark) == "\ufeff" {
		data.Discard(len(mark))
	}
	return data, nil
}

// gzipReader names the format in errors that are not those of the reader below.
type gzipReader struct{ *gzip.Reader }

func (r gzipReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	return n, gzipError(err)
}

func gzipError(err error) error {
	var foreign *foreignError
	if err == nil || err == io.EOF || errors.As(err, &foreign) {
		return err
	}
	return fmt.Errorf("gzip: %w", err)
}

// ownFile is a file that the caller does not know: its errors are wrapped.
type ownFile struct{ f *os.File }

func (o ownFile) Read(p []byte) (int, error) { return o.f.Read(p) }
