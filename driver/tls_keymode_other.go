//go:build !unix

package driver

import "io/fs"

// keyOpenToOthers is unknown where files carry no such bits.
func keyOpenToOthers(fs.FileInfo) bool { return false }
