//go:build windows

package sqltest

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

var (
	kernel32   = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx = kernel32.NewProc("LockFileEx")
)

// Flags and error number of LockFileEx.
var lockFlags = map[lockMode]uintptr{lockShared: 0, lockExclusive: 2, tryExclusive: 2 | 1}

const errorLockViolation = syscall.Errno(33)

func flock(f *os.File, mode lockMode) error {
	var at syscall.Overlapped
	ok, _, err := lockFileEx.Call(f.Fd(), lockFlags[mode], 0, 1, 0, uintptr(unsafe.Pointer(&at)))
	switch {
	case ok != 0:
		return nil
	case errors.Is(err, errorLockViolation):
		return errLocked
	default:
		return err
	}
}
