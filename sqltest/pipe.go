package sqltest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// newPipe makes a connection in memory, which holds what was written until it is read, as sockets do. Unlike a socket it works
// in testing/synctest.
func newPipe() (client, server net.Conn) {
	up, down := newStream(), newStream()
	return &pipeEnd{in: down, out: up, addr: "client"}, &pipeEnd{in: up, out: down, addr: "server"}
}

// pipeEnd is one end of a pipe.
type pipeEnd struct {
	in, out *stream
	addr    pipeAddr
}

var _ net.Conn = (*pipeEnd)(nil)

// Read implements net.Conn.
func (e *pipeEnd) Read(p []byte) (int, error) { return e.in.read(p) }

// Write implements net.Conn.
func (e *pipeEnd) Write(p []byte) (int, error) { return e.out.write(p) }

// Close implements net.Conn. The other end may read what was written.
func (e *pipeEnd) Close() error {
	e.in.change(func(s *stream) { s.deaf = true })
	e.out.change(func(s *stream) { s.ended = true })
	return nil
}

// LocalAddr implements net.Conn.
func (e *pipeEnd) LocalAddr() net.Addr { return e.addr }

// RemoteAddr implements net.Conn.
func (e *pipeEnd) RemoteAddr() net.Addr { return pipeAddr("pipe") }

// SetDeadline implements net.Conn.
func (e *pipeEnd) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	e.in.change(func(s *stream) { s.setDeadline(t) })
	return nil
}

// SetWriteDeadline implements net.Conn.
func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	e.out.change(func(s *stream) { s.writeBy = t })
	return nil
}

// pipeAddr is an address in memory.
type pipeAddr string

// Network implements net.Addr.
func (pipeAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (a pipeAddr) String() string { return string(a) }

// stream is one direction of a pipe.
type stream struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     []byte
	ended   bool // the writer has closed
	deaf    bool // the reader has closed
	readBy  time.Time
	writeBy time.Time
	timer   *time.Timer // wakes the reader at readBy
}

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *stream) change(change func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
	s.changed.Broadcast()
}

func (s *stream) setDeadline(t time.Time) {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.readBy = t
	if d := time.Until(t); !t.IsZero() && d > 0 {
		s.timer = time.AfterFunc(d, s.changed.Broadcast)
	}
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.deaf:
			return 0, io.ErrClosedPipe
		case expired(s.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0 || len(p) == 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended || s.deaf:
		return 0, io.ErrClosedPipe
	case expired(s.writeBy):
		return 0, os.ErrDeadlineExceeded
	}
	s.buf = append(s.buf, p...)
	s.changed.Broadcast()
	return len(p), nil
}

func expired(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }
