package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"time"
)

// IsValid implements [sqldriver.Validator]: database/sql asks it when a connection comes back to the pool. A transaction
// that was left open is rolled back from here on: its locks do not wait for the next use of the connection.
func (c *Conn) IsValid() bool {
	if c.copying != nil {
		c.copying.returned()
	}
	if c.pg.IsClosed() || c.broken || c.open != nil || c.pg.IsBusy() {
		return false
	}
	c.reserved, c.wire.canceler = nil, nil
	c.forgetHandlers()
	if c.lent { // used by other hands, at a time that nobody knows
		c.lastUsed = time.Now()
	}
	c.manual = nil
	c.engine.endTx()
	if c.TxStatus() == 'I' || c.cfg.Reset == ResetNone || c.rollback {
		return true
	}
	c.wire.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	err := c.wire.send(appendQuery(nil, "rollback"))
	if err != nil {
		return false
	}
	c.wire.conn.SetWriteDeadline(time.Time{})
	c.rollback = true
	return true
}

// ResetSession implements [sqldriver.SessionResetter]: database/sql calls it before a connection is used again. A
// connection that the server has left is given up here, unseen.
func (c *Conn) ResetSession(ctx context.Context) error {
	if c.pg.IsClosed() || c.broken {
		return sqldriver.ErrBadConn
	}
	if err := c.readRollback(ctx); err != nil {
		return sqldriver.ErrBadConn
	}
	if !c.alive(ctx) {
		return sqldriver.ErrBadConn
	}
	if err := c.resetPolicy(ctx); err != nil {
		return sqldriver.ErrBadConn
	}
	return c.resetHook(ctx)
}

// readRollback reads the answer to the ROLLBACK that IsValid sent.
func (c *Conn) readRollback(ctx context.Context) error {
	c.firstErr = nil
	if !c.rollback {
		return nil
	}
	c.rollback = false
	c.wire.watch(ctx)
	c.engine.result = result{engine: &c.engine}
	return c.finish(ctx, c.engine.result.drain())
}

// pingIdle is after how long an idle connection is pinged where the platform cannot look at the socket.
const pingIdle = time.Second

// alive reports whether the connection still leads to its server. It looks at the socket, which costs no round trip, takes
// what has arrived, and pings only after ping_after, or where looking is not possible.
func (c *Conn) alive(ctx context.Context) bool {
	idle, due := time.Since(c.lastUsed), false
	switch c.wire.peek() {
	case peekGone:
		return false
	case peekData:
		if c.wire.absorb() != nil {
			return false
		}
	case peekUnknown:
		due = idle > pingIdle
	}
	due = due || c.cfg.PingAfter > 0 && idle > c.cfg.PingAfter
	if c.shouldPing(ctx, due) {
		return c.Ping(ctx) == nil
	}
	return true
}
