//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of the processors so far, in its own code and in the kernel for it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
