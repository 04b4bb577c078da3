package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
)

// stmt is a prepared statement of database/sql on one connection. Statements of the same text share what the server holds.
type stmt struct {
	conn   *Conn
	st     *statement
	closed bool
}

var (
	_ sqldriver.Stmt              = (*stmt)(nil)
	_ sqldriver.StmtExecContext   = (*stmt)(nil)
	_ sqldriver.StmtQueryContext  = (*stmt)(nil)
	_ sqldriver.NamedValueChecker = (*stmt)(nil)
)

// errPreparedHandle is the error of a command that was to be prepared: a statement on the server cannot lead to fn.
var errPreparedHandle = errors.New("driver: driver.Do got a prepared handle (GORM's PrepareStmt, say); give it the *sql.DB, *sql.Conn or *sql.Tx")

// PrepareContext implements [sqldriver.ConnPrepareContext]: one round trip, none when a connection of the pool knows the
// statement already; its first execution prepares it then.
func (c *Conn) PrepareContext(ctx context.Context, query string) (sqldriver.Stmt, error) {
	if cmd := findCommand(ctx, query, nil); cmd != nil {
		cmd.reached = true
		return nil, errPreparedHandle
	}
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	if err := checkSQL(query); err != nil {
		return nil, err
	}
	if cs, ok := parseCopy(query, c.engine.standardStrings()); ok {
		if err := c.readyToRun(ctx); err != nil {
			return nil, err
		}
		return c.prepareCopy(ctx, query, cs)
	}
	if c.cfg.Placeholder == PlaceholderFormat {
		f, err := formatPlaceholders(query)
		if err != nil {
			return nil, err
		}
		if len(f.names) > 0 {
			return nil, errors.New("driver: a prepared statement takes positional placeholders only: %s")
		}
		query = f.sql
	}
	c.engine.follow()
	st := c.engine.stmts.lookup(query)
	c.engine.recall(st)
	st.pins++
	known := st.desc != nil && c.TxStatus() != 'E' // the server refuses it in a failed transaction
	ctx, traced := c.tracePrepare(ctx, query)
	if !known {
		c.wire.watch(ctx)
		err := c.engine.describe(st, nil)
		if err = c.harmless(c.finish(ctx, err)); err != nil {
			c.engine.stmts.unpin(st)
			traced(false, err)
			return nil, err
		}
	}
	traced(known, nil)
	return &stmt{conn: c, st: st}, nil
}

// Close implements [sqldriver.Stmt]. The server's statement is closed with a later request.
func (s *stmt) Close() error {
	if !s.closed {
		s.closed = true
		s.conn.engine.stmts.unpin(s.st)
	}
	return nil
}

// NumInput implements [sqldriver.Stmt]: the number of parameters, which database/sql checks.
func (s *stmt) NumInput() int {
	if s.st.desc == nil {
		return -1
	}
	return len(s.st.desc.params)
}

// CheckNamedValue implements [sqldriver.NamedValueChecker].
func (s *stmt) CheckNamedValue(nv *sqldriver.NamedValue) error {
	if cmd, ok := nv.Value.(*command); ok {
		cmd.reached = true
		return errPreparedHandle
	}
	return checkNamedValue(nv)
}

// ExecContext implements [sqldriver.StmtExecContext].
func (s *stmt) ExecContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	ctx, trace, r, err := s.start(ctx, args)
	return s.conn.execResult(ctx, trace, queryOptions(ctx).Tag, r, err)
}

// QueryContext implements [sqldriver.StmtQueryContext].
func (s *stmt) QueryContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	ctx, trace, r, err := s.start(ctx, args)
	return s.conn.queryResult(ctx, trace, s.st.sql, queryOptions(ctx), r, err)
}

func (s *stmt) ready(ctx context.Context) error {
	if s.closed {
		return fmt.Errorf("driver: the statement is closed: %s", abbreviate(s.st.sql))
	}
	return s.conn.readyToRun(ctx)
}

func (s *stmt) start(ctx context.Context, args []sqldriver.NamedValue) (context.Context, *queryTrace, *result, error) {
	c := s.conn
	values := c.argValues(args)
	ctx, trace := c.traceStart(ctx, QueryStart{SQL: s.st.sql, Args: values, Prepared: s.st.prepared})
	c.wire.watch(ctx)
	r, err := c.engine.startStatement(s.st, values, nil)
	clear(c.args)
	return ctx, trace, r, err
}

// Exec implements [sqldriver.Stmt]; database/sql calls ExecContext.
func (s *stmt) Exec(args []sqldriver.Value) (sqldriver.Result, error) {
	return s.ExecContext(context.Background(), namedValues(args))
}

// Query implements [sqldriver.Stmt]; database/sql calls QueryContext.
func (s *stmt) Query(args []sqldriver.Value) (sqldriver.Rows, error) {
	return s.QueryContext(context.Background(), namedValues(args))
}

func namedValues(args []sqldriver.Value) []sqldriver.NamedValue {
	named := make([]sqldriver.NamedValue, len(args))
	for i, v := range args {
		named[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return named
}
