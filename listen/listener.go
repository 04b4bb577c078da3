package listen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

var (
	// ErrRunning is the error of a second Run of a Listener: there is one for each.
	ErrRunning = errors.New("listen: Run was called already")

	// ErrStopped is the error of a Listener's methods, and the end of its subscriptions' events, after Run has returned. It comes
	// with Run's error, if there was one.
	ErrStopped = errors.New("listen: Run has ended")

	// ErrDisconnected is the error of [Listener.Ping] while there is no connection.
	ErrDisconnected = errors.New("listen: not connected")

	// ErrClosed is the error of taking from a subscription that was closed, and of adding channels to it.
	ErrClosed = errors.New("listen: the subscription is closed")
)

// Listener shares one connection among any number of subscribers: it listens to a channel while there is a
// [Subscription] to it, finds out when the connection is lost, makes another one, and tells the subscribers during
// which time they may have missed something. It is made by [New] and does nothing until [Listener.Run].
// All methods may be called by several goroutines.
type Listener struct {
	db       *sql.DB
	opts     ListenerOptions
	ready    chan struct{}  // closed when Run listens for the first time
	done     chan struct{}  // closed when Run has ended
	handlers sync.WaitGroup // and connections that are being closed

	mu struct {
		sync.Mutex
		registry
		state          state
		err            error          // of Run
		interrupt      func()         // ends the wait of Run's goroutine, nil while it does not wait
		caughtUp       bool           // a CatchUp has returned, and Run's goroutine does not know
		pings          []chan<- error // each of capacity 1
		handlerContext context.Context
		stats          ListenerStats
	}
}

type state byte

const (
	stateNew state = iota
	stateRunning
	stateEnded
)

// New returns a listener on the server of db. It does nothing yet, and takes db's pool to find the server only: the
// connection that it listens on, made by Run, is none of the pool's, but has all its settings, hooks, password and TLS.
func New(db *sql.DB, o ListenerOptions) *Listener {
	l := &Listener{db: db, opts: o.withDefaults(), ready: make(chan struct{}), done: make(chan struct{})}
	l.mu.registry = newRegistry()
	return l
}

// Run makes the connection, listens, delivers notifications and reconnects, until ctx ends; then it returns nil. It
// returns an error when trying again cannot help: a wrong password, a database that does not exist, a pool that
// was closed, a transaction pooler, at first also a standby server; and the error of ListenerOptions.CatchUp. Anything else is tried
// again for as long as it takes. Before it returns, the connection is closed and all handlers have returned.
//
// A Listener runs once: a second Run is [ErrRunning].
func (l *Listener) Run(ctx context.Context) error {
	handlerContext, stopHandlers := context.WithCancel(ctx)
	defer stopHandlers()
	if !l.begin(handlerContext) {
		return ErrRunning
	}
	defer func() {
		stopHandlers()
		l.handlers.Wait()
	}()
	r := &run{listener: l}
	err := r.loop(ctx)
	if err != nil {
		err = fmt.Errorf("listen: %w", err)
	}
	l.finish(err)
	return err
}

func (l *Listener) begin(handlerContext context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.state != stateNew {
		return false
	}
	l.mu.state, l.mu.handlerContext = stateRunning, handlerContext
	for s := range l.mu.subs {
		l.startHandler(s)
	}
	return true
}

func (l *Listener) finish(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.state, l.mu.err = stateEnded, err
	close(l.done)
}

// stopped is the error of what needs Run when that has ended.
func (l *Listener) stopped() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.err != nil {
		return fmt.Errorf("%w: %w", ErrStopped, l.mu.err)
	}
	return ErrStopped
}

// Ready waits until Run has made its first connection and listens to what was subscribed by then: "go l.Run(ctx)"
// does not wait for anything.
func (l *Listener) Ready(ctx context.Context) error {
	select {
	case <-l.ready:
		return nil
	case <-l.done:
		return l.stopped()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Subscribe subscribes to a channel, as it is written. While Run runs it returns when the server listens: whatever is committed
// from then on is delivered. Before Run it returns at once. ctx ends the waiting, and the subscription with it. It refuses names
// that no channel can have ([ErrChannel]).
func (l *Listener) Subscribe(ctx context.Context, channel string, o SubOptions) (*Subscription, error) {
	return l.SubscribeMany(ctx, []string{channel}, o)
}

// SubscribeMany is Subscribe for several channels, whose events keep their common order. There may be none of them at
// first: see [Subscription.Add].
func (l *Listener) SubscribeMany(ctx context.Context, channels []string, o SubOptions) (*Subscription, error) {
	return l.subscribe(ctx, channels, newSubscription(l, o, nil))
}

func (l *Listener) subscribe(ctx context.Context, names []string, s *Subscription) (*Subscription, error) {
	if err := checkChannels(names); err != nil {
		return nil, err
	}
	if err := l.enter(s, len(names) == 0); err != nil {
		return nil, err
	}
	if err := l.add(ctx, s, names); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// enter makes s one of the listener's. A bare one has no channels yet.
func (l *Listener) enter(s *Subscription, bare bool) error {
	l.mu.Lock()
	if l.mu.state == stateEnded {
		l.mu.Unlock()
		return l.stopped()
	}
	defer l.mu.Unlock()
	l.mu.subs[s] = struct{}{}
	s.live = bare && l.mu.stats.Connected
	if l.mu.state == stateRunning {
		l.startHandler(s)
	}
	return nil
}

// add subscribes s to channels and waits for the server.
func (l *Listener) add(ctx context.Context, s *Subscription, names []string) error {
	if err := checkChannels(names); err != nil {
		return err
	}
	l.mu.Lock()
	_, open := l.mu.subs[s]
	state := l.mu.state
	if !open || state == stateEnded {
		l.mu.Unlock()
		if !open {
			return s.reason()
		}
		return l.stopped()
	}
	added, w := l.mu.attach(s, names)
	l.poke()
	l.mu.Unlock()
	if state == stateNew || w == nil {
		return nil
	}
	err := l.confirmed(ctx, w)
	if err != nil {
		l.remove(s, added)
	}
	return err
}

func (l *Listener) confirmed(ctx context.Context, w *waiter) error {
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("listen: subscribe: %w", ctx.Err())
	case <-l.done:
		return l.stopped()
	}
}

func (l *Listener) remove(s *Subscription, names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.detach(s, names)
	l.poke()
}

// forget removes s with all its channels.
func (l *Listener) forget(s *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.leave(s)
	l.poke()
}

// poke has Run's goroutine look for work. It is called under the lock.
func (l *Listener) poke() {
	if l.mu.interrupt != nil && l.hasWork() {
		l.mu.interrupt()
		l.mu.interrupt = nil
	}
}

func (l *Listener) hasWork() bool { return len(l.mu.dirty) > 0 || l.mu.caughtUp || len(l.mu.pings) > 0 }

// arm sets what ends the wait of Run's goroutine. It reports false when there is work to do first.
func (l *Listener) arm(interrupt func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hasWork() {
		return false
	}
	l.mu.interrupt = interrupt
	return true
}

func (l *Listener) disarm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.interrupt = nil
}

// Ping asks the server, in one round trip, whether it is there. When it returns nil, whatever was committed before the
// call has reached the subscriptions. Without a connection it returns [ErrDisconnected] at once; a check that fails ends
// the connection, and another one is made.
func (l *Listener) Ping(ctx context.Context) error {
	answer := make(chan error, 1)
	l.mu.Lock()
	connected, ended := l.mu.stats.Connected, l.mu.state == stateEnded
	if connected {
		l.mu.pings = append(l.mu.pings, answer)
		l.poke()
	}
	l.mu.Unlock()
	switch {
	case connected:
	case ended:
		return l.stopped()
	default:
		return ErrDisconnected
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answerPings ends the calls of Ping that were taken.
func answerPings(pings []chan<- error, err error) {
	for _, answer := range pings {
		answer <- err
	}
}

// dispatch hands a notification to the subscriptions of its channel.
func (l *Listener) dispatch(n Notification, now, since time.Time) {
	l.mu.Lock()
	l.mu.stats.Received++
	subs := l.mu.of(n.Channel)
	l.mu.Unlock()
	for _, s := range subs {
		s.push(n, now, since)
	}
}

// ListenerStats tell how a listener fares.
type ListenerStats struct {
	Connected     bool
	PID           uint32    // of the backend, while connected
	Since         time.Time // when the connection was made or lost; zero before the first
	Connects      int64     // connections that were made
	Failures      int64     // attempts that failed
	Received      int64     // notifications from the server
	Channels      int       // that it listens to, or is to
	Subscriptions int
	LastError     error // the last loss or failure, nil before the first
}

// Stats tells how the listener fares.
func (l *Listener) Stats() ListenerStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	stats := l.mu.stats
	stats.Channels, stats.Subscriptions = len(l.mu.channels), len(l.mu.subs)
	return stats
}
