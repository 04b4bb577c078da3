package copyin

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// passingStates are failures that another attempt may not meet. Class 08 is "connection exception".
var passingStates = map[string]bool{
	"40001": true, // serialization failure
	"40P01": true, // deadlock
	"55P03": true, // a lock was not to be had in time
	"53300": true, // too many connections
	"57P01": true, // the server shuts down, or somebody has ended the session
	"57P02": true, // another session has crashed
	"57P03": true, // the server starts up
	"57P05": true, // the session was idle for too long
	"25P03": true, // its transaction was
}

// isPassing reports whether a batch that failed may be tried again: nothing of it is stored, and the failure may pass.
func isPassing(err error) bool {
	if errors.Is(err, driver.ErrCommitUnknown) {
		return false
	}
	if state := driver.SQLState(err); state != "" {
		return passingStates[state] || strings.HasPrefix(state, "08")
	}
	var connect *driver.ConnectError
	return isLost(err) || errors.As(err, &connect) || errors.Is(err, driver.ErrCommitRolledBack)
}

// isLost reports whether a connection was lost.
func isLost(err error) bool {
	var network net.Error
	var system syscall.Errno
	return errors.As(err, &network) || errors.As(err, &system) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, sqldriver.ErrBadConn)
}

// isBadData reports whether the server refuses what it was sent, not that it was sent: then parts of it may be stored. named says
// that it names the row.
func isBadData(err error, named bool) bool {
	state := driver.SQLState(err)
	if len(state) != 5 {
		return false
	}
	switch class := state[:2]; class {
	case "22", "23", "44", "54", "P0": // data, integrity, WITH CHECK OPTION, limits, RAISE
		return true
	case "08", "25", "40", "53", "57", "58", "XX": // connection, transaction, rollback, resources, operators, system, internal
		return false
	}
	return named
}

// pauseBefore waits ahead of an attempt. It returns why there shall be none.
func pauseBefore(ctx context.Context, attempt int, first time.Duration) error {
	pause := max(first, maxRetryDelay)
	if shift := attempt - 1; shift < 16 && first<<shift < pause {
		pause = first << shift
	}
	timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
