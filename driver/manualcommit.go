package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
)

// manual is a session in which statements begin transactions by themselves.
type manual struct {
	mode  TxMode
	begin string
}

// SetManualCommit makes the first statement outside of a transaction begin one of that mode; [Conn.Commit] and
// [Conn.Rollback] end it. BEGIN travels with the statement. nil is database/sql's way: each statement is a transaction
// of its own. It fails with [ErrInTransaction] where a transaction is open. A connection that comes back to the pool is
// rolled back and forgets it.
//
// [Conn.Ping], [Conn.Describe], database/sql's Prepare and what is done through pgx begin nothing.
func (c *Conn) SetManualCommit(mode *TxMode) error {
	if err := c.requireIdle("change the manual commit mode"); err != nil {
		return err
	}
	if mode == nil {
		c.manual = nil
		return nil
	}
	begin, err := mode.begin(c.cfg.Compat)
	if err != nil {
		return err
	}
	c.manual = &manual{mode: *mode, begin: begin}
	return nil
}

// Commit commits the open transaction, however it was begun, with the errors of (*sql.Tx).Commit. Without one it does
// nothing.
func (c *Conn) Commit(ctx context.Context) error {
	if c.TxStatus() == 'I' {
		return nil
	}
	return c.currentTx(ctx).Commit()
}

// Rollback rolls back the open transaction, however it was begun. Without one it does nothing.
func (c *Conn) Rollback(ctx context.Context) error {
	t := c.currentTx(ctx)
	if c.TxStatus() == 'I' { // nothing is sent
		return t.rollback(ctx)
	}
	return t.Rollback()
}

func (c *Conn) currentTx(ctx context.Context) tx {
	return tx{conn: c, values: context.WithoutCancel(ctx)}
}

// ExecOutsideTx runs a statement that PostgreSQL refuses inside a transaction ("commit prepared", "create database"), in
// a session of manual commit too. Where a transaction is open it fails with [ErrInTransaction] before anything is sent.
func (c *Conn) ExecOutsideTx(ctx context.Context, statement string) (sqldriver.Result, error) {
	if err := c.requireIdle("run: " + abbreviate(statement)); err != nil {
		return nil, err
	}
	session := c.manual
	c.manual = nil
	defer func() { c.manual = session }()
	return c.ExecContext(ctx, statement, nil)
}

// statusNames are libpq's, which psycopg's messages use too.
var statusNames = map[byte]string{'I': "IDLE", 'T': "INTRANS", 'E': "INERROR"}

// requireIdle returns ErrInTransaction, with what cannot be done and why, where a transaction is open.
func (c *Conn) requireIdle(action string) error {
	if status := c.TxStatus(); status != 'I' {
		return fmt.Errorf("%w: cannot %s: connection in transaction status %s", ErrInTransaction, action, statusNames[status])
	}
	return nil
}

// readyToRun is ready for a statement that begins a transaction where the session says so. Its BEGIN waits for it.
func (c *Conn) readyToRun(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	if c.manual != nil && c.TxStatus() == 'I' {
		c.firstErr = nil
		return tx{conn: c}.traced(ctx, c.manual.begin, func(context.Context) error {
			c.engine.begin = c.manual.begin
			return nil
		})
	}
	return nil
}
