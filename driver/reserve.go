package driver

import (
	"context"
	"fmt"
)

// Reservation is a helper's hold on a connection over several calls of [Do]: while it lasts, every statement that does
// not carry its context is refused with [ErrBusy].
type Reservation struct {
	conn      *Conn
	operation string
}

type reservationKey struct{}

// Reserve holds the connection for operation ("COPY into users", say), which the [ErrBusy] of others names. It fails with
// ErrBusy when the connection is held already.
func (c *Conn) Reserve(operation string) (*Reservation, error) {
	if c.reserved != nil {
		return nil, fmt.Errorf("%w: it is used by %s", ErrBusy, c.reserved.operation)
	}
	c.reserved = &Reservation{conn: c, operation: operation}
	return c.reserved, nil
}

// Context returns a context whose statements and commands may use the reserved connection.
func (r *Reservation) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, reservationKey{}, r)
}

// Release ends the hold. It is to be called from a function of [Do], under the reservation's context. Releasing twice
// does nothing.
func (r *Reservation) Release() {
	if r.conn.reserved == r {
		r.conn.reserved = nil
	}
}

func reservationOf(ctx context.Context) *Reservation {
	r, _ := ctx.Value(reservationKey{}).(*Reservation)
	return r
}

// RequireSession returns an error when the connection has no server session of its own (pooler=transaction), for helpers
// whose operation ("LISTEN", say) outlives a transaction. It names the operation.
func (c *Conn) RequireSession(operation string) error {
	if c.cfg.Pooler == PoolerTransaction {
		return fmt.Errorf("driver: %s needs a session of its own, which pooler=transaction does not give", operation)
	}
	return nil
}
