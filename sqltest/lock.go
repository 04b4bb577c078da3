package sqltest

import (
	"errors"
	"os"
)

// errLocked says that another process holds a lock that was asked for without waiting.
var errLocked = errors.New("sqltest: the file is locked")

type lockMode int

const (
	lockShared lockMode = iota
	lockExclusive
	tryExclusive // fails with errLocked instead of waiting
)

// lockFile opens and locks path; closing the file, or the end of the process, releases the lock.
// A lock of a file that was deleted while this call waited is worth nothing, so the path is opened
// again until file and path agree. Without create a missing file is an error.
func lockFile(path string, mode lockMode, create bool) (*os.File, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	for {
		f, err := os.OpenFile(path, flags, 0o600)
		if err != nil {
			return nil, err
		}
		if err := flock(f, mode); err != nil {
			f.Close()
			return nil, err
		}
		if isAt(f, path) {
			return f, nil
		}
		f.Close()
	}
}

func isAt(f *os.File, path string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(held, named)
}
