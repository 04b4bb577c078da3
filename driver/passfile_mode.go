package driver

import (
	"io/fs"
	"runtime"
)

// openToOthers reports whether group or others may use a file. Windows keeps no such bits.
func openToOthers(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o077 != 0
}
