package driver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Reservation is a helper's hold on a connection over several calls of [Do]: while it lasts, every statement that does
// not carry its context is refused with [ErrBusy].
type Reservation struct {
	conn      *Conn
	operation string
	released  chan struct{} // closed when the hold has ended
}

type reservationKey struct{}

// Reserve holds the connection for operation ("COPY into users", say), which the [ErrBusy] of others names. It fails with
// ErrBusy when the connection is held already.
func (c *Conn) Reserve(operation string) (*Reservation, error) {
	if c.reserved != nil {
		return nil, fmt.Errorf("%w: it is used by %s", ErrBusy, c.reserved.operation)
	}
	c.reserved = &Reservation{conn: c, operation: operation, released: make(chan struct{})}
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
		r.conn.unreserve()
	}
}

// unreserve ends the hold that is on the connection, if one is.
func (c *Conn) unreserve() {
	if c.reserved != nil {
		close(c.reserved.released)
		c.reserved = nil
	}
}

// End runs cleanup, which may be nil, on the reserved connection with [Do], and releases it, also after the end of ctx; it
// takes 5 seconds at most. Where h is a transaction that has ended, cleanup does not run: the driver has ended what the
// reservation was for, or does so in another goroutine at this moment (database/sql rolls back in one of its own when the
// context of a transaction ends), and End waits for that, so that the connection is free when End returns.
func (r *Reservation) End(ctx context.Context, h Execer, statement string, cleanup func(context.Context, *Conn) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_, err := Do(r.Context(ctx), h, statement, func(ctx context.Context, c *Conn) (int64, error) {
		defer r.Release()
		if cleanup == nil {
			return 0, nil
		}
		return 0, cleanup(ctx, c)
	})
	if errors.Is(err, sql.ErrTxDone) {
		select {
		case <-r.released:
		case <-ctx.Done():
		}
	}
	return err
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
