//go:build !unix

package driver

import "syscall"

// peeker cannot look at a socket on this platform.
type peeker struct{}

func newPeeker(syscall.RawConn) *peeker { return &peeker{} }

func (p *peeker) peek() peeked { return peekUnknown }
