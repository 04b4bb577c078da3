package driver

import (
	sqldriver "database/sql/driver"

	"github.com/jackc/pgx/v5/pgproto3"
)

// transport carries requests to the server and messages back. The query path is written against it and knows
// nothing of sockets; *wire is the one over a connection, tests script one.
type transport interface {
	// send writes a whole request. An error that is a *retryError says that no byte left.
	send(request []byte) error
	// submit is send for the connection's next request, when the answer to the last has been read: what has arrived since, unasked,
	// is taken first.
	submit(request []byte) error
	// receive returns the next message, valid until the next call. A FATAL error ends the connection and is the error.
	receive() (pgproto3.BackendMessage, error)
	// row is receive for a row that has arrived: it returns the message's body, and nil when the next message is another one
	// or must be waited for.
	row() []byte
	// interrupt asks the server to cancel what it is doing, and waits until it has been told.
	interrupt()
	// kill closes the connection at once.
	kill()
	// txStatus is the status of the last ReadyForQuery: 'I' idle, 'T' in a transaction, 'E' in a failed one.
	txStatus() byte
	// parameter is a run-time parameter that the server has reported, "" when it has not.
	parameter(name string) string
}

// retryError is the failure of a request that had no effect: it failed before its first byte left, or it was one that
// changes nothing (BEGIN, Parse, ping). It is [sqldriver.ErrBadConn] to database/sql, which takes another connection,
// and unwraps to the cause for everybody else.
type retryError struct{ cause error }

func (e *retryError) Error() string {
	if e.cause == nil {
		return "driver: connection is closed"
	}
	return "driver: connection is lost: " + e.cause.Error()
}

func (e *retryError) Is(target error) bool { return target == sqldriver.ErrBadConn }

func (e *retryError) Unwrap() error { return e.cause }
