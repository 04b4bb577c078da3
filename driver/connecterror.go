package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ConnectError says why no connection could be made: one attempt for each address and kind of encryption that was tried.
// errors.As reaches the *pgconn.PgError of every attempt and fills lib/pq's *pq.Error, errors.Is finds the context's error.
// It never holds a password.
type ConnectError struct {
	Attempts []ConnectAttempt
	cause    error // of the context, where that ended the attempts
}

// ConnectAttempt is one attempt to connect.
type ConnectAttempt struct {
	Host     string
	Port     uint16
	Address  string // what was dialled, "" when the name could not be resolved
	User     string
	Database string
	TLS      bool // whether TLS was in use, or was to be
	Err      error
}

// Error has one line for each attempt.
func (e *ConnectError) Error() string {
	if len(e.Attempts) == 1 && e.cause == nil {
		return "driver: connect: " + e.Attempts[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "driver: connect: %d attempts failed", len(e.Attempts))
	if e.cause != nil {
		b.WriteString(", then: " + e.cause.Error())
	}
	for _, a := range e.Attempts {
		b.WriteString("\n\t" + a.String())
	}
	return b.String()
}

// Unwrap returns the attempts' errors and the context's.
func (e *ConnectError) Unwrap() []error {
	errs := make([]error, 0, len(e.Attempts)+1)
	for _, a := range e.Attempts {
		errs = append(errs, a.Err)
	}
	if e.cause != nil {
		errs = append(errs, e.cause)
	}
	return errs
}

// As fills a **pq.Error of github.com/lib/pq with the first error of a server, as the errors of statements do.
func (e *ConnectError) As(target any) bool {
	var pg *pgconn.PgError
	for _, a := range e.Attempts {
		if errors.As(a.Err, &pg) {
			return (&serverError{pg: pg}).As(target)
		}
	}
	return false
}

// String is one line: where, as whom, encrypted or not, and why it failed.
func (a ConnectAttempt) String() string {
	var b []byte
	b = appendSetting(b, "host", a.Host)
	if host, _, err := net.SplitHostPort(a.Address); err == nil && host != a.Host {
		b = appendSetting(b, "address", host)
	}
	b = appendSetting(b, "port", strconv.Itoa(int(a.Port)))
	b = appendSetting(b, "user", a.User)
	b = appendSetting(b, "database", a.Database)
	b = appendSetting(b, "tls", map[bool]string{true: "on", false: "off"}[a.TLS])
	reason := "unknown"
	if a.Err != nil {
		reason = strings.ReplaceAll(a.Err.Error(), "\n", "; ")
	}
	return string(b) + ": " + reason
}

// MarshalJSON is the fields with the text of the error.
func (a ConnectAttempt) MarshalJSON() ([]byte, error) {
	object := map[string]any{
		"host": a.Host, "port": a.Port, "address": a.Address, "user": a.User, "database": a.Database, "tls": a.TLS,
	}
	if a.Err != nil {
		object["error"] = a.Err.Error()
	}
	return json.Marshal(object)
}
