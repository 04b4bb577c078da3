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
	c.unreserve()
	c.wire.canceler = nil
	c.forgetHandlers()
	if c.lent { // used by other hands, at a time that nobody knows
		c.lastUsed = now()
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

// origin is where now counts from.
var origin = time.Now()

// now is a monotonic clock, which is read in half the time that time.Now takes.
func now() time.Duration { return time.Since(origin) }

// pingIdle is after how long an idle connection is pinged where the platform cannot look at the socket.
const pingIdle = time.Second

// alive reports whether the connection still leads to its server. It looks at the socket, which costs no round trip, takes
// what has arrived, and pings only after ping_after, or where looking is not possible.
func (c *Conn) alive(ctx context.Context) bool {
	t := now()
	idle := t - c.lastUsed
	due := c.cfg.PingAfter > 0 && idle > c.cfg.PingAfter
	if due || !c.wire.standsAt(t) {
		stands, known := c.look()
		if !stands {
			return false
		}
		due = due || !known && idle > pingIdle
	}
	if c.shouldPing(ctx, due) {
		return c.Ping(ctx) == nil
	}
	return true
}

// look looks at the socket and takes what has arrived. known is false where looking is not possible.
func (c *Conn) look() (stands, known bool) {
	switch c.wire.peek() {
	case peekGone:
		return false, true
	case peekData:
		return c.wire.absorb() == nil, true
	case peekUnknown:
		return true, false
	}
	c.wire.stood = now()
	return true, true
}
