package copyin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// From runs any COPY … FROM STDIN with the stream that r gives, which is in the format that the statement says, and returns
// the number of rows that the server has stored. r's own error aborts the COPY and comes back unchanged; an error of a
// row is a *[RowError]. The server alone reads the stream: before PostgreSQL 18 it throws away what is behind a line \. of CSV
// ([CSV] and [Load] refuse that).
//
// Files, sockets and readers in memory are read in one call of [driver.Do]. Any other reader may be code of the user's: it is
// read between such calls, as the sequence of [Rows] is.
func From(ctx context.Context, q ext.Querier, statement string, r io.Reader) (int64, error) {
	if r == nil {
		return 0, fmt.Errorf("copyin: %w", errNoSource)
	}
	rows, err := copyReader(ctx, q, statement, func(ctx context.Context, c *driver.Conn) (*driver.CopyIn, error) {
		return c.CopyIn(ctx, statement)
	}, &userReader{r: r}, isSafe(r))
	if err != nil {
		return 0, wrapReader("copyin", err, "", nil, 0)
	}
	return rows, nil
}

// errNoSource is the error of a nil reader or sequence.
var errNoSource = errors.New("no source")

// isSafe reports whether a reader is known to run no code of users, which might use the connection.
func isSafe(r io.Reader) bool {
	switch r.(type) {
	case *os.File, *net.TCPConn, *net.UnixConn, *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	}
	return false
}

// wrapReader is the error of a stream, whose lines begin behind some that were read already.
func wrapReader(prefix string, err error, table string, columns []string, lines int64) error {
	var foreign *foreignError
	if errors.As(err, &foreign) {
		return foreign.err
	}
	err = withRow(err, table, columns, nil)
	var row *RowError
	if errors.As(err, &row) {
		row.Row += lines
	}
	return fmt.Errorf("%s: %w", prefix, err)
}

// userReader marks the errors of a reader.
type userReader struct{ r io.Reader }

func (u *userReader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if _, marked := err.(*foreignError); err != nil && err != io.EOF && !marked {
		err = &foreignError{err}
	}
	return n, err
}

// copyReader runs a COPY with the data of r, whose errors are marked where they are the user's. open starts it on the connection;
// shown is what mocks see.
func copyReader(ctx context.Context, q ext.Querier, shown string, open func(context.Context, *driver.Conn) (*driver.CopyIn, error), r io.Reader, safe bool) (int64, error) {
	if safe {
		return readerInOneCall(ctx, q, shown, open, r)
	}
	buf := make([]byte, bufferSize)
	n, more, err := fillFrom(r, buf)
	switch {
	case err != nil:
		return 0, err
	case !more:
		return readerInOneCall(ctx, q, shown, open, bytes.NewReader(buf[:n]))
	}
	s := &stream{q: q, operation: "COPY", shown: shown}
	rows, err := s.copyReader(ctx, open, r, buf)
	s.abort(ctx, err)
	return rows, err
}

func readerInOneCall(ctx context.Context, q ext.Querier, shown string, open func(context.Context, *driver.Conn) (*driver.CopyIn, error), r io.Reader) (int64, error) {
	return driver.Do(ctx, q, shown, func(ctx context.Context, c *driver.Conn) (int64, error) {
		ci, err := open(ctx, c)
		if err != nil {
			return 0, err
		}
		if _, err := ci.ReadFrom(r); err != nil {
			ci.Abort(err)
			return 0, err
		}
		return ci.Close()
	})
}

// copyReader sends buf, which is full, and then what r gives.
func (s *stream) copyReader(ctx context.Context, open func(context.Context, *driver.Conn) (*driver.CopyIn, error), r io.Reader, buf []byte) (rows int64, err error) {
	rows, err = s.begin(ctx, func(ctx context.Context, c *driver.Conn) (err error) {
		s.ci, err = open(ctx, c)
		return err
	})
	if err != nil || !s.real {
		return rows, err
	}
	for n, more := len(buf), true; ; {
		if rows, err = s.write(ctx, s.shown, buf[:n], !more); err != nil || !more {
			return rows, err
		}
		if n, more, err = fillFrom(r, buf); err != nil {
			return 0, err
		}
	}
}

// fillFrom fills buf. more is false when r has ended.
func fillFrom(r io.Reader, buf []byte) (n int, more bool, err error) {
	n, err = io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return n, false, nil
	}
	return n, true, err
}
