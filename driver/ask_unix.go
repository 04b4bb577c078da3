//go:build unix

package driver

import "syscall"

// asker asks over a socket. (syscall.RawConn).Read begins by forgetting what the poller knew of the socket, so whatever
// arrives after the look, the answer or the end of the connection, ends the wait.
type asker struct {
	peeker
	step    func(fd uintptr) bool // a.turn, bound once
	request []byte
	written int
	waiting bool
}

func newAsker(raw syscall.RawConn) *asker {
	a := &asker{peeker: peeker{raw: raw}}
	a.step = a.turn
	return a
}

// ask sends a request where nothing has arrived on the socket, and waits until something does. It reports how much was
// written, and what was there. When the wait is broken off, by a deadline or a close, reading meets the same.
func (a *asker) ask(request []byte) (written int, found peeked) {
	a.request, a.written, a.waiting, a.found = request, 0, false, peekQuiet
	err := a.raw.Read(a.step)
	a.request = nil
	if err != nil && !a.waiting {
		return 0, peekGone
	}
	return a.written, a.found
}

// turn is called at first, and again when the socket is readable.
func (a *asker) turn(fd uintptr) (done bool) {
	if a.waiting {
		return true
	}
	if a.see(fd); a.found != peekQuiet {
		return true
	}
	if n, err := syscall.Write(int(fd), a.request); err == nil {
		a.written = n
	}
	a.waiting = a.written == len(a.request)
	return !a.waiting
}
