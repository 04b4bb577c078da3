package backup

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrToolNotFound is the error where pg_dump, pg_restore or psql is not installed. Its text says how to install them.
	ErrToolNotFound = errors.New("a program of PostgreSQL was not found")

	// ErrToolVersion is the error of a program that is too old for the server or for what was asked.
	ErrToolVersion = errors.New("a program of PostgreSQL is too old")
)

// ToolError is the failure of a program.
type ToolError struct {
	Tool     string // "pg_dump"
	ExitCode int    // -1 where a signal ended it
	Stderr   string // what it said, without its progress, and without the password; the last 16 KiB
}

// Error is the tool, the exit code, and the first lines of what it said.
func (e *ToolError) Error() string {
	const most = 5
	lines := strings.Split(strings.TrimSpace(e.Stderr), "\n")
	if len(lines) > most {
		lines = append(lines[:most:most], "…")
	}
	return fmt.Sprintf("backup: %s failed with exit code %d: %s", e.Tool, e.ExitCode, strings.Join(lines, "; "))
}
