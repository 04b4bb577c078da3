package driver

import (
	"context"
	"crypto/rand"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/internal/nilhandle"
)

// Execer is a *sql.DB, *sql.Conn, *sql.Tx, or anything that wraps one.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Do runs fn on the server connection that h executes on, and returns the count that fn reports. It is the one door
// from database/sql to PostgreSQL: it works on a *sql.DB (any of its connections), a *sql.Conn and a *sql.Tx, through
// wrappers of them and of the driver, and with mocks.
//
// statement is what mocks, loggers and tracers see; it is not sent. Under a mock fn does not run and the mock's result
// is the count.
//
// fn runs at most once. database/sql holds the connection's lock meanwhile, so fn must not call h, nor run code of
// users who could: a call of Do with fn's context is refused with [ErrInsideDo]. When fn panics, the connection is
// discarded. fn's error is returned as it is; an error of the handle (a connection that cannot be made, a finished
// transaction) as database/sql gives it, with a word when h does not lead to this driver.
func Do(ctx context.Context, h Execer, statement string, fn func(ctx context.Context, c *Conn) (int64, error)) (int64, error) {
	if ctx.Value(insideKey{}) != nil {
		return 0, fmt.Errorf("%w: %s", ErrInsideDo, statement)
	}
	if err := nilhandle.Check(h); err != nil {
		return 0, fmt.Errorf("driver: %w", err)
	}
	cmd := &command{statement: statement, fn: fn, token: rand.Text()}
	res, err := h.ExecContext(context.WithValue(ctx, commandKey{}, cmd), statement, cmd)
	switch {
	case cmd.used:
		return cmd.count, cmd.err
	case err == nil:
		return res.RowsAffected()
	case cmd.reached || isPoolError(err):
		return 0, err
	}
	return 0, fmt.Errorf("driver: %T does not lead to a pycopg connection: %w", h, err)
}

// isPoolError reports whether err says why database/sql or this driver had no connection to run a command on.
func isPoolError(err error) bool {
	var connect *ConnectError
	return errors.As(err, &connect) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sqldriver.ErrBadConn) ||
		err.Error() == "sql: database is closed" // an error without a name
}

// command is the argument by which Do reaches the connection. A wrapper that does not forward CheckNamedValue turns it
// into its Value, a token, and one that writes arguments into the text (bun) drops it: the connection recognises both with
// the help of the context.
type command struct {
	statement string
	fn        func(context.Context, *Conn) (int64, error)
	token     string
	reached   bool // this driver has seen the command
	used      bool // fn was called
	count     int64
	err       error
}

// Value implements [sqldriver.Valuer]: the command's token.
func (cmd *command) Value() (sqldriver.Value, error) { return cmd.token, nil }

type (
	commandKey struct{} // context key of the command on its way to the connection
	insideKey  struct{} // context key that marks fn's context
)

// findCommand returns the command that came with query and args, nil when they are those of a statement.
func findCommand(ctx context.Context, query string, args []sqldriver.NamedValue) *command {
	if len(args) > 1 {
		return nil
	}
	cmd, _ := ctx.Value(commandKey{}).(*command)
	if len(args) == 0 {
		if cmd != nil && cmd.statement == query {
			return cmd
		}
		return nil
	}
	switch v := args[0].Value.(type) {
	case *command:
		return v
	case string:
		if cmd != nil && cmd.token == v {
			return cmd
		}
	}
	return nil
}

// run runs the command's function. Its error goes to Do by way of the command: database/sql must not see an ErrBadConn in
// it, or it would run the function again.
func (c *Conn) run(ctx context.Context, cmd *command) (sqldriver.Result, error) {
	cmd.reached = true
	if cmd.used {
		return nil, errors.New("driver: the command of driver.Do runs once")
	}
	if err := c.enterDo(ctx); err != nil {
		return nil, err
	}
	cmd.used = true
	finished := false
	defer func() {
		c.lastUsed = now()
		if !finished { // a panic, or runtime.Goexit
			c.broken = true
			c.wire.kill()
			c.wire.unwatch()
		}
		if c.pg.IsBusy() {
			c.broken = true
		}
	}()
	ctx = context.WithValue(context.WithValue(ctx, commandKey{}, nil), insideKey{}, true)
	cmd.count, cmd.err = cmd.fn(ctx, c)
	if err := c.leaveDo(); err != nil && cmd.err == nil {
		cmd.err = err
	}
	finished = true
	if cmd.err != nil {
		return nil, errors.New("driver: the function of driver.Do failed")
	}
	return sqldriver.RowsAffected(cmd.count), nil
}
