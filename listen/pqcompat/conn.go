package pqcompat

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

var errListenerConnClosed = errors.New("pqcompat: ListenerConn has been closed")

// ListenerConn is one connection that waits for notifications and is not made again: [Listener] is the better choice. Its
// methods may be called by several goroutines.
type ListenerConn struct {
	conn     *driver.Conn
	notify   chan<- *Notification
	requests chan request
	closing  context.Context
	stop     context.CancelFunc
	done     chan struct{} // closed when the connection is
	err      error         // why; read after <-done

	mu struct {
		sync.Mutex
		interrupt context.CancelFunc // ends the wait for notifications
		pending   int                // requests that were not taken
	}
}

// request is a statement for the connection.
type request struct {
	sql    string
	answer chan answer // capacity 1
}

// answer is what became of a request.
type answer struct {
	executed bool
	err      error
}

// NewListenerConn connects. What arrives is sent to notificationChan, which is closed when the connection is; a program that
// does not read from it blocks the connection.
func NewListenerConn(name string, notificationChan chan<- *Notification) (*ListenerConn, error) {
	cfg, err := driver.ParseConfig(name)
	if err != nil {
		return nil, err
	}
	conn, err := driver.NewConnector(cfg).Dial(context.Background())
	if err != nil {
		return nil, err
	}
	l := &ListenerConn{conn: conn, notify: notificationChan, requests: make(chan request), done: make(chan struct{})}
	l.closing, l.stop = context.WithCancel(context.Background())
	conn.AddNotificationHandler(l.arrived)
	go l.serve()
	return l, nil
}

func (l *ListenerConn) arrived(n driver.Notification) {
	select {
	case l.notify <- &Notification{BePid: int(n.PID), Channel: n.Channel, Extra: n.Payload}:
	case <-l.closing.Done():
	}
}

// serve owns the connection.
func (l *ListenerConn) serve() {
	defer close(l.notify)
	defer close(l.done)
	for l.err == nil {
		waiting, cancel := context.WithCancel(l.closing)
		if l.arm(cancel) {
			l.err = l.conn.Wait(waiting)
		}
		asked := waiting.Err() != nil && !l.conn.IsBroken()
		cancel()
		switch {
		case l.closing.Err() != nil:
			l.err = errListenerConnClosed
		case asked:
			l.err = l.answer()
		}
	}
	l.conn.Close()
}

// arm sets what ends the wait. It reports false, and has it ended, when a request is there already.
func (l *ListenerConn) arm(interrupt context.CancelFunc) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.pending > 0 {
		interrupt()
		return false
	}
	l.mu.interrupt = interrupt
	return true
}

// answer runs the next request. Its error is the loss of the connection.
func (l *ListenerConn) answer() error {
	r := <-l.requests
	l.mu.Lock()
	l.mu.pending--
	l.mu.interrupt = nil
	l.mu.Unlock()
	ctx := driver.WithQueryOptions(l.closing, driver.QueryOptions{Simple: true})
	_, err := l.conn.ExecContext(ctx, r.sql, nil)
	broken := l.conn.IsBroken()
	r.answer <- answer{!broken, err}
	if broken {
		return err
	}
	return nil
}

// ExecSimpleQuery runs SQL text without arguments. executed reports whether the server has run it; err is its error then,
// otherwise why the connection is of no use any more.
func (l *ListenerConn) ExecSimpleQuery(q string) (executed bool, err error) {
	r := request{q, make(chan answer, 1)}
	l.mu.Lock()
	l.mu.pending++
	if l.mu.interrupt != nil {
		l.mu.interrupt()
	}
	l.mu.Unlock()
	select {
	case l.requests <- r:
	case <-l.done:
		return false, l.err
	}
	select {
	case a := <-r.answer:
		return a.executed, a.err
	case <-l.done:
		return false, l.err
	}
}

// Listen listens to a channel, as it is written. See ExecSimpleQuery.
func (l *ListenerConn) Listen(channel string) (bool, error) {
	return l.onChannel("LISTEN ", channel)
}

// Unlisten ends listening to a channel. See ExecSimpleQuery.
func (l *ListenerConn) Unlisten(channel string) (bool, error) {
	return l.onChannel("UNLISTEN ", channel)
}

func (l *ListenerConn) onChannel(verb, channel string) (bool, error) {
	if err := ext.CheckName(channel); err != nil {
		return true, fmt.Errorf("pqcompat: channel %q: %w", channel, err)
	}
	return l.ExecSimpleQuery(verb + ext.QuoteName(channel))
}

// UnlistenAll ends listening to all channels. See ExecSimpleQuery.
func (l *ListenerConn) UnlistenAll() (bool, error) { return l.ExecSimpleQuery("UNLISTEN *") }

// Ping asks the server whether it is there. After an error the connection is of no use any more.
func (l *ListenerConn) Ping() error {
	_, err := l.ExecSimpleQuery("")
	return err
}

// Close closes the connection and waits for that. Called again it is an error.
func (l *ListenerConn) Close() error {
	if l.closing.Err() != nil {
		return errListenerConnClosed
	}
	l.stop()
	<-l.done
	return nil
}

// Err is why the connection was closed. It may be called when the channel of notifications is closed.
func (l *ListenerConn) Err() error { return l.err }
