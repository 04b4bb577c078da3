//go:build unix

package driver

import (
	"io/fs"
	"syscall"
)

// keyOpenToOthers applies libpq's rule for private keys: the owner's alone, or root's with its group reading.
func keyOpenToOthers(info fs.FileInfo) bool {
	allowed := fs.FileMode(0o600)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
		allowed = 0o640
	}
	return info.Mode().Perm()&^allowed&0o077 != 0
}
