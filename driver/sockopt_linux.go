package driver

import (
	"math"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

const (
	hasTCPUserTimeout = true
	hasRequirePeer    = true

	tcpUserTimeout = 0x12 // TCP_USER_TIMEOUT, in milliseconds
)

func setTCPUserTimeout(fd uintptr, d time.Duration) error {
	ms := min(max(d.Milliseconds(), 1), math.MaxInt32)
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(ms))
}

// peerUser is the name of the user who runs the other end of a unix socket.
func peerUser(fd uintptr) (string, error) {
	cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return "", err
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(cred.Uid), 10))
	if err != nil {
		return "", err
	}
	return u.Username, nil
}
