package admin

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// run runs a statement.
func run(ctx context.Context, q ext.Querier, text string) error {
	if err := nilhandle.Check(q); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, text)
	return err
}

// question asks the catalog whether an object exists: a query for a row if it does. The arguments are texts.
type question struct {
	query string
	args  []string
}

// change is a statement that creates an object where it does not exist, or drops it where it does, and says whether it did.
// IF EXISTS and IF NOT EXISTS alone do not tell: they say by a notice that nothing was done, if the session wants notices, and in
// the session's language. So the statement is sent without them where the catalog says that there is something to do, and when
// it fails because another session was faster, that is the answer.
type change struct {
	text    string // what mocks, loggers and tracers see
	strict  string // what is sent
	object  question
	create  bool
	outside bool                     // it must not run inside a transaction
	refuse  func(*driver.Conn) error // what keeps it from being sent, nil for nothing
}

// decide runs the change if its builder returned no error, and says whether it did something. verb and object are for the error.
func (ch change) decide(ctx context.Context, q ext.Querier, err error, verb, object string) (done bool, _ error) {
	if err == nil {
		done, err = ch.run(ctx, q)
	}
	if err != nil {
		return false, refused(verb, object, err)
	}
	return done, nil
}

// run runs a change. One that is asked no question is a plain statement; any other is for mocks a statement whose count of
// rows says whether it did something.
func (ch change) run(ctx context.Context, q ext.Querier) (done bool, err error) {
	if ch.object.query == "" {
		return true, ch.plain(ctx, q)
	}
	n, err := do(ctx, q, ch.text, ch.do)
	return n > 0, err
}

// do is driver.Do, again where a connection turns out dead before anything was sent, as database/sql would.
func do(ctx context.Context, q ext.Querier, text string, fn func(context.Context, *driver.Conn) (int64, error)) (n int64, err error) {
	const attempts = 3
	for range attempts {
		if n, err = driver.Do(ctx, q, text, fn); !errors.Is(err, sqldriver.ErrBadConn) {
			break
		}
	}
	return n, err
}

func (ch change) plain(ctx context.Context, q ext.Querier) error {
	if outside, ok := q.(ext.OutsideTx); ok && ch.outside {
		return ext.ExecOutsideTx(ctx, outside, ch.strict)
	}
	return run(ctx, q, ch.strict)
}

func (ch change) do(ctx context.Context, c *driver.Conn) (int64, error) {
	if ch.refuse != nil {
		if err := ch.refuse(c); err != nil {
			return 0, err
		}
	}
	exists, err := ch.exists(ctx, c)
	if err != nil || exists == ch.create {
		return 0, err
	}
	rollback, err := ch.send(ctx, c)
	if err == nil {
		return 1, nil
	}
	if !lostRace(err) {
		return 0, err
	}
	if rollback != "" {
		if _, err := c.ExecContext(driver.WithHelperOptions(ctx), rollback, nil); err != nil {
			return 0, err
		}
	}
	if exists, again := ch.exists(ctx, c); again != nil || exists != ch.create {
		return 0, err // the statement failed for another reason
	}
	return 0, nil
}

// exists asks for the object. Outside of transactions it asks so that a session in manual commit begins none.
func (ch change) exists(ctx context.Context, c *driver.Conn) (bool, error) {
	if ch.outside {
		text, err := ch.object.inline()
		if err != nil {
			return false, err
		}
		res, err := c.ExecOutsideTx(ctx, text)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		return n > 0, err
	}
	args := make([]any, len(ch.object.args))
	for i, arg := range ch.object.args {
		args[i] = arg
	}
	rows, err := ext.Catalog(driver.WithHelperOptions(ctx), c, ch.object.query, args...)
	return len(rows) > 0, err
}

// send sends the statement. Inside a transaction a savepoint stands before it; rollback goes back there after a failure.
func (ch change) send(ctx context.Context, c *driver.Conn) (rollback string, err error) {
	const savepoint = `"pycopg admin"`
	switch {
	case ch.outside:
		_, err = c.ExecOutsideTx(ctx, ch.strict)
		return "", err
	case c.TxStatus() == 'I':
		_, err = c.ExecContext(ctx, ch.strict, nil)
		return "", err
	}
	if _, err := c.ExecContext(driver.WithHelperOptions(ctx), "savepoint "+savepoint, nil); err != nil {
		return "", err
	}
	if _, err := c.ExecContext(ctx, ch.strict, nil); err != nil {
		return "rollback to savepoint " + savepoint + "; release savepoint " + savepoint, err
	}
	_, err = c.ExecContext(driver.WithHelperOptions(ctx), "release savepoint "+savepoint, nil)
	return "", err
}

// inline is the query with its arguments in it.
func (o question) inline() (string, error) {
	var pairs []string
	for i, arg := range o.args {
		quoted, err := literal(arg)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, "$"+strconv.Itoa(i+1), quoted)
	}
	return strings.NewReplacer(pairs...).Replace(o.query), nil
}

// lostRace reports whether an error may mean that another session has created or dropped the object meanwhile.
func lostRace(err error) bool {
	return slices.Contains([]string{
		"23505",                                     // a unique index of the catalog: two sessions create at a time
		"3D000", "3F000", "42P01", "42704", "42703", // no such database, schema, table, object, column
		"42P04", "42P06", "42P07", "42710", "42701", // duplicates of these
		"XX000", // "tuple concurrently deleted" or "updated"
	}, driver.SQLState(err))
}

// compared runs a statement, and reports whether it has changed what a query for one text says.
func compared(ctx context.Context, q ext.Querier, text, query string, args []any) (bool, error) {
	n, err := do(ctx, q, text, func(ctx context.Context, c *driver.Conn) (int64, error) {
		before, err := ext.Catalog(ctx, c, query, args...)
		if err != nil {
			return 0, err
		}
		if _, err := c.ExecContext(ctx, text, nil); err != nil {
			return 0, err
		}
		after, err := ext.Catalog(ctx, c, query, args...)
		if err != nil || slices.EqualFunc(before, after, slices.Equal) {
			return 0, err
		}
		return 1, nil
	})
	return n > 0, err
}

// needs is what a verb takes that a user may lack.
var needs = map[string]string{
	"create database": "the attribute CREATEDB", "alter database": "ownership of the database", "drop database": "ownership of the database",
	"create role": "the attribute CREATEROLE", "alter role": "the attribute CREATEROLE", "drop role": "the attribute CREATEROLE",
	"create schema": "the privilege CREATE on the database", "drop schema": "ownership of the schema",
	"create extension": "a superuser, or for a trusted extension the privilege CREATE on the database",
	"create table":     "the privilege CREATE on the schema", "drop table": "ownership of the table",
}

// refused wraps an error of a verb about an object: admin: create table "users": what failed. Where other objects depend on it, the
// error lists them as the server does; where the user may not, it says what that takes.
func refused(verb, object string, err error) error {
	const dependentObjects, insufficientPrivilege = "2BP01", "42501"
	var server *pgconn.PgError
	switch {
	case !errors.As(err, &server):
	case server.Code == dependentObjects && server.Detail != "":
		err = fmt.Errorf("%w: %s", err, strings.ReplaceAll(server.Detail, "\n", "; "))
	case server.Code == insufficientPrivilege && needs[verb] != "":
		err = fmt.Errorf("%w: it takes %s", err, needs[verb])
	}
	return fmt.Errorf("admin: %s %q: %w", verb, roleText(object), err)
}
