//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// maxMemory is the most memory that a process had, in bytes.
func maxMemory(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
