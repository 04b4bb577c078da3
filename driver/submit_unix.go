//go:build unix

package driver

import "syscall"

// submitter submits over a socket. (syscall.RawConn).Read begins by forgetting what the poller knew of the socket, so
// whatever arrives after the look, the answer or the end of the connection, ends the wait.
type submitter struct {
	peeker
	step    func(fd uintptr) bool // s.turn, bound once
	request []byte
	written int
	waiting bool
}

func newSubmitter(raw syscall.RawConn) *submitter {
	s := &submitter{peeker: peeker{raw: raw}}
	s.step = s.turn
	return s
}

// submit sends a request where nothing has arrived on the socket, and waits until something does. It reports how much was
// written, and what was there. When the wait is broken off, by a deadline or a close, reading meets the same.
func (s *submitter) submit(request []byte) (written int, found peeked) {
	s.request, s.written, s.waiting, s.found = request, 0, false, peekQuiet
	err := s.raw.Read(s.step)
	s.request = nil
	if err != nil && !s.waiting {
		return 0, peekGone
	}
	return s.written, s.found
}

// turn is called at first, and again when the socket is readable.
func (s *submitter) turn(fd uintptr) (done bool) {
	if s.waiting {
		return true
	}
	if s.see(fd); s.found != peekQuiet {
		return true
	}
	if n, err := syscall.Write(int(fd), s.request); err == nil {
		s.written = n
	}
	s.waiting = s.written == len(s.request)
	return !s.waiting
}
