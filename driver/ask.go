package driver

import (
	"net"
)

// ask implements transport. Over a plain socket it looks, writes and waits in one go, which finds a lost connection before
// anything is sent and costs no system call more than writing and reading do.
func (w *wire) ask(request []byte) error {
	if w.pg.IsClosed() {
		return &retryError{}
	}
	if !w.asks() || w.held() > 0 {
		return w.send(request)
	}
	switch written, found := w.asker.ask(request); {
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

// asks reports whether ask looks at the socket before it sends. pgconn may have left a reader of its own on a connection
// that was lent, behind which a look would wait.
func (w *wire) asks() bool { return w.asker != nil && !w.lent }

// plainSocket reports whether nc is a socket and nothing else: a type that wraps one has ideas of its own about writing.
func plainSocket(nc net.Conn) bool {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}
