package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// serverError is an error of the server. It is a *pgconn.PgError to errors.As, and also fills lib/pq's *pq.Error, which it
// knows by its shape only.
type serverError struct {
	pg  *pgconn.PgError
	sql string // the statement that the position counts in, "" where the error has none of its own
}

func newServerError(msg *pgproto3.ErrorResponse) *serverError {
	return &serverError{pg: pgconn.ErrorResponseToPgError(msg)}
}

// of is e as the error of a statement.
func (e *serverError) of(sql string) *serverError {
	e.sql = sql
	return e
}

// valueError is the driver's refusal of what the server would refuse. It says so ahead of sending, and is an error of the
// server with that SQLSTATE to errors.As.
type valueError struct{ server serverError }

func refuseValue(code, format string, args ...any) error {
	return &valueError{serverError{pg: &pgconn.PgError{
		Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: fmt.Sprintf(format, args...),
	}}}
}

func (e *valueError) Error() string { return e.server.pg.Message }

func (e *valueError) Unwrap() error { return &e.server }

func (e *serverError) Error() string { return e.pg.Error() }

// SQLState is the error's SQLSTATE, as *pgconn.PgError and *pq.Error give it.
func (e *serverError) SQLState() string { return e.pg.Code }

func (e *serverError) Unwrap() error { return e.pg }

// SQLState is the SQLSTATE of an error of the server, wrapped or not, or of what stands for one; "" for any other error and for nil.
// It is the same for errors of pgx and of lib/pq.
func SQLState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// MarshalJSON gives the fields of the *pgconn.PgError: GORM, for one, knows errors by them.
func (e *serverError) MarshalJSON() ([]byte, error) { return json.Marshal(e.pg) }

// As fills target when it is a **pq.Error of github.com/lib/pq. The package is not imported.
func (e *serverError) As(target any) bool {
	p := reflect.ValueOf(target).Elem() // errors.As has checked that target is a non-nil pointer
	t := p.Type()
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct || t.Elem().PkgPath() != "github.com/lib/pq" || t.Elem().Name() != "Error" {
		return false
	}
	v := reflect.New(t.Elem())
	for name, value := range e.pqFields() {
		f := v.Elem().FieldByName(name)
		if !f.IsValid() || f.Kind() != reflect.String || !f.CanSet() {
			return false
		}
		f.SetString(value)
	}
	e.setQuery(v.Elem())
	p.Set(v)
	return true
}

// setQuery fills the field that *pq.Error keeps for itself, where it has it: its text tells the column of an error by it.
func (e *serverError) setQuery(pq reflect.Value) {
	if f := pq.FieldByName("query"); f.IsValid() && f.Kind() == reflect.String {
		reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem().SetString(e.sql)
	}
}

// pqFields are the fields of a *pq.Error: text, as they travel on the wire.
func (e *serverError) pqFields() map[string]string {
	number := func(n int32) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(int(n))
	}
	pg := e.pg
	return map[string]string{
		"Severity": pg.Severity, "Code": pg.Code, "Message": pg.Message, "Detail": pg.Detail, "Hint": pg.Hint,
		"Position": number(pg.Position), "InternalPosition": number(pg.InternalPosition), "InternalQuery": pg.InternalQuery,
		"Where": pg.Where, "Schema": pg.SchemaName, "Table": pg.TableName, "Column": pg.ColumnName,
		"DataTypeName": pg.DataTypeName, "Constraint": pg.ConstraintName, "File": pg.File, "Line": number(pg.Line),
		"Routine": pg.Routine,
	}
}
