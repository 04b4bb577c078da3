package mock

import (
	"cmp"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Fields are the fields of a server's error, named as in the PostgreSQL manual. Those that are zero are not sent, but for
// Severity, which is ERROR then, and Message, which then is what the server says for the most common codes.
type Fields struct {
	Severity   string // ERROR; FATAL and PANIC close the connection
	Message    string
	Detail     string
	Hint       string
	Position   int32 // 1-based, in characters of the statement
	Where      string
	Schema     string
	Table      string
	Column     string
	DataType   string
	Constraint string
}

// messages are what the server says with some codes.
var messages = map[string]string{
	"08006": "connection failure",
	"22001": "value too long for type character varying",
	"22012": "division by zero",
	"22P02": "invalid input syntax",
	"23502": "null value violates not-null constraint",
	"23503": "insert or update violates foreign key constraint",
	"23505": "duplicate key value violates unique constraint",
	"23514": "new row violates check constraint",
	"23P01": "conflicting key value violates exclusion constraint",
	"25006": "cannot execute statement in a read-only transaction",
	"40001": "could not serialize access due to concurrent update",
	"40P01": "deadlock detected",
	"42501": "permission denied",
	"42601": "syntax error",
	"42703": "column does not exist",
	"42P01": "relation does not exist",
	"53300": "sorry, too many clients already",
	"55P03": "could not obtain lock on row",
	"57014": "canceling statement due to user request",
	"57P01": "terminating connection due to administrator command",
}

// PgError is an error of the server with a SQLSTATE, for WillReturnError. It reaches the code under test as the driver gives
// it: a *pgconn.PgError and a *pq.Error to errors.As.
func PgError(code string, f Fields) error {
	severity := cmp.Or(f.Severity, "ERROR")
	return &pgconn.PgError{
		Severity: severity, SeverityUnlocalized: severity, Code: code,
		Message: cmp.Or(f.Message, messages[code], "error "+code), Detail: f.Detail, Hint: f.Hint, Position: f.Position, Where: f.Where,
		SchemaName: f.Schema, TableName: f.Table, ColumnName: f.Column, DataTypeName: f.DataType, ConstraintName: f.Constraint,
	}
}

// serverError returns the error of the server in err, nil when there is none.
func serverError(err error) *pgconn.PgError {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg
	}
	return nil
}

func isServerError(err error) bool { return serverError(err) != nil }

// onWire is an error as a message of the server.
func onWire(pg *pgconn.PgError) *pgproto3.ErrorResponse {
	severity := cmp.Or(pg.SeverityUnlocalized, pg.Severity, "ERROR")
	return &pgproto3.ErrorResponse{
		Severity: cmp.Or(pg.Severity, severity), SeverityUnlocalized: severity, Code: pg.Code, Message: pg.Message,
		Detail: pg.Detail, Hint: pg.Hint, Position: pg.Position, InternalPosition: pg.InternalPosition,
		InternalQuery: pg.InternalQuery, Where: pg.Where, SchemaName: pg.SchemaName, TableName: pg.TableName,
		ColumnName: pg.ColumnName, DataTypeName: pg.DataTypeName, ConstraintName: pg.ConstraintName, File: pg.File,
		Line: pg.Line, Routine: pg.Routine,
	}
}

// isFatal reports whether the server closes the connection after an error.
func isFatal(pg *pgconn.PgError) bool {
	severity := cmp.Or(pg.SeverityUnlocalized, pg.Severity)
	return severity == "FATAL" || severity == "PANIC"
}
