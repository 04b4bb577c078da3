package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
)

// copyStmt is lib/pq's way to COPY: Prepare starts a COPY … FROM STDIN, each Exec with values adds a row, and Exec without
// any ends the COPY and returns the number of rows. It needs one connection throughout, a *sql.Tx or a *sql.Conn.
//
// Values are written as text for the types of their columns, which Prepare asks for with the statement. Close ends the
// COPY as Exec does inside a transaction, where the caller has yet to commit; outside of one it aborts. After a value that
// cannot be written, or any other failure, nothing is stored and the last Exec returns that failure again.
type copyStmt struct {
	conn   *Conn
	in     *CopyIn
	oids   []uint32
	option string // the option that keeps Exec from writing values, "" where it can
	inTx   bool
	rows   int64 // queued
	used   bool  // Exec or CopyData was called
	bare   bool  // counted in Connector.mu.bareCopies
	done   bool  // Exec without values, or Close, was called
}

var (
	_ sqldriver.Stmt              = (*copyStmt)(nil)
	_ sqldriver.StmtExecContext   = (*copyStmt)(nil)
	_ sqldriver.StmtQueryContext  = (*copyStmt)(nil)
	_ sqldriver.NamedValueChecker = (*copyStmt)(nil)
)

var (
	errCopyReturned = errors.New("driver: the COPY was ended when its connection went back to the pool: prepare it on a *sql.Tx or *sql.Conn, and end it there")

	errCopyRolledBack = errors.New("driver: the COPY was ended by a ROLLBACK")

	errCopyBinary = errors.New("driver: a prepared COPY is in the text format; use package copyin for the binary one")
)

// prepareCopy starts a COPY from the client for database/sql.
func (c *Conn) prepareCopy(ctx context.Context, query string, cs copyStatement) (sqldriver.Stmt, error) {
	standard := c.engine.standardStrings()
	inTx := c.TxStatus() != 'I'
	switch {
	case !cs.in:
		return nil, errCopy
	case severalStatements(query, standard):
		return nil, errors.New("driver: COPY must be the only statement of its text")
	case !inTx && c.connector.isBareCopy(query):
		return nil, errCopyReturned
	}
	s := &copyStmt{conn: c, in: c.newCopyIn(query), inTx: inTx}
	s.in.owner = s
	s.option, _ = cs.plainText()
	var columns []targetColumn
	err := s.in.copyStart(ctx, func() (err error) {
		columns, err = c.engine.sendCopyAndAsk(query, cs, c.Info().VersionNum)
		return err
	})
	if err != nil {
		return nil, c.harmless(err)
	}
	if s.in.binary {
		s.in.Abort(errCopyBinary)
		return nil, errCopyBinary
	}
	s.oids = cs.targetTypes(columns, s.in.Columns())
	s.in.pause()
	return s, nil
}

// NumInput implements [sqldriver.Stmt]: any number, none ends the COPY.
func (s *copyStmt) NumInput() int { return -1 }

// CheckNamedValue implements [sqldriver.NamedValueChecker].
func (s *copyStmt) CheckNamedValue(nv *sqldriver.NamedValue) error {
	if cmd, ok := nv.Value.(*command); ok {
		cmd.reached = true
		return errors.New("driver: driver.Do got a prepared COPY; give it the *sql.DB, *sql.Conn or *sql.Tx")
	}
	return checkNamedValue(nv)
}

// ExecContext implements [sqldriver.StmtExecContext]. A row is on its way when it returns, and no more: an error may be
// that of an earlier one.
func (s *copyStmt) ExecContext(ctx context.Context, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	s.used = true
	switch {
	case s.bare:
		return nil, errCopyReturned
	case s.done:
		return nil, errCopyEnded
	case len(args) == 0:
		return s.finish(ctx)
	case s.in.err != nil:
		return nil, s.in.err
	case s.option != "":
		return nil, fmt.Errorf("driver: COPY with option %q takes lines by CopyData, not values", s.option)
	case len(args) != len(s.oids):
		return nil, s.refuse(fmt.Errorf("driver: COPY row %d: %d values for %d columns", s.rows+1, len(args), len(s.oids)))
	}
	buf, err := s.conn.engine.codecs.appendCopyRow(s.in.buf, s.oids, argValues(args))
	if err != nil {
		return nil, s.refuse(fmt.Errorf("driver: COPY row %d: %w", s.rows+1, err))
	}
	return s.queued(ctx, buf)
}

// CopyData queues a line of the COPY's own format, as lib/pq's method does. It is reached through (*sql.Conn).Raw.
func (s *copyStmt) CopyData(ctx context.Context, line string) (sqldriver.Result, error) {
	s.used = true
	switch {
	case s.done:
		return nil, errCopyEnded
	case s.in.err != nil:
		return nil, s.in.err
	}
	return s.queued(ctx, append(append(s.in.buf, line...), '\n'))
}

// queued takes the buffer with a row added, and sends it when it is full.
func (s *copyStmt) queued(ctx context.Context, buf []byte) (sqldriver.Result, error) {
	s.in.buf = buf
	s.rows++
	if len(buf) < copyBuffer {
		return sqldriver.RowsAffected(0), nil
	}
	s.in.resume(ctx)
	s.in.flush(nil)
	s.in.pause()
	if s.in.ended {
		return nil, s.in.err
	}
	return sqldriver.RowsAffected(0), nil
}

// refuse ends the COPY because of a row: the caller may look at the error of the last Exec only.
func (s *copyStmt) refuse(err error) error {
	s.in.discard(err, closeTimeout)
	return err
}

// finish ends the COPY with what was queued.
func (s *copyStmt) finish(ctx context.Context) (sqldriver.Result, error) {
	s.done = true
	if !s.in.ended {
		s.in.resume(ctx)
	}
	rows, err := s.in.Close()
	if err != nil {
		return nil, err
	}
	return sqldriver.RowsAffected(rows), nil
}

// Close implements [sqldriver.Stmt].
func (s *copyStmt) Close() error {
	s.conn.connector.forgetBareCopy(s)
	if s.done {
		return nil
	}
	s.done = true
	switch {
	case s.in.ended:
		return s.in.err
	case s.inTx:
		_, err := s.finish(context.Background())
		return err
	}
	s.in.discard(errCopyAborted, closeTimeout)
	return nil
}

// QueryContext implements [sqldriver.StmtQueryContext]: a COPY has no rows.
func (s *copyStmt) QueryContext(context.Context, []sqldriver.NamedValue) (sqldriver.Rows, error) {
	return nil, errors.New("driver: a prepared COPY takes its rows by Exec")
}

// Exec implements [sqldriver.Stmt]; database/sql calls ExecContext.
func (s *copyStmt) Exec(args []sqldriver.Value) (sqldriver.Result, error) {
	return s.ExecContext(context.Background(), namedValues(args))
}

// Query implements [sqldriver.Stmt]; database/sql calls QueryContext.
func (s *copyStmt) Query([]sqldriver.Value) (sqldriver.Rows, error) {
	return s.QueryContext(context.Background(), nil)
}

// returned ends a COPY whose connection comes back to the pool; a connection that does not answer is closed. Where the
// COPY was prepared and never used, it was prepared on a *sql.DB: then database/sql may prepare it on any connection for
// each Exec, where it must not seem to work.
func (cp *copying) returned() {
	cp.discard(errCopyReturned, closeTimeout)
	if s := cp.owner; s != nil && !s.used && !s.inTx {
		cp.conn.connector.noteBareCopy(s)
	}
}

// noteBareCopy marks s, and its text for other connections, until database/sql closes s.
func (cn *Connector) noteBareCopy(s *copyStmt) {
	cn.mu.Lock()
	defer cn.mu.Unlock()
	if cn.mu.bareCopies == nil {
		cn.mu.bareCopies = make(map[string]int)
	}
	cn.mu.bareCopies[s.in.sql]++
	s.bare = true
}

// forgetBareCopy is called when database/sql closes a statement: the *sql.Stmt is closed, or the connection is.
func (cn *Connector) forgetBareCopy(s *copyStmt) {
	cn.mu.Lock()
	defer cn.mu.Unlock()
	if !s.bare {
		return
	}
	s.bare = false
	if cn.mu.bareCopies[s.in.sql]--; cn.mu.bareCopies[s.in.sql] == 0 {
		delete(cn.mu.bareCopies, s.in.sql)
	}
}

func (cn *Connector) isBareCopy(sql string) bool {
	cn.mu.Lock()
	defer cn.mu.Unlock()
	return cn.mu.bareCopies[sql] > 0
}
