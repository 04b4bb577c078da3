package driver

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// inbox stands between a connection and pgconn. The query path takes from it the messages of a result, without pgconn's
// cost for each; all others are pgconn's, which follows the session by them: it reads through the inbox as if it were not
// there. It is used by one goroutine at a time.
type inbox struct {
	from io.Reader // pgconn's own reader of the connection
	buf  *[]byte   // of inboxBuffers, nil while nothing is held
	rp   int       // what is held is (*buf)[rp:wp]
	wp   int
	err  error // of reading, behind what is held
	rest int   // what pgconn may still read of one message, 0: whatever there is

	row   pgproto3.DataRow
	tag   pgproto3.CommandComplete
	ready pgproto3.ReadyForQuery
	data  pgproto3.CopyData
}

// inboxSize is the size of an inbox's buffer. Longer messages are pgconn's.
const inboxSize = 16 << 10

// inboxBuffers lends the buffers: an idle connection has none.
var inboxBuffers = sync.Pool{New: func() any { b := make([]byte, inboxSize); return &b }}

// signals are the messages without contents.
var signals struct {
	parsed pgproto3.ParseComplete
	bound  pgproto3.BindComplete
	closed pgproto3.CloseComplete
	noData pgproto3.NoData
}

// held is how many bytes wait in the inbox.
func (in *inbox) held() int { return in.wp - in.rp }

// Parts of a message.
const (
	sizeOfHeader = 5 // its kind, and the length of what is behind the kind
	sizeOfCount  = 2 // of a row's values, ahead of them
)

// wholeRow returns the body of the next message, valid until the next call, when it is a row and held whole; else nil.
func (in *inbox) wholeRow() []byte {
	if in.held() < sizeOfHeader+sizeOfCount {
		return nil
	}
	msg := (*in.buf)[in.rp:in.wp]
	size := 1 + int(int32(binary.BigEndian.Uint32(msg[1:])))
	if msg[0] != 'D' || size < sizeOfHeader+sizeOfCount || size > len(msg) {
		return nil
	}
	in.took(size)
	return msg[sizeOfHeader:size:size]
}

// next returns the next message, valid until the next call, when it is one of a result and leaves the transaction status
// as it is. It waits for one. nil has pgconn read the message, or the error there is in its place.
func (in *inbox) next(status byte) pgproto3.BackendMessage {
	if !in.fill(sizeOfHeader) {
		return nil
	}
	size := 1 + int(int32(binary.BigEndian.Uint32((*in.buf)[in.rp+1:])))
	if size < sizeOfHeader {
		return nil
	}
	if size > len(*in.buf) {
		in.rest = size
		return nil
	}
	if !in.fill(size) {
		return nil
	}
	msg := in.decode((*in.buf)[in.rp], (*in.buf)[in.rp+sizeOfHeader:in.rp+size], status)
	if msg == nil {
		in.rest = size
		return nil
	}
	in.took(size)
	if msg == &in.ready {
		in.release()
	}
	return msg
}

// decode returns the message of a kind, nil when it is none for the query path or malformed.
func (in *inbox) decode(kind byte, body []byte, status byte) pgproto3.BackendMessage {
	switch kind {
	case 'D':
		if in.splitRow(body) {
			return &in.row
		}
	case 'C':
		if n := len(body) - 1; bytes.IndexByte(body, 0) == n && n >= 0 {
			in.tag.CommandTag = body[:n]
			return &in.tag
		}
	case 'Z':
		if len(body) == 1 && body[0] == status {
			in.ready.TxStatus = status
			return &in.ready
		}
	case 'd':
		in.data.Data = body
		return &in.data
	}
	if len(body) > 0 {
		return nil
	}
	switch kind {
	case '2':
		return &signals.bound
	case '1':
		return &signals.parsed
	case '3':
		return &signals.closed
	case 'n':
		return &signals.noData
	}
	return nil
}

// maxKeptRow is how many values the list of a row's values is kept for.
const maxKeptRow = 64

// splitRow takes the values of a row apart: nil for NULL, else parts of body. It reports whether body is a row.
func (in *inbox) splitRow(body []byte) bool {
	if len(body) < sizeOfCount {
		return false
	}
	n, values := int(binary.BigEndian.Uint16(body)), in.row.Values
	if cap(values) < n || cap(values) > max(n, maxKeptRow) {
		values = make([][]byte, n)
	}
	values, body = values[:n], body[sizeOfCount:]
	in.row.Values = values
	for i := range values {
		if len(body) < 4 {
			return false
		}
		size := int(int32(binary.BigEndian.Uint32(body)))
		body = body[4:]
		if size == -1 {
			values[i] = nil
			continue
		}
		if uint(size) > uint(len(body)) {
			return false
		}
		values[i] = body[:size:size]
		body = body[size:]
	}
	return true
}

// fill reads until n bytes are held, at most a buffer. Where that fails, the error waits for pgconn.
func (in *inbox) fill(n int) bool {
	if in.held() >= n {
		return true
	}
	if in.buf == nil {
		in.buf = inboxBuffers.Get().(*[]byte)
	}
	buf := *in.buf
	if in.rp > 0 && in.rp+n > len(buf) {
		in.rp, in.wp = 0, copy(buf, buf[in.rp:in.wp])
	}
	for in.held() < n && in.err == nil {
		var read int
		read, in.err = in.from.Read(buf[in.wp:])
		in.wp += read
	}
	return in.held() >= n
}

// took drops the first n bytes, and the buffer with the last.
func (in *inbox) took(n int) {
	in.rp += n
	if in.rp == in.wp {
		in.rp, in.wp = 0, 0
	}
}

// release gives the buffer back when it is empty, and lets go of the messages in it.
func (in *inbox) release() {
	if in.buf == nil || in.held() > 0 {
		return
	}
	inboxBuffers.Put(in.buf)
	in.buf = nil
	clear(in.row.Values)
	in.tag.CommandTag, in.data.Data = nil, nil
}

// Read implements io.Reader for pgconn: what is held, then what is behind it. A message that next has left to pgconn is
// read alone.
func (in *inbox) Read(p []byte) (n int, err error) {
	if in.rest > 0 {
		p = p[:min(len(p), in.rest)]
	}
	switch {
	case in.held() > 0:
		n = copy(p, (*in.buf)[in.rp:in.wp])
		in.took(n)
		in.release()
	case in.err != nil:
		err, in.err = in.err, nil
	default:
		n, err = in.from.Read(p)
	}
	in.rest = max(0, in.rest-n)
	return n, err
}
