//go:build !unix

package driver

import "syscall"

// submitter cannot look at a socket on this platform.
type submitter struct{ peeker }

func newSubmitter(syscall.RawConn) *submitter { return nil }

func (s *submitter) submit([]byte) (written int, found peeked) { return 0, peekUnknown }
