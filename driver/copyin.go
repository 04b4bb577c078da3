package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// CopyIn is a COPY … FROM STDIN under way: the raw stream to the server, in the format that the statement says. It owns
// the connection until Close or Abort, or until a method fails: any other statement gets [ErrBusy].
//
// It belongs to one call of [Do], or to several under a [Reservation]: each runs under its own context then, and between
// them none is watched. A context that ends aborts the COPY. Where it ends between two calls, database/sql may not run
// the next one: then Abort in a call with a context of its own (context.WithoutCancel), and release there.
//
// A failure ends the COPY; nothing of it is stored then, and the connection can be used unless it was lost.
// A CopyIn is not safe for concurrent use.
type CopyIn struct {
	copying
	buf []byte // a CopyData message being filled: room for its header, and data
}

const (
	copyHeader = 5
	copyBuffer = 64 << 10  // how much is gathered before it is sent
	copyDirect = 16 << 10  // data of this size and more is sent from where it is
	copyChunk  = 256 << 10 // the largest message: the server keeps each in memory as a whole
)

// CopyIn starts statement, a COPY … FROM STDIN, and returns when the server waits for its data. An error of the statement
// is this call's.
func (c *Conn) CopyIn(ctx context.Context, statement string) (*CopyIn, error) {
	if err := c.readyToRun(ctx); err != nil {
		return nil, err
	}
	if err := checkCopy(statement, true, c.engine.standardStrings()); err != nil {
		return nil, err
	}
	ci := c.newCopyIn(statement)
	if err := ci.copyStart(ctx, func() error { return c.engine.sendCopy(statement) }); err != nil {
		return nil, err
	}
	return ci, nil
}

func (c *Conn) newCopyIn(statement string) *CopyIn {
	ci := &CopyIn{copying: copying{conn: c, sql: statement, in: true}}
	ci.out = newDuplex(c.wire, ci.take)
	ci.reset()
	return ci
}

// reset empties the buffer. A large value's is not kept.
func (ci *CopyIn) reset() {
	if ci.buf == nil || cap(ci.buf) > 2*copyBuffer {
		ci.buf = make([]byte, copyHeader, 4<<10)
	}
	ci.buf = ci.buf[:copyHeader]
	ci.buf[0] = 'd'
}

// Columns is the number of columns that the server expects.
func (ci *CopyIn) Columns() int { return len(ci.formats) }

// Binary reports whether the COPY is in the binary format, not text or CSV.
func (ci *CopyIn) Binary() bool { return ci.binary }

// Write implements io.Writer. The stream may be cut anywhere: rows need not begin or end with p. Small pieces are
// gathered, so an error may be that of an earlier row, and the last rows are sent by Close. p is not kept. Write blocks
// while the server is busy, up to the end of the context.
func (ci *CopyIn) Write(p []byte) (int, error) {
	if ci.ended {
		return 0, ci.err
	}
	written := 0
	for len(ci.buf)+len(p) > copyBuffer {
		var direct []byte
		n := copyBuffer - len(ci.buf)
		if len(p) >= copyDirect {
			n = min(len(p), copyChunk)
			direct = p[:n]
		} else {
			ci.buf = append(ci.buf, p[:n]...)
		}
		if err := ci.flush(direct); err != nil {
			return written, err
		}
		written, p = written+n, p[n:]
	}
	ci.buf = append(ci.buf, p...)
	return written + len(p), nil
}

// ReadFrom implements io.ReaderFrom: it writes what r gives, up to its end. r's error is returned as it is, and does not
// end the COPY.
func (ci *CopyIn) ReadFrom(r io.Reader) (n int64, err error) {
	for !ci.ended {
		if cap(ci.buf) < copyBuffer {
			ci.buf = append(make([]byte, 0, copyBuffer), ci.buf...)
		}
		k, err := r.Read(ci.buf[len(ci.buf):copyBuffer])
		ci.buf = ci.buf[:len(ci.buf)+k]
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if len(ci.buf) == copyBuffer {
			if err := ci.flush(nil); err != nil {
				return n, err
			}
		}
	}
	return n, ci.err
}

// flush sends what was gathered, and direct behind it, and takes what the server has said meanwhile.
func (ci *CopyIn) flush(direct []byte) error {
	if ci.ctx.Err() != nil {
		return ci.contextEnded()
	}
	binary.BigEndian.PutUint32(ci.buf[1:], uint32(len(ci.buf)-1+len(direct)))
	err := ci.out.write(ci.buf, direct)
	ci.reset()
	if err == nil {
		err = ci.out.poll()
	}
	if err != nil {
		ci.fail(err)
		ci.over = true
		return ci.end()
	}
	if ci.err == nil && !ci.over {
		return nil
	}
	ci.drain()
	ci.fail(errors.New("driver: the server ended the COPY before its data"))
	return ci.end()
}

// Close tells the server that the data is complete, and returns the number of rows that it has stored. After a failure it
// returns that failure.
func (ci *CopyIn) Close() (rows int64, err error) {
	switch {
	case ci.ended:
		return 0, ci.err
	case ci.ctx.Err() != nil:
		return 0, ci.contextEnded()
	}
	request := ci.buf[:0]
	if len(ci.buf) > copyHeader {
		request = ci.buf
		binary.BigEndian.PutUint32(request[1:], uint32(len(request)-1))
	}
	ci.send(append(request, 'c', 0, 0, 0, 4))
	ci.drain()
	err = ci.end()
	if err != nil {
		return 0, err
	}
	ci.err = errCopyEnded
	return ci.rows, nil
}

var (
	errCopyEnded   = errors.New("driver: the COPY has ended")
	errCopyAborted = errors.New("driver: the COPY was aborted")
)

// Abort ends the COPY without storing any of it. reason is told to the server, which writes it to its log. The error, if
// any, is the loss of the connection. After the end of the COPY Abort does nothing.
func (ci *CopyIn) Abort(reason error) error {
	if ci.ended {
		return nil
	}
	text := "aborted"
	if reason != nil {
		text = reason.Error()
	}
	ci.stop(text)
	err := ci.end()
	if !ci.conn.pg.IsClosed() {
		err = nil
	}
	ci.err = errCopyAborted
	return err
}
