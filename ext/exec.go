package ext

import (
	"context"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// Result is what a statement did.
type Result struct {
	Tag          string // the server's command tag, "INSERT 0 3"; "" on a mock or another driver
	Command      string // the tag without numbers: "INSERT", "CREATE TABLE"
	RowsAffected int64  // rows inserted, changed, deleted or returned; 0 for commands that have no such count
}

// Exec runs a statement and returns what it did: [database/sql.Result] hides the command tag. Of several statements in one
// text, without arguments, the result is the last one's.
func Exec(ctx context.Context, q Querier, sql string, args ...any) (Result, error) {
	if err := nilhandle.Check(q); err != nil {
		return Result{}, fmt.Errorf("ext: exec: %w", err)
	}
	var r Result
	res, err := q.ExecContext(driver.WithCommandTag(ctx, &r.Tag), sql, args...)
	if err != nil {
		return Result{}, fmt.Errorf("ext: exec: %w", err)
	}
	if r.RowsAffected, err = res.RowsAffected(); err != nil {
		return Result{}, fmt.Errorf("ext: exec: %w", err)
	}
	r.Command = tagCommand(r.Tag)
	return r, nil
}

// tagCommand is a command tag without the numbers at its end.
func tagCommand(tag string) string {
	return strings.TrimRight(tag, " 0123456789")
}
