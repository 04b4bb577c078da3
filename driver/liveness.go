package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"time"
)

// peeked is what a look at an idle connection's socket shows.
type peeked byte

const (
	peekQuiet   peeked = iota // nothing has arrived
	peekData                  // messages wait: notices, notifications, or a goodbye
	peekGone                  // the peer has closed or reset the connection
	peekUnknown               // the platform or the connection cannot tell
)

// peek looks whether anything has arrived on the idle connection, without waiting and without a round trip. On TLS it
// looks at the socket below, which shows a close but not a record that the TLS layer has read already.
func (w *wire) peek() peeked {
	if w.held() > 0 {
		return peekData
	}
	if w.socket == nil {
		return peekUnknown
	}
	return w.socket.peek()
}

// rawConn is the socket below conn, nil where there is none to be had.
func rawConn(conn net.Conn) syscall.RawConn {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	s, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// absorbWait is how long absorb waits for the rest of a message that has begun to arrive.
const absorbWait = 5 * time.Millisecond

// absorb takes the messages that have arrived on an idle connection: notices and notifications go to their hooks. Its
// error says that the connection can not be used any more.
func (w *wire) absorb() error {
	w.boundReads(time.Now().Add(absorbWait))
	defer w.unboundReads()
	for {
		msg, err := w.pg.ReceiveMessage(context.Background())
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			if w.peek() != peekData { // else the reader was late, not the server
				return nil
			}
			w.boundReads(time.Now().Add(absorbWait))
			continue
		case err != nil:
			return err
		}
		w.heard(msg)
		if err := w.unasked(msg); err != nil {
			return err
		}
		switch w.peek() {
		case peekGone:
			return net.ErrClosed
		case peekData:
			continue
		}
		if _, ok := w.conn.(*tls.Conn); !ok {
			return nil
		}
		w.boundReads(time.Unix(1, 0)) // only what the TLS layer has read already
	}
}
