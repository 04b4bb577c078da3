package listen

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// Subscription gets the events of one or more channels of a [Listener], in the order in which they arrived. It is made by
// Subscribe, SubscribeMany or Handle of the listener, and lasts until Close. Its methods may be called by several
// goroutines, but only one may take events at a time.
type Subscription struct {
	listener *Listener
	handler  func(context.Context, Event)
	ready    chan struct{} // capacity 1: there is something new
	closed   chan struct{} // by Close, or because the server refused a channel

	// Under the listener's lock:
	names map[string]struct{} // channels
	live  bool                // the server has listened for it: an outage is a gap

	mu struct {
		sync.Mutex
		queue queue
		err   error // why closed was closed, nil: by Close
		ended bool
	}
}

func newSubscription(l *Listener, o SubOptions, handler func(context.Context, Event)) *Subscription {
	s := &Subscription{
		listener: l, handler: handler, names: map[string]struct{}{},
		ready: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	s.mu.queue.opts = o.withDefaults()
	return s
}

// Events yields the events from where the last loop left off, and waits for more. An error ends it: ctx's, or [ErrStopped]
// when Run has ended and everything that had arrived was taken. Close ends it without one. The events of Handle go to its
// function only.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := s.Next(ctx)
			if err == ErrClosed {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Next takes the oldest event, or waits for it. Its errors are those of Events, and ErrClosed after Close.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	if s.handler != nil {
		return Event{}, fmt.Errorf("listen: the events of a handler are not to be had otherwise")
	}
	return s.next(ctx)
}

func (s *Subscription) next(ctx context.Context) (Event, error) {
	for {
		select {
		case <-s.closed:
			return Event{}, s.reason()
		default:
		}
		if ctx.Err() != nil {
			return Event{}, ctx.Err()
		}
		if e, ok := s.take(); ok {
			return e, nil
		}
		select {
		case <-s.ready:
		case <-s.closed:
		case <-ctx.Done():
		case <-s.listener.done:
			if e, ok := s.take(); ok {
				return e, nil
			}
			return Event{}, s.listener.stopped()
		}
	}
}

func (s *Subscription) take() (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.queue.take()
}

func (s *Subscription) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.err != nil {
		return s.mu.err
	}
	return ErrClosed
}

// push hands a notification over. It never waits.
func (s *Subscription) push(n Notification, now, since time.Time) {
	s.mu.Lock()
	s.mu.queue.push(item{Event: Event{Notification: n, Received: now}, since: since})
	s.mu.Unlock()
	s.wake()
}

// interrupt hands a gap over.
func (s *Subscription) interrupt(g Gap) {
	s.mu.Lock()
	s.mu.queue.interrupt(g, g.Until)
	s.mu.Unlock()
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Add subscribes to further channels, as [Listener.SubscribeMany] does. Those that it has already change nothing. After an
// error it has none of them more. After Close it is [ErrClosed].
func (s *Subscription) Add(ctx context.Context, channels ...string) error {
	return s.listener.add(ctx, s, channels)
}

// Remove ends the subscription to some of its channels. The server is told soon; what has arrived stays.
func (s *Subscription) Remove(channels ...string) { s.listener.remove(s, channels) }

// Close ends the subscription. The server is told soon to UNLISTEN what nobody else is subscribed to. What has arrived and
// was not taken is forgotten. A handler's function that runs, runs to its end. Closing again does nothing.
func (s *Subscription) Close() { s.end(nil) }

func (s *Subscription) end(err error) {
	s.listener.forget(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.ended {
		return
	}
	s.mu.ended, s.mu.err = true, err
	s.mu.queue.items, s.mu.queue.head, s.mu.queue.ahead = nil, 0, nil
	close(s.closed)
}

// Stats counts what the subscription has seen so far.
func (s *Subscription) Stats() SubscriptionStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.mu.queue.stats
	stats.Waiting = s.mu.queue.len()
	return stats
}
