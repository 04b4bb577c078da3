package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

type (
	// Notice is a message that the server sends beside a result, with all its fields: a plain value that may be kept.
	Notice = driver.Notice
	// Notification is a message of LISTEN/NOTIFY.
	Notification = driver.Notification
)

// ErrPoolHandle is the error of hooks on a *sql.DB, or on a wrapper of one: each of its statements may run on another connection.
var ErrPoolHandle = errors.New("a hook needs one connection, a *sql.Conn or *sql.Tx, and got a pool (whose hooks are in driver.Config; WithNotices serves any handle)")

// WithNotices returns a context whose statements hand their notices to fn, besides the other handlers: on any handle, through
// wrappers, on another driver to nobody. A transaction begun with it hands over those of its COMMIT, too.
//
// fn runs before the call returns during which the notice arrived. It must not use the handle that the statement runs on, which
// would wait for ever. Statements that run at the same time call it at the same time: [Ring].Add may be called so. A panic of
// fn is logged. A nil fn is no handler: the context is ctx.
func WithNotices(ctx context.Context, fn func(Notice)) context.Context {
	return driver.WithNotices(ctx, fn)
}

// OnNotice has fn called with each notice that arrives on the connection of q, a *sql.Conn or *sql.Tx, under the rules of
// [WithNotices]. Handlers are called in the order in which they were added, behind that of driver.Config and ahead of those of
// contexts. It ends when remove is called, which may happen at any time, from any goroutine and more than once, and when the
// connection goes back to its pool: the next user of it is not heard.
//
// A pool is refused with [ErrPoolHandle]; a nil fn is an error, too. A mock calls nothing.
func OnNotice(ctx context.Context, q Querier, fn func(Notice)) (remove func(), err error) {
	return addHook(ctx, q, "OnNotice", fn == nil, func(c *driver.Conn) func() { return c.AddNoticeHandler(fn) })
}

// OnNotification has fn called with each notification that arrives on the connection of q, under the rules of [OnNotice]. The
// connection must LISTEN. What arrives while it is idle reaches fn with its next statement; package listen waits for it. The
// same notifications are there for [TakeNotifications] and package listen.
func OnNotification(ctx context.Context, q Querier, fn func(Notification)) (remove func(), err error) {
	return addHook(ctx, q, "OnNotification", fn == nil, func(c *driver.Conn) func() { return c.AddNotificationHandler(fn) })
}

func addHook(ctx context.Context, q Querier, name string, isNil bool, add func(*driver.Conn) func()) (remove func(), err error) {
	remove = func() {}
	if isNil {
		return remove, fmt.Errorf("ext: %s: no handler", name)
	}
	err = onOneConn(ctx, q, name, func(_ context.Context, c *driver.Conn) error {
		remove = add(c)
		return nil
	})
	if err != nil {
		remove()
		return func() {}, err
	}
	return remove, nil
}

// onOneConn runs fn on a connection, which must still be q's afterwards.
func onOneConn(ctx context.Context, q Querier, name string, fn func(context.Context, *driver.Conn) error) error {
	var conn *driver.Conn
	uses := int64(0)
	_, err := driver.Do(ctx, q, name, func(ctx context.Context, c *driver.Conn) (int64, error) {
		conn, uses = c, c.Uses()
		return 0, fn(ctx, c)
	})
	_, isPool := q.(interface{ Stats() sql.DBStats })
	if err == nil && conn != nil && (isPool || conn.Uses() != uses) {
		err = ErrPoolHandle
	}
	if err != nil {
		return fmt.Errorf("ext: %s: %w", name, err)
	}
	return nil
}

// TakeNotifications takes the notifications that have arrived on the connection of q, a *sql.Conn or *sql.Tx, and were not
// taken: during its statements, or by now while it was idle. It sends nothing and does not wait. The connection must LISTEN.
//
// A connection keeps some megabytes of notifications that nobody takes, and drops the oldest then: the error is
// driver.ErrNotificationsDropped with their number, and those that are left are returned too. For another bound, and for any
// number of connections, use a [Ring] with [OnNotification]. A pool is refused with [ErrPoolHandle].
func TakeNotifications(ctx context.Context, q Querier) ([]Notification, error) {
	var taken []Notification
	var dropped error
	err := onOneConn(ctx, q, "TakeNotifications", func(_ context.Context, c *driver.Conn) error {
		if err := c.Poll(); err != nil {
			return err
		}
		for {
			n, ok, err := c.TakeNotification(nil)
			switch {
			case err != nil:
				dropped = err
			case ok:
				taken = append(taken, n)
			default:
				return nil
			}
		}
	})
	if err == nil && dropped != nil {
		err = fmt.Errorf("ext: TakeNotifications: %w", dropped)
	}
	return taken, err
}
