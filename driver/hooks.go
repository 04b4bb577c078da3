package driver

import (
	"fmt"
	"time"
)

// Notice is a message that the server sends beside a result: NOTICE, WARNING, INFO, LOG or DEBUG.
// It is a plain value that may be kept. The fields are those of the PostgreSQL manual,
// "Error and Notice Message Fields" (protocol-error-fields); a field that the server did not send is zero.
type Notice struct {
	Severity            string // in the server's language
	SeverityUnlocalized string // NOTICE, WARNING, INFO, LOG, DEBUG
	Code                string // SQLSTATE
	Message             string
	Detail              string
	Hint                string
	Position            int32 // 1-based character offset into the statement, 0 when unknown
	InternalPosition    int32
	InternalQuery       string
	Where               string
	SchemaName          string
	TableName           string
	ColumnName          string
	DataTypeName        string
	ConstraintName      string
	File                string
	Line                int32
	Routine             string
}

// String is "SEVERITY - message", as psycopg's examples print it.
func (n Notice) String() string { return n.Severity + " - " + n.Message }

// Notification is a message of LISTEN/NOTIFY.
type Notification struct {
	PID     uint32 // backend that sent it
	Channel string
	Payload string
}

// String is Notify(channel="jobs", payload="42", pid=961823), as psycopg's examples print it.
func (n Notification) String() string {
	return fmt.Sprintf("Notify(channel=%q, payload=%q, pid=%d)", n.Channel, n.Payload, n.PID)
}

// QueryStart describes a statement that is about to run.
type QueryStart struct {
	SQL      string
	Args     []any // the driver's own slice: it must be neither kept nor changed
	Prepared bool  // whether a prepared statement runs
}

// QueryEnd describes a statement that has ended, with everything that was read of it.
type QueryEnd struct {
	QueryStart
	Tag      string // command tag of the last statement, "" after an error
	Rows     int64  // rows returned or changed
	Duration time.Duration
	Err      error
}
