package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// ErrNotificationsDropped is the error of [Conn.TakeNotification] when nobody had taken the notifications of a connection
// for so long that the oldest were dropped. The message counts them.
var ErrNotificationsDropped = errors.New("driver: notifications were dropped: nobody took them")

// maxBacklog is how many bytes of notifications a connection keeps for TakeNotification.
const maxBacklog = 8 << 20

// notifications is what a connection does with notifications besides [Config].OnNotification.
type notifications struct {
	handlers[Notification]

	noBacklog bool       // of a connection of Dial
	kept      sync.Mutex // of what follows
	backlog   []Notification
	size      int // of backlog, in bytes
	dropped   int
}

// AddNotificationHandler has fn called with each notification that arrives on the connection, besides
// [Config].OnNotification and the other handlers, in the order in which they were added. It ends when remove is called,
// and when the connection goes back to its pool. fn runs before the call returns during which the notification
// arrived. The connection answers [ErrBusy] to fn; its handle of database/sql would wait for ever. A panic of fn is logged. remove
// may be called at any time, from any goroutine, from fn too, more than once.
func (c *Conn) AddNotificationHandler(fn func(Notification)) (remove func()) {
	return c.notifications.add(fn)
}

// TakeNotification takes the oldest notification that wanted says yes to from those that have arrived and were not taken;
// wanted gets the channel, nil wants all. ok is false when there is none. What arrives on a connection of a pool, in the
// course of whatever statement, waits here until it is taken or the connection goes back to the pool; what exceeds some
// megabytes is dropped, the oldest first, and the next call says so once by [ErrNotificationsDropped].
// A connection of [Connector.Dial] keeps nothing here.
func (c *Conn) TakeNotification(wanted func(channel string) bool) (n Notification, ok bool, err error) {
	ns := &c.notifications
	ns.kept.Lock()
	defer ns.kept.Unlock()
	if ns.dropped > 0 {
		err = fmt.Errorf("%w: %d", ErrNotificationsDropped, ns.dropped)
		ns.dropped = 0
		return n, false, err
	}
	i := slices.IndexFunc(ns.backlog, func(n Notification) bool { return wanted == nil || wanted(n.Channel) })
	if i < 0 {
		return n, false, nil
	}
	n = ns.backlog[i]
	ns.remove(i)
	return n, true, nil
}

func (ns *notifications) remove(i int) {
	ns.size -= size(ns.backlog[i])
	if i == 0 {
		ns.backlog[0] = Notification{}
		ns.backlog = ns.backlog[1:]
		return
	}
	ns.backlog = slices.Delete(ns.backlog, i, i+1)
}

// size is what a notification takes in memory, roughly.
func size(n Notification) int { return 64 + len(n.Channel) + len(n.Payload) }

// keep puts a notification on the backlog.
func (ns *notifications) keep(n Notification) {
	if ns.noBacklog {
		return
	}
	ns.kept.Lock()
	defer ns.kept.Unlock()
	ns.backlog = append(ns.backlog, n)
	ns.size += size(n)
	for ns.size > maxBacklog {
		ns.remove(0)
		ns.dropped++
	}
}

// forget ends what one user of a pooled connection had, before the next gets it.
func (ns *notifications) forget() {
	ns.handlers.forget()
	ns.kept.Lock()
	defer ns.kept.Unlock()
	ns.backlog, ns.size, ns.dropped = nil, 0, 0
}

// Wait blocks until a message of the server arrives on the idle connection, be it a notification, a notice or a changed
// parameter, and returns when it and what came with it were handed to their hooks. It sends nothing. When ctx ends first
// the error is the context's and the connection stays as it is. Any other error says that the connection is lost, with
// the error of the server if it sent one.
func (c *Conn) Wait(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	interrupted := make(chan struct{})
	c.wire.boundReads(time.Time{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		c.wire.boundReads(time.Unix(1, 0))
	})
	err := c.wire.await()
	if !stop() {
		<-interrupted
	}
	c.wire.unboundReads()
	switch {
	case err == nil:
		c.lastUsed = now()
		return nil
	case errors.Is(err, errInterrupted) && ctx.Err() != nil:
		return ctx.Err()
	}
	c.broken = true
	return err
}

var errInterrupted = errors.New("driver: the wait was interrupted")

// awaitMost bounds what one await takes: under a flood of notifications the caller gets its turn, too.
const awaitMost = 256

// await takes the next message that the server sends by itself, and those that arrived with it. It waits for ever unless
// reads are bounded. The operating system reports a silent peer as a timeout, too: that is a loss.
func (w *wire) await() error {
	for range awaitMost {
		msg, err := w.pg.ReceiveMessage(context.Background())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errInterrupted
		}
		if err != nil {
			return w.lost(err)
		}
		w.heard(msg)
		if err := w.unasked(msg); err != nil {
			return err
		}
		if w.held() == 0 {
			return nil
		}
	}
	return nil
}

// unasked closes the connection when msg is none that a server sends by itself.
func (w *wire) unasked(msg pgproto3.BackendMessage) error {
	switch msg := msg.(type) {
	case *pgproto3.NoticeResponse, *pgproto3.NotificationResponse, *pgproto3.ParameterStatus:
		return nil
	case *pgproto3.ErrorResponse:
		err := newServerError(msg)
		w.kill()
		return err
	default:
		w.kill()
		return fmt.Errorf("driver: the server sent an unexpected %T to an idle connection", msg)
	}
}

// Parameter is a run-time parameter that the server reports by itself (in_hot_standby, TimeZone, …), as last heard; ""
// when it does not report it.
func (c *Conn) Parameter(name string) string { return c.pg.ParameterStatus(name) }

// Dial makes a connection outside of the database/sql pool, with all that the pool's own have: settings, hooks, password
// and TLS. It takes no slot of the pool, and none of its limits applies to it. The caller closes it. Errors are those of
// [Connector.Connect]; a connector whose pool was closed dials no more.
//
// The connection serves one goroutine at a time. Of a [PgxSource] it is one of the source's.
func (cn *Connector) Dial(ctx context.Context) (*Conn, error) {
	c, err := cn.connect(ctx)
	if err != nil {
		return nil, err
	}
	c.notifications.noBacklog = true
	return c, nil
}

// DetectSilence has the operating system give up on a server that does not even acknowledge, after about d: TCP
// keepalive while the connection is idle, the user timeout while something was sent. It replaces the pool's settings
// of these on this connection. On a unix socket or a connection of a Dial hook without TCP it does nothing.
func (c *Conn) DetectSilence(d time.Duration) error {
	const probes = 4
	nc := c.wire.conn
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	half, each := max(d/2, time.Second), max(d/(2*probes), time.Second)
	cfg := Config{KeepAlives: true, KeepAlivesIdle: half, KeepAlivesInterval: each, KeepAlivesCount: probes}
	if hasTCPUserTimeout {
		cfg.TCPUserTimeout = d
	}
	if err := cfg.setSocketOptions(tcp); err != nil {
		return fmt.Errorf("driver: %w", err)
	}
	return nil
}
