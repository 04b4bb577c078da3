//go:build unix

package driver

import "syscall"

// peekSocket looks at the socket without taking anything from it.
func peekSocket(raw syscall.RawConn) peeked {
	found := peekUnknown
	err := raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR:
			found = peekQuiet
		case err != nil || n == 0:
			found = peekGone
		default:
			found = peekData
		}
	})
	if err != nil {
		return peekGone
	}
	return found
}
