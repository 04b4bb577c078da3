// Package pqcompat is lib/pq's Listener over package listen: a program changes the import path, and finds the same names
// with the same signatures.
//
//	import pq "github.com/pycopg/pycopg/listen/pqcompat"
//
//	l := pq.NewListener(dsn, 10*time.Second, time.Minute, func(e pq.ListenerEventType, err error) { … })
//	err := l.Listen("jobs")
//	for n := range l.Notify { … }
//
// What is different: the methods never wait for a program that does not read from Notify (what it does not take is kept in
// memory); Close returns when the connection is closed, interrupts connecting and pausing, and leaves no goroutine
// behind; a channel name that PostgreSQL would cut off or refuse is an error.
package pqcompat

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/listen"
)

// Notification is a notification of the server.
type Notification struct {
	BePid   int    // process of the backend that sent it
	Channel string //
	Extra   string // the payload
}

var (
	// ErrChannelAlreadyOpen is the error of Listen for a channel that is listened to.
	ErrChannelAlreadyOpen = errors.New("pqcompat: channel is already open")
	// ErrChannelNotOpen is the error of Unlisten for a channel that is not listened to.
	ErrChannelNotOpen = errors.New("pqcompat: channel is not open")

	errNoConnection = errors.New("pqcompat: no connection")
)

// ListenerEventType says what has happened to a listener's connection.
type ListenerEventType int

const (
	// ListenerEventConnected: the first connection was made. err is nil.
	ListenerEventConnected ListenerEventType = iota
	// ListenerEventDisconnected: the connection was lost, or Close was called. err says why.
	ListenerEventDisconnected
	// ListenerEventReconnected: there is a connection again. err is nil. A nil *Notification follows on the channel: some may
	// have been missed.
	ListenerEventReconnected
	// ListenerEventConnectionAttemptFailed: connecting has failed. err says why.
	ListenerEventConnectionAttemptFailed
)

// String is the event in one word.
func (e ListenerEventType) String() string {
	return map[ListenerEventType]string{
		ListenerEventConnected: "connected", ListenerEventDisconnected: "disconnected",
		ListenerEventReconnected: "reconnected", ListenerEventConnectionAttemptFailed: "connectionAttemptFailed",
	}[e]
}

var eventOf = map[listen.ChangeKind]ListenerEventType{
	listen.Connected: ListenerEventConnected, listen.Disconnected: ListenerEventDisconnected,
	listen.Reconnected: ListenerEventReconnected, listen.ConnectFailed: ListenerEventConnectionAttemptFailed,
}

// EventCallbackType is called when the state of a listener's connection changes, on the goroutine that serves the
// connection: it must not block, nor call the listener's methods that wait for the server.
type EventCallbackType func(event ListenerEventType, err error)

// Dialer makes network connections.
type Dialer interface {
	Dial(network, address string) (net.Conn, error)
	DialTimeout(network, address string, timeout time.Duration) (net.Conn, error)
}

// Listener listens on a connection of its own and makes another one when that is lost. Its methods may be called by several
// goroutines.
type Listener struct {
	// Notify gets the notifications, and nil after each reconnect. Close closes it.
	Notify chan *Notification

	listener *listen.Listener
	sub      *listen.Subscription
	stop     context.CancelFunc
	closing  context.Context // ends with Close
	closed   sync.WaitGroup

	mu struct {
		sync.Mutex
		open   map[string]struct{}
		closed bool
	}
}

// NewListener returns a listener that connects in the background. minReconnectInterval is the pause after the first failed attempt
// to reconnect; each further pause is twice as long, up to maxReconnectInterval. eventCallback may be nil. A
// connection string that cannot be read is reported to eventCallback, and no connection is made.
func NewListener(name string, minReconnectInterval, maxReconnectInterval time.Duration, eventCallback EventCallbackType) *Listener {
	return NewDialListener(nil, name, minReconnectInterval, maxReconnectInterval, eventCallback)
}

// NewDialListener is [NewListener] over connections of d.
func NewDialListener(d Dialer, name string, minReconnectInterval, maxReconnectInterval time.Duration, eventCallback EventCallbackType) *Listener {
	l := &Listener{Notify: make(chan *Notification, 32)}
	l.mu.open = map[string]struct{}{}
	l.closing, l.stop = context.WithCancel(context.Background())
	db, err := open(name, d)
	if err != nil {
		db = sql.OpenDB(failing{err})
	}
	l.listener = listen.New(db, listen.ListenerOptions{
		MinBackoff: minReconnectInterval, MaxBackoff: maxReconnectInterval, KeepTrying: true,
		OnChange: func(c listen.Change) {
			if eventCallback != nil {
				eventCallback(eventOf[c.Kind], c.Err)
			}
		},
	})
	// Before Run, without a channel and under a context that lasts, subscribing cannot fail.
	l.sub, _ = l.listener.SubscribeMany(l.closing, nil, listen.SubOptions{BlockLimit: -1})
	l.closed.Go(func() {
		defer db.Close()
		l.listener.Run(l.closing)
	})
	l.closed.Go(l.deliver)
	return l
}

// open opens a pool in lib/pq's manner.
func open(name string, d Dialer) (*sql.DB, error) {
	cfg, err := driver.ParseConfig(name)
	if err != nil {
		return nil, err
	}
	if d != nil {
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if deadline, ok := ctx.Deadline(); ok {
				return d.DialTimeout(network, address, time.Until(deadline))
			}
			return d.Dial(network, address)
		}
	}
	return sql.OpenDB(driver.NewConnector(cfg)), nil
}

// deliver copies the subscription's events to Notify.
func (l *Listener) deliver() {
	defer close(l.Notify)
	for e, err := range l.sub.Events(l.closing) {
		if err != nil {
			return
		}
		var n *Notification
		if e.Gap == nil {
			n = &Notification{BePid: int(e.PID), Channel: e.Channel, Extra: e.Payload}
		}
		select {
		case l.Notify <- n:
		case <-l.closing.Done():
			return
		}
	}
}

// NotificationChannel returns Notify.
func (l *Listener) NotificationChannel() <-chan *Notification { return l.Notify }

// Listen listens to a channel, as it is written. It waits until the server has confirmed, however long there is no
// connection. Its errors are [ErrChannelAlreadyOpen], the refusal of the channel, and net.ErrClosed after Close.
func (l *Listener) Listen(channel string) error {
	l.mu.Lock()
	if l.mu.closed {
		l.mu.Unlock()
		return net.ErrClosed
	}
	if _, ok := l.mu.open[channel]; ok {
		l.mu.Unlock()
		return ErrChannelAlreadyOpen
	}
	l.mu.open[channel] = struct{}{}
	l.mu.Unlock()
	if err := l.sub.Add(l.closing, channel); err != nil {
		l.mu.Lock()
		delete(l.mu.open, channel)
		l.mu.Unlock()
		return l.orClosed(err)
	}
	if err := l.listener.Ready(l.closing); err != nil {
		return l.orClosed(err)
	}
	return nil
}

func (l *Listener) orClosed(err error) error {
	if l.closing.Err() != nil {
		return net.ErrClosed
	}
	return err
}

// Unlisten ends listening to a channel; the server is told soon. Notifications that have arrived already are delivered. Its errors
// are [ErrChannelNotOpen], and net.ErrClosed after Close.
func (l *Listener) Unlisten(channel string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed {
		return net.ErrClosed
	}
	if _, ok := l.mu.open[channel]; !ok {
		return ErrChannelNotOpen
	}
	delete(l.mu.open, channel)
	l.sub.Remove(channel)
	return nil
}

// UnlistenAll ends listening to all channels. Its error is net.ErrClosed after Close.
func (l *Listener) UnlistenAll() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed {
		return net.ErrClosed
	}
	for channel := range l.mu.open {
		l.sub.Remove(channel)
	}
	clear(l.mu.open)
	return nil
}

// Ping asks the server whether it is there. It is an error when there is no connection.
func (l *Listener) Ping() error {
	l.mu.Lock()
	closed := l.mu.closed
	l.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	err := l.listener.Ping(l.closing)
	if errors.Is(err, listen.ErrDisconnected) || errors.Is(err, listen.ErrStopped) {
		return errNoConnection
	}
	return l.orClosed(err)
}

// Close closes the connection and the channel Notify, and waits for that. Called again it is net.ErrClosed.
func (l *Listener) Close() error {
	l.mu.Lock()
	closed := l.mu.closed
	l.mu.closed = true
	l.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	l.stop()
	l.closed.Wait()
	return nil
}
