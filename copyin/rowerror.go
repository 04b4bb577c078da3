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

// Error names the row and the column.
func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "row %d", e.Row)
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %q", e.Column)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the failure itself.
func (e *RowError) Unwrap() error { return e.Err }

// withRow is err as a RowError where the server says which row it is about. table and columns are those of the COPY, "" and nil
// where they are not known; value finds the value of a column of that row.
func withRow(err error, table string, columns []string, value func(row int64, column string) any) error {
	var server *pgconn.PgError
	var known *RowError
	if err == nil || errors.As(err, &known) || !errors.As(err, &server) || server.Code == codeCanceled {
		return err
	}
	e, ok := parseContext(server.Where, table, columns)
	if !ok {
		return err
	}
	if e.Err = err; e.Column == "" {
		e.Column = server.ColumnName
	}
	if e.Value == nil && value != nil {
		e.Value = value(e.Row, e.Column)
	}
	return e
}

// The parts of the line of a server's CONTEXT that says where a COPY was: "COPY t, line 3, column b: "x"", in the language of
// the server's messages.
var (
	contextLine   = regexp.MustCompile(`^(.*?), \pL+ (\d+)(.*)$`)
	contextColumn = regexp.MustCompile(`^, \pL+ (.*)$`)
)

const codeCanceled = "57014" // query_canceled, which says nothing of the row

func parseContext(where, table string, columns []string) (e *RowError, ok bool) {
	for line := range strings.Lines(where) {
		rest, isCopy := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "COPY ")
		if !isCopy {
			continue
		}
		if table != "" {
			rest = strings.TrimPrefix(rest, table)
		}
		m := contextLine.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		row, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			continue
		}
		e = &RowError{Row: row}
		if m = contextColumn.FindStringSubmatch(m[3]); m == nil {
			return e, true
		}
		var text string
		e.Column, text = cutColumn(m[1], columns)
		if value, ok := quoted(text); ok {
			e.Value = value
		}
		return e, true
	}
	return nil, false
}

// cutColumn splits "b: "x"", where the column's name is not in quotes.
func cutColumn(s string, columns []string) (column, text string) {
	for _, c := range columns {
		if rest, ok := strings.CutPrefix(s, c); ok && len(c) > len(column) && (rest == "" || strings.HasPrefix(rest, ": ")) {
			column, text = c, strings.TrimPrefix(rest, ": ")
		}
	}
	if column == "" {
		column, text, _ = strings.Cut(s, ": ")
	}
	return column, text
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
