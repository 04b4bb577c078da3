package listen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

var (
	// ErrIdle ends [Notifications] when nothing has arrived for [WaitOptions].Idle.
	ErrIdle = errors.New("listen: no notification in time")

	// ErrInTransaction is the error of waiting on a *sql.Conn with an open transaction: the server delivers notifications between
	// transactions only.
	ErrInTransaction = errors.New("the connection is inside a transaction, where notifications are not delivered")
)

// WaitOptions say when [Notifications] ends. The zero value waits for ever. What is negative, a time that is over already
// for instance, is refused.
type WaitOptions struct {
	Timeout   time.Duration // how long the loop lasts, counted from when the server listens; 0: without end. No error ends it
	Idle      time.Duration // how long one notification may take to come; then ErrIdle ends the loop. 0: without end
	StopAfter int           // how many notifications there are at most; 0: any number
	NoWait    bool          // only what has arrived by now
}

func (o WaitOptions) check() error {
	switch {
	case o.Timeout < 0:
		return fmt.Errorf("listen: Timeout is %v", o.Timeout)
	case o.Idle < 0:
		return fmt.Errorf("listen: Idle is %v", o.Idle)
	case o.StopAfter < 0:
		return fmt.Errorf("listen: StopAfter is %d", o.StopAfter)
	}
	return nil
}

// Notifications yields notifications of channels as they arrive, until ctx ends, an option of o or the loop itself ends it. An error
// ends the loop: the loss of the connection, ctx's error, [ErrIdle], and whatever keeps it from starting.
//
// On a *sql.DB it dials a connection of its own, with the pool's settings and outside of it, and closes it in the end.
// channels must not be empty. Nothing reconnects: that is what a [Listener] does.
//
// On a *sql.Conn it listens on that connection, which the body of the loop may use; another goroutine's statement on
// it waits for the next notification. nil channels are those to which the session listens already, and whatever has arrived for them.
// What arrives during other statements on the connection, and what one loop leaves, is there for the next, until the
// connection goes back to the pool. After the loop the session no longer listens to what the loop added.
func Notifications(ctx context.Context, q ext.OutsideTx, channels []string, o WaitOptions) iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		if err := each(ctx, q, channels, o, func(n Notification) bool { return yield(n, nil) }); err != nil {
			yield(Notification{}, err)
		}
	}
}

// source is where notifications come from.
type source interface {
	// next returns the next notification. It waits for it unless wait is false: ok is false then when there is none.
	next(ctx context.Context, wait bool) (n Notification, ok bool, err error)
	close()
}

// each calls yield for each notification until it returns false, which is no error.
func each(ctx context.Context, q ext.OutsideTx, channels []string, o WaitOptions, yield func(Notification) bool) error {
	if err := errors.Join(o.check(), checkChannels(channels)); err != nil {
		return err
	}
	if len(channels) == 0 && isPool(q) {
		return fmt.Errorf("%w: none was given: a new connection listens to nothing", ErrChannel)
	}
	src, err := open(ctx, q, channels)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer src.close()
	all := ctx
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		all, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	for count := 0; o.StopAfter <= 0 || count < o.StopAfter; count++ {
		n, ok, err := nextWithin(all, src, o)
		switch {
		case ctx.Err() != nil && err != nil:
			return ctx.Err()
		case all.Err() != nil && err != nil:
			return nil
		case err != nil:
			return err
		case !ok || !yield(n):
			return nil
		}
	}
	return nil
}

// nextWithin is next under the time that one notification may take.
func nextWithin(ctx context.Context, src source, o WaitOptions) (Notification, bool, error) {
	if o.Idle <= 0 {
		return wrapLoss(src.next(ctx, !o.NoWait))
	}
	idle, cancel := context.WithTimeout(ctx, o.Idle)
	defer cancel()
	n, ok, err := src.next(idle, !o.NoWait)
	if err != nil && idle.Err() != nil && ctx.Err() == nil {
		return n, false, ErrIdle
	}
	return wrapLoss(n, ok, err)
}

func wrapLoss(n Notification, ok bool, err error) (Notification, bool, error) {
	if err != nil {
		err = fmt.Errorf("listen: wait for notifications: %w", err)
	}
	return n, ok, err
}

// isPool reports whether q is a *sql.DB or embeds one, and not a single connection.
func isPool(q ext.OutsideTx) bool {
	_, ok := q.(interface{ Stats() sql.DBStats })
	return ok
}

func open(ctx context.Context, q ext.OutsideTx, channels []string) (source, error) {
	if isPool(q) {
		return openDialled(ctx, q, channels)
	}
	return openPinned(ctx, q, channels)
}

// dialled is the source on a connection of its own.
type dialled struct {
	conn    *driver.Conn
	pending []Notification
}

func openDialled(ctx context.Context, q driver.Execer, channels []string) (source, error) {
	connector, err := connectorOf(ctx, q)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Dial(ctx)
	if err != nil {
		return nil, err
	}
	d := &dialled{conn: conn}
	conn.AddNotificationHandler(func(n Notification) { d.pending = append(d.pending, n) })
	if err = checkServer(conn); err == nil {
		err = change(ctx, conn, channels, nil)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return d, nil
}

// connectorOf finds the connector of the pool that h belongs to.
func connectorOf(ctx context.Context, h driver.Execer) (*driver.Connector, error) {
	var connector *driver.Connector
	_, err := driver.Do(ctx, h, "listen: find the server", func(_ context.Context, c *driver.Conn) (int64, error) {
		connector = c.Connector()
		return 0, nil
	})
	if err == nil && connector == nil {
		err = errMock
	}
	return connector, err
}

var errMock = errors.New("the handle is a mock: there is no server to listen to")

func (d *dialled) next(ctx context.Context, wait bool) (n Notification, ok bool, err error) {
	if len(d.pending) == 0 && !wait {
		err = d.conn.Poll()
	}
	for len(d.pending) == 0 && err == nil && wait {
		err = d.conn.Wait(ctx)
	}
	if len(d.pending) == 0 {
		return n, false, err
	}
	n, d.pending = d.pending[0], d.pending[1:]
	return n, true, nil
}

func (d *dialled) close() { d.conn.Close() }

// pinned is the source on a connection of the caller's.
type pinned struct {
	conn   driver.Execer
	wanted func(channel string) bool // nil: any
	added  []string                  // to what the session listened before
	polled bool
}

func openPinned(ctx context.Context, conn driver.Execer, channels []string) (source, error) {
	p := &pinned{conn: conn}
	if channels != nil {
		p.wanted = func(channel string) bool { return slices.Contains(channels, channel) }
	}
	ran := false
	_, err := driver.Do(ctx, conn, "listen: "+changeSQL(channels, nil), func(ctx context.Context, c *driver.Conn) (int64, error) {
		ran = true
		return 0, p.listen(ctx, c, channels)
	})
	if err == nil && !ran {
		err = errMock
	}
	return p, err
}

func (p *pinned) listen(ctx context.Context, c *driver.Conn, channels []string) error {
	if c.TxStatus() != 'I' {
		return ErrInTransaction
	}
	if len(channels) == 0 {
		return nil
	}
	if err := checkServer(c); err != nil {
		return err
	}
	before, err := listening(ctx, c)
	if err != nil {
		return err
	}
	for _, name := range channels {
		if !before[name] && !slices.Contains(p.added, name) {
			p.added = append(p.added, name)
		}
	}
	return change(ctx, c, p.added, nil)
}

func (p *pinned) next(ctx context.Context, wait bool) (n Notification, ok bool, err error) {
	_, err = driver.Do(ctx, p.conn, "listen: wait for notifications", func(ctx context.Context, c *driver.Conn) (int64, error) {
		if !wait && !p.polled {
			p.polled = true
			if err := c.Poll(); err != nil {
				return 0, err
			}
		}
		for {
			n, ok, err = c.TakeNotification(p.wanted)
			if ok || err != nil || !wait {
				return 0, err
			}
			if c.TxStatus() != 'I' {
				return 0, ErrInTransaction
			}
			if err := c.Wait(ctx); err != nil {
				return 0, err
			}
		}
	})
	return n, ok && err == nil, err
}

// cleanupTimeout bounds what is said to the server when a loop has ended, whatever its context.
const cleanupTimeout = 5 * time.Second

func (p *pinned) close() {
	if len(p.added) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	// A connection on which this fails is lost, and with it what it listened to.
	driver.Do(ctx, p.conn, "listen: "+changeSQL(nil, p.added), func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, change(ctx, c, nil, p.added)
	})
}
