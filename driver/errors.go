package driver

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrRowsOpen is the error of a statement on a connection whose previous rows are still open (inside a *sql.Tx
	// or on a *sql.Conn). Nothing was sent. The message names the open statement.
	ErrRowsOpen = errors.New("driver: rows are still open on this connection")

	// ErrBusy is the error of a statement on a connection that a helper (a COPY, a pipeline, a cursor) is using.
	// Nothing was sent. The message names the operation.
	ErrBusy = errors.New("driver: connection is busy")

	// ErrInsideDo is the error of [Do] when it is called with the context of a function that Do runs: database/sql
	// holds the connection's lock there, so the call would never return.
	ErrInsideDo = errors.New("driver: called inside driver.Do, where the connection is locked")

	// ErrCommitUnknown is the error of a COMMIT whose answer was lost: the transaction may or may not have been committed.
	ErrCommitUnknown = errors.New("driver: connection lost during COMMIT, its outcome is unknown")

	// ErrCommitRolledBack is the error of a COMMIT that the server answered with ROLLBACK, because a statement of the
	// transaction had failed. The error wraps the first failure too.
	ErrCommitRolledBack = errors.New("driver: COMMIT rolled back, the transaction had failed")

	// ErrInTransaction is the error of what can be done only outside of a transaction, on a connection inside one. Nothing
	// was sent. The message names the transaction's status as libpq does: INTRANS, or INERROR when it has failed.
	ErrInTransaction = errors.New("driver: connection is inside a transaction")

	// ErrConnectorClosed is the error of connecting after the pool was closed.
	ErrConnectorClosed = errors.New("driver: the connector is closed")

	// ErrStalePlan is the error of a prepared statement whose result columns have changed (by a migration, say)
	// inside a transaction. The transaction has failed; the next use prepares the statement again.
	ErrStalePlan = errors.New("driver: the statement's plan is stale")
)

// SQLSTATEs that the driver acts on.
const (
	codeSyntaxError         = "42601"
	codeQueryCanceled       = "57014"
	codeInFailedTransaction = "25P02"
	codeReadOnlyTransaction = "25006"
	codeNoSuchStatement     = "26000"
	codeFeatureNotSupported = "0A000"
	codeInternal            = "XX000"
	codeInvalidText         = "22P02"
	codeNotInRepertoire     = "22021"
)

// canceledError is a statement that ended because its context did, and was cancelled by the server:
// the context's error, its cause, and the server's 57014 at once.
type canceledError struct {
	ctxErr error
	cause  error
	server error // nil when the server did not answer in time and the connection was closed
}

func (e *canceledError) Error() string {
	reason := e.ctxErr.Error()
	if e.cause != nil && e.cause != e.ctxErr {
		reason += " (" + e.cause.Error() + ")"
	}
	if e.server == nil {
		return "driver: statement cancelled: " + reason + ": no answer from the server, connection closed"
	}
	return "driver: statement cancelled: " + reason + ": " + e.server.Error()
}

func (e *canceledError) Unwrap() []error {
	all := []error{e.ctxErr}
	if e.cause != nil && e.cause != e.ctxErr {
		all = append(all, e.cause)
	}
	if e.server != nil {
		all = append(all, e.server)
	}
	return all
}

// failedTxError is a statement refused with 25P02, with the failure that put the transaction there.
type failedTxError struct {
	server error
	first  error
}

func (e *failedTxError) Error() string {
	return fmt.Sprintf("%v; the transaction failed at: %v", e.server, e.first)
}

func (e *failedTxError) Unwrap() []error { return []error{e.server, e.first} }

// serverCode is the SQLSTATE of a server's error, "" for any other error.
func serverCode(err error) string {
	if err == nil {
		return "" // errors.As would allocate
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
