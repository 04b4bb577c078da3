package driver

import "time"

// justNow is for how long the connection is taken as standing once the server has answered, or the socket was looked at:
// statements that follow one another without a pause cost no look each. A server that leaves within it is met by the request
// itself, as one that leaves while the request is on its way.
const justNow = 5 * time.Microsecond

// standsAt reports whether the connection need not be looked at, at a time by now.
func (w *wire) standsAt(t time.Duration) bool { return t-w.stood < justNow && w.held() == 0 }

// submit implements transport. It looks at the socket first: a lost connection is found before anything is sent.
func (w *wire) submit(request []byte) error {
	if w.pg.IsClosed() {
		return &retryError{}
	}
	if !w.standsAt(now()) {
		switch w.peek() {
		case peekGone:
			w.kill()
			return &retryError{}
		case peekData:
			if err := w.absorb(); err != nil {
				w.kill()
				return &retryError{cause: err}
			}
		}
	}
	return w.write(request, 0)
}
