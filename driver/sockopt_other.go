//go:build !linux

package driver

import (
	"errors"
	"time"
)

const (
	hasTCPUserTimeout = false
	hasRequirePeer    = false
)

func setTCPUserTimeout(uintptr, time.Duration) error { return errors.ErrUnsupported }

func peerUser(uintptr) (string, error) { return "", errors.ErrUnsupported }
