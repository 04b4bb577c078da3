package driver

import "net"

// submit implements transport. Over a plain socket it looks, writes and waits in one go: that finds a lost connection
// before anything is sent, and costs no system call more than writing and reading do.
func (w *wire) submit(request []byte) error {
	if w.pg.IsClosed() {
		return &retryError{}
	}
	if !w.looksFirst() || w.held() > 0 {
		return w.send(request)
	}
	switch written, found := w.submitter.submit(request); {
	case found == peekGone:
		w.kill()
		return &retryError{}
	case found == peekData:
		if err := w.absorb(); err != nil {
			w.kill()
			return &retryError{cause: err}
		}
		return w.send(request)
	case written < len(request):
		return w.write(request, written)
	}
	return nil
}

// looksFirst reports whether submit looks at the socket before it sends. A reader that pgconn has left on the connection, as
// it does where a write of its own took long, would keep submit waiting.
func (w *wire) looksFirst() bool {
	if w.submitter == nil {
		return false
	}
	w.alone = w.alone || w.inbox.alone()
	return w.alone
}

// plainSocket reports whether nc is a socket and nothing else: a type that wraps one has ideas of its own about writing.
func plainSocket(nc net.Conn) bool {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}
