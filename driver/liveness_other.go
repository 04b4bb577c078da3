//go:build !unix

package driver

import "syscall"

// peekSocket cannot look at a socket on this platform.
func peekSocket(syscall.RawConn) peeked { return peekUnknown }
