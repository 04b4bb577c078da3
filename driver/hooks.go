package driver

import (
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
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

// LogValue implements [slog.LogValuer]: a group of the fields that the server sent.
func (n Notice) LogValue() slog.Value {
	var attrs []slog.Attr
	rv := reflect.ValueOf(n)
	for i := range rv.NumField() {
		if f := rv.Field(i); !f.IsZero() {
			attrs = append(attrs, slog.Any(logKeys[i], f.Interface()))
		}
	}
	return slog.GroupValue(attrs...)
}

// logKeys are the keys of Notice's fields in a log, in their order.
var logKeys = []string{
	"severity", "severity_nonlocalized", "sqlstate", "message", "detail", "hint", "position", "internal_position", "internal_query",
	"context", "schema", "table", "column", "datatype", "constraint", "source_file", "source_line", "source_function",
}

// Notification is a message of LISTEN/NOTIFY.
type Notification struct {
	PID     uint32 // backend that sent it
	Channel string
	Payload string
}

// String is Notify(channel='jobs', payload='42', pid=961823), as psycopg's examples print it.
func (n Notification) String() string {
	return fmt.Sprintf("Notify(channel=%s, payload=%s, pid=%d)", singleQuoted(n.Channel), singleQuoted(n.Payload), n.PID)
}

// singleQuoted is strconv.Quote with quotes of the other kind.
func singleQuoted(s string) string {
	text := strconv.Quote(s)
	text = strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`)
	return "'" + strings.ReplaceAll(text, "'", `\'`) + "'"
}

// LogValue implements [slog.LogValuer].
func (n Notification) LogValue() slog.Value {
	return slog.GroupValue(slog.String("channel", n.Channel), slog.String("payload", n.Payload), slog.Uint64("pid", uint64(n.PID)))
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
