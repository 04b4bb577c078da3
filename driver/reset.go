package driver

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// resetStatements are what each policy of Config.Reset runs between two uses. RESET ALL leaves the role and the session
// authorization alone, so they are reset by name.
var resetStatements = map[ResetPolicy][]string{
	ResetSession: {
		"reset session authorization", "reset role", "reset all", "unlisten *",
		"select pg_catalog.pg_advisory_unlock_all()", "close all",
	},
	ResetDiscard: {"discard all"},
}

// The reset of a session travels with the next request, in a Sync of its own: a statement that fails must not take it
// back, and VACUUM must not find itself in its transaction. So a reset that fails would not keep the statement from running:
// what does is an empty statement that is prepared at the reset's end, and bound at the beginning of the request.
const resetGuard = "pycopg_reset"

// appendReset appends the reset and the beginning of a request that is skipped when it fails.
func appendReset(dst []byte, statements []string) []byte {
	for _, sql := range statements {
		dst = appendPlain(dst, sql)
	}
	dst = appendSync(appendParse(dst, resetGuard, "", nil))
	dst, _ = appendBind(dst, resetGuard, 0, nil, nil) // no argument, no error
	return appendClose(dst, 'S', resetGuard)
}

// reset is a reset on its way.
type reset struct {
	statements []string // wait for a request
	phase      resetPhase
	failure    error
}

type resetPhase byte

const (
	resetRead   resetPhase = iota // the answers have been read
	resetRuns                     // those of the statements come next
	resetGuards                   // that of the guard comes next
)

// sent notes that a request has taken the statements along.
func (r *reset) sent() {
	if r.statements != nil {
		*r = reset{phase: resetRuns}
	}
}

// take takes a message that belongs to the reset. Its error says that the reset has failed, and that nothing of the request
// was run.
func (r *reset) take(msg pgproto3.BackendMessage) error {
	switch msg := msg.(type) {
	case *pgproto3.ReadyForQuery:
		r.phase = resetGuards
	case *pgproto3.BindComplete:
		if r.phase == resetGuards {
			r.phase = resetRead
		}
	case *pgproto3.ErrorResponse:
		if r.failure == nil {
			r.failure = newServerError(msg)
		}
		if r.phase == resetGuards {
			return &retryError{cause: fmt.Errorf("driver: reset of the session: %w", r.failure)}
		}
	}
	return nil
}

// resetPolicy has the next request reset the session. Where the settings that the driver was told of decide how that
// request is to be built, the reset goes ahead on its own.
func (c *Conn) resetPolicy(ctx context.Context) error {
	e := &c.engine
	if e.reset.statements = resetStatements[c.cfg.Reset]; e.reset.statements == nil {
		return nil
	}
	if c.cfg.Reset == ResetDiscard {
		e.stmts.vanished()
		e.stmts.forgetHidden()
		e.stmts.temps = nil
	}
	if e.ownNames { // they are the pool's again
		e.renames()
		e.follow()
		e.ownNames = false
	}
	if e.standardStrings() && e.textIsSafe() {
		return nil
	}
	return c.settle(ctx)
}
