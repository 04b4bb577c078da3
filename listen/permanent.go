package listen

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/pycopg/pycopg/driver"
)

// connectError is an error of making a connection.
type connectError struct{ err error }

func (e *connectError) Error() string { return e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

// catchUpError is an error of the user's CatchUp.
type catchUpError struct{ err error }

func (e *catchUpError) Error() string { return "catch up: " + e.err.Error() }
func (e *catchUpError) Unwrap() error { return e.err }

// permanentStates are the SQLSTATEs of a refused connection that no repetition changes.
var permanentStates = map[string]bool{
	"28000": true, // no such role, or pg_hba.conf says no
	"28P01": true, // wrong password
	"3D000": true, // no such database
	"42501": true, // no right to connect
}

// isPermanent reports whether trying again is of no use. first says that there was no connection yet: then what is neither
// the server's nor the network's doing is permanent, too (another driver's handle, settings that cannot be used).
func isPermanent(err error, first bool) bool {
	var connect *connectError
	switch {
	case errors.Is(err, ErrPooler), errors.Is(err, driver.ErrConnectorClosed):
		return true
	case errors.Is(err, ErrStandby): // later it may be a failover that is not over
		return first
	case errors.Is(err, errNotListening):
		return first
	case !errors.As(err, &connect):
		return false
	}
	var attempts *driver.ConnectError
	if errors.As(err, &attempts) {
		for _, a := range attempts.Attempts {
			if !permanentStates[driver.SQLState(a.Err)] {
				return false
			}
		}
		return len(attempts.Attempts) > 0
	}
	return first && !isNetwork(err) && driver.SQLState(err) == ""
}

func isCatchUp(err error) bool {
	var catchUp *catchUpError
	return errors.As(err, &catchUp)
}

// isNetwork reports whether err may be gone the next time.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// isBadName reports whether the server refused a statement for the text of a channel's name: it has no such character in the
// encoding of the database, say. Class 22 is "data exception".
func isBadName(err error) bool {
	state := driver.SQLState(err)
	return len(state) == 5 && state[:2] == "22"
}
