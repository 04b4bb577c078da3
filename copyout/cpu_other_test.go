//go:build !unix

package copyout_test

import "time"

// clientCPU is not measured on this platform.
func clientCPU() time.Duration { return 0 }
