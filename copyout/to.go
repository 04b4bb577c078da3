package copyout

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

// To runs any COPY … TO STDOUT, writes its stream to w, and returns the number of rows. w's own error cancels the COPY and
// comes back unchanged.
//
// Files, sockets and buffers in memory are written to in one call of [driver.Do]. Any other writer may be code of the user's:
// it is written to between such calls, while one connection is busy: any other statement on it, from the writer too, gets
// driver.ErrBusy. What was written stays written when the COPY fails later.
func To(ctx context.Context, q ext.Querier, statement string, w io.Writer) (int64, error) {
	if w == nil {
		return 0, wrap(errNoWriter)
	}
	rows, err := copyTo(ctx, q, Source{}, statement, func(context.Context, *driver.Conn) (string, error) { return statement, nil }, w)
	if err != nil {
		return 0, wrap(err)
	}
	return rows, nil
}

var errNoWriter = errors.New("the writer is nil")

// foreignError is an error of a user's writer, which comes back unchanged.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return e.err.Error() }

func wrap(err error) error {
	var foreign *foreignError
	if errors.As(err, &foreign) {
		return foreign.err
	}
	return fmt.Errorf("copyout: %w", err)
}

// isSafe reports whether a writer is known to run no code of users, which might use the connection.
func isSafe(w io.Writer) bool {
	switch w.(type) {
	case *os.File, *net.TCPConn, *net.UnixConn, *bytes.Buffer, *strings.Builder:
		return true
	}
	return w == io.Discard
}

func write(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return &foreignError{err}
	}
	return nil
}

// copyTo runs a COPY whose statement prepare gives; shown is what mocks see. src is what is copied, where that is known.
func copyTo(ctx context.Context, q ext.Querier, src Source, shown string, prepare prepare, w io.Writer) (rows int64, err error) {
	if isSafe(w) {
		return inOneCall(ctx, q, src, shown, prepare, w)
	}
	s := &stream{q: q, src: src, operation: "COPY to a writer", shown: shown, keep: true}
	defer s.end(ctx)
	if rows, err := s.begin(ctx, prepare); err != nil || !s.real {
		return rows, err
	}
	buf := make([]byte, 0, bufferSize+bufferSize/4)
	for more := true; more; buf = buf[:0] {
		if buf, more, err = s.fill(ctx, buf); err != nil {
			return 0, err
		}
		if err := write(w, buf); err != nil {
			return 0, err
		}
	}
	return s.out.rows, nil
}

func inOneCall(ctx context.Context, q ext.Querier, src Source, shown string, prepare prepare, w io.Writer) (int64, error) {
	return driver.Do(ctx, q, shown, func(ctx context.Context, c *driver.Conn) (int64, error) {
		statement, err := prepare(ctx, c)
		if err != nil {
			return 0, err
		}
		o, err := start(ctx, c, statement)
		if err != nil {
			return 0, src.explain(ctx, c, err)
		}
		buf := make([]byte, 0, bufferSize+bufferSize/4)
		for more := true; more; buf = buf[:0] {
			if buf, more, err = o.fill(ctx, c, buf); err != nil {
				return 0, err
			}
			if err := write(w, buf); err != nil {
				if more {
					o.leave(ctx, c)
				}
				return 0, err
			}
		}
		return o.rows, nil
	})
}
