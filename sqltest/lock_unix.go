//go:build unix

package sqltest

import (
	"errors"
	"os"
	"syscall"
)

var flockFlags = map[lockMode]int{
	lockShared:    syscall.LOCK_SH,
	lockExclusive: syscall.LOCK_EX,
	tryExclusive:  syscall.LOCK_EX | syscall.LOCK_NB,
}

func flock(f *os.File, mode lockMode) error {
	for {
		err := syscall.Flock(int(f.Fd()), flockFlags[mode])
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		default:
			return err
		}
	}
}
