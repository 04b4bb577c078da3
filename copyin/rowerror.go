package copyin

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// RowError is the failure of one row, found on the client or by the server. errors.As also reaches the server's own error
// below it.
type RowError struct {
	Row    int64  // from 1; of a file, its line
	Column string // "" where the failure is that of the row
	Value  any    // of the column: a Go value, or what the server quotes of its text; nil where there is none
	Err    error
}

func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "row %d", e.Row)
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %q", e.Column)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

func (e *RowError) Unwrap() error { return e.Err }

// copyContext is the line of a server's CONTEXT that says where a COPY was: "COPY t, line 3, column b: "x"", in the language
// of the server's messages.
var copyContext = regexp.MustCompile(`(?m)^COPY .*?, \pL+ (\d+)(?:, [\pL ]+ ("(?:[^"]|"")*"|[^:]*?))?(?:: (.*))?$`)

// withRow is err as a RowError where the server says which row it is about. value finds the value of a column of that row.
func withRow(err error, value func(row int64, column string) any) error {
	var server *pgconn.PgError
	var known *RowError
	if err == nil || errors.As(err, &known) || !errors.As(err, &server) || !strings.Contains(server.Where, "COPY ") {
		return err
	}
	m := copyContext.FindStringSubmatch(server.Where)
	if m == nil {
		return err
	}
	row, perr := strconv.ParseInt(m[1], 10, 64)
	if perr != nil {
		return err
	}
	e := &RowError{Row: row, Column: m[2], Err: err}
	if e.Column == "" {
		e.Column = server.ColumnName
	} else if text, ok := quoted(m[3]); ok {
		e.Value = text
	}
	if e.Value == nil && value != nil {
		e.Value = value(row, e.Column)
	}
	return e
}

// quoted is the text between the quotes of a server's message, whatever they look like in its language.
func quoted(s string) (string, bool) {
	runes := []rune(s)
	if len(runes) < 2 || !strings.ContainsRune(`"»«„“”'`, runes[0]) {
		return "", false
	}
	return string(runes[1 : len(runes)-1]), true
}

// kept is a value that outlives its row: v may lie in memory of the caller's that will change.
func kept(v any) any {
	if v == nil {
		return nil
	}
	p := reflect.New(reflect.TypeOf(v)).Elem()
	p.Set(reflect.ValueOf(v))
	return p.Interface()
}
