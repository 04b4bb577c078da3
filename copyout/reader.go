package copyout

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// Reader is a COPY TO STDOUT under way, as an io.Reader of its stream. It holds one connection until all data has come, an
// error or Close: any other statement on it gets driver.ErrBusy. Its methods do I/O under the context of [NewReader]. It is
// not safe for concurrent use.
type Reader struct {
	ctx  context.Context
	s    *stream
	buf  []byte
	data []byte // of buf, that has not been read
	rows int64
	err  error // behind data
}

var errReaderClosed = errors.New("copyout: the reader is closed")

// NewReader starts a COPY … TO STDOUT. Close must be called.
func NewReader(ctx context.Context, q ext.Querier, statement string) (*Reader, error) {
	r := &Reader{ctx: ctx, s: &stream{q: q, operation: "COPY to a reader", shown: statement}}
	rows, err := r.s.begin(ctx, func(context.Context, *driver.Conn) (string, error) { return statement, nil })
	if err != nil {
		r.s.end(ctx)
		return nil, wrap(err)
	}
	if !r.s.real {
		r.rows, r.err = rows, io.EOF
	}
	return r, nil
}

// Read implements io.Reader. It returns io.EOF when the server has said that all went well.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.data) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		buf, more, err := r.s.fill(r.ctx, r.buf[:0])
		r.buf, r.data = buf, buf
		switch {
		case err != nil:
			r.data, r.err = nil, fmt.Errorf("copyout: %w", err)
		case !more:
			r.rows, r.err = r.s.out.rows, io.EOF
		}
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}

// Rows is the number of rows that the server has sent, known when Read has returned io.EOF.
func (r *Reader) Rows() int64 { return r.rows }

// Close gives the connection free. Before the end of the data it cancels the COPY: the connection can be used afterwards, a
// transaction goes on. A second Close does nothing.
func (r *Reader) Close() error {
	r.s.end(r.ctx)
	r.data = nil
	if r.err == nil {
		r.err = errReaderClosed
	}
	return nil
}

// Pipe runs a COPY … TO STDOUT on one handle and feeds a COPY … FROM STDIN on another with its data, and returns the number
// of rows that the second has stored. The two are of the same or of different servers, but never of the same connection.
// Both formats must be the same: statements whose options differ in what the stream looks like are refused before they are sent.
// It reads no faster than it can write. A failure of either ends both: nothing is stored.
func Pipe(ctx context.Context, from ext.Querier, fromStatement string, to ext.Querier, toStatement string) (int64, error) {
	if err := checkPipe(from, to); err != nil {
		return 0, err
	}
	if err := driver.CheckCopyPair(fromStatement, toStatement); err != nil {
		return 0, fmt.Errorf("copyout: pipe: %w", err)
	}
	r, err := NewReader(ctx, from, fromStatement)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return copyin.From(ctx, to, toStatement, r)
}

// checkPipe refuses a pipe that would wait for itself.
func checkPipe(from, to ext.Querier) error {
	pool, isPool := from.(interface{ Stats() sql.DBStats })
	switch {
	case !sameHandle(from, to):
		return nil
	case !isPool:
		return fmt.Errorf("copyout: pipe: %w: its own other end uses the same connection", driver.ErrBusy)
	case pool.Stats().MaxOpenConnections == 1:
		return fmt.Errorf("copyout: pipe: %w: the pool has one connection (SetMaxOpenConns), the pipe needs two", driver.ErrBusy)
	}
	return nil
}

// sameHandle reports whether two handles are the same object.
func sameHandle(a, b ext.Querier) bool { return reflect.TypeOf(a).Comparable() && a == b }
