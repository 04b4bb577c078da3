package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// followMemory follows how much memory a process has had at most, in bytes, until stop is called. What the kernel tells of a process
// that has ended is no less than its parent's, out of which it was forked: the process is looked at while it runs.
func followMemory(pid int) (stop func() int64) {
	quit, most := make(chan struct{}), make(chan int64)
	go func() {
		const interval = 5 * time.Millisecond
		tick := time.NewTicker(interval)
		defer tick.Stop()
		var peak int64
		for {
			select {
			case <-tick.C:
				peak = max(peak, peakMemory(pid))
			case <-quit:
				most <- peak
				return
			}
		}
	}()
	return func() int64 {
		close(quit)
		return <-most
	}
}

// peakMemory is the "high water mark" of a running process, 0 where there is none.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if text, ok := strings.CutPrefix(string(line), "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
