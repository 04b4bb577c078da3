package migrate

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrChanged is the error of a run that finds the up section of an applied migration changed. Make a new migration of
	// the change; Options.AllowChanged accepts it as it is.
	ErrChanged = errors.New("migrate: an applied migration has changed")

	// ErrOutOfOrder is the error of a run that would apply a migration behind one of a higher number, as happens where branches
	// are merged. Renumber it, or accept it with Options.AllowOutOfOrder.
	ErrOutOfOrder = errors.New("migrate: a migration is out of order")

	// ErrUnfinished is the error of every run while a migration without a transaction has stopped half-way. The message says at
	// which statement. Repair the database, then call [Resolve].
	ErrUnfinished = errors.New("a migration without a transaction was not finished")

	// ErrNoDown is the error of a way back that has no down section, or whose files are not there. Nothing was taken back.
	ErrNoDown = errors.New("migrate: a migration has no way back")

	// ErrNotUnfinished is the error of [Resolve] for a migration that was not left unfinished.
	ErrNotUnfinished = errors.New("migrate: the migration was not left unfinished")

	// ErrForeignTable is the error of a record table that another tool has made, in a form of its own. Options.Table chooses another
	// name.
	ErrForeignTable = errors.New("the table is not a record of migrations of this package")
)

// Error is the failure of one migration. The runs before it count; of its own, a transaction was rolled back unless Err is
// driver.ErrCommitUnknown: then [Status] tells what became of it.
type Error struct {
	Step
	File      string
	Line      int // of the file, where the server named a place or the statement is known; else 0
	Statement int // which one failed, from 1, where they run one by one; else 0
	Err       error
}

// Error names the file, the line and the direction.
func (e *Error) Error() string {
	place := e.File
	if e.Line > 0 {
		place = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Statement > 0 {
		place = fmt.Sprintf("%s: statement %d", place, e.Statement)
	}
	return fmt.Sprintf("migrate: %s: %s: %v", place, e.direction(), e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// lineOf is the line of the file where the server found the error in a text that begins at offset of the section; 0 where it
// named none.
func lineOf(err error, s Section, offset int) int {
	var server *pgconn.PgError
	if !errors.As(err, &server) || server.Position <= 0 {
		return 0
	}
	at := offset
	for range server.Position - 1 {
		_, size := utf8.DecodeRuneInString(s.SQL[at:])
		at += size
	}
	return s.Line + lineAt(s.SQL, at) - 1
}
