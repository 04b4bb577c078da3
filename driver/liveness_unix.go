//go:build unix

package driver

import "syscall"

// peeker looks at a socket without taking anything from it. It is made once for a connection that is looked at often.
type peeker struct {
	raw   syscall.RawConn
	look  func(fd uintptr) // p.see, bound once
	found peeked
	b     [1]byte
}

func newPeeker(raw syscall.RawConn) *peeker {
	p := &peeker{raw: raw}
	p.look = p.see
	return p
}

func (p *peeker) peek() peeked {
	p.found = peekUnknown
	if p.raw.Control(p.look) != nil {
		return peekGone
	}
	return p.found
}

func (p *peeker) see(fd uintptr) {
	n, _, err := syscall.Recvfrom(int(fd), p.b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	switch {
	case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR:
		p.found = peekQuiet
	case err != nil || n == 0:
		p.found = peekGone
	default:
		p.found = peekData
	}
}
