package listen

import (
	"maps"
	"slices"
)

// registry knows who is subscribed to what, and how that differs from what the server listens to. The listener's lock
// guards it.
type registry struct {
	subs     map[*Subscription]struct{}
	channels map[string]*channel
	dirty    map[string]struct{} // channels whose subscribers came or went
}

// channel is a channel that has subscribers, or that the server listens to.
type channel struct {
	subs      []*Subscription // copied on write
	listening bool            // confirmed, on the present connection
	waiters   []*waiter       // who wait for that
}

// waiter waits until the server listens to some channels.
type waiter struct {
	sub  *Subscription
	left int
	done chan error // capacity 1
}

func newRegistry() registry {
	return registry{subs: map[*Subscription]struct{}{}, channels: map[string]*channel{}, dirty: map[string]struct{}{}}
}

// of returns the subscriptions of a channel. They are not to be changed.
func (r *registry) of(name string) []*Subscription {
	if ch := r.channels[name]; ch != nil {
		return ch.subs
	}
	return nil
}

// attach subscribes s to names and returns those that are new to it. The waiter is nil when the server listens to all of
// them.
func (r *registry) attach(s *Subscription, names []string) (added []string, w *waiter) {
	for _, name := range names {
		if _, ok := s.names[name]; ok {
			continue
		}
		s.names[name] = struct{}{}
		added = append(added, name)
		ch := r.channels[name]
		if ch == nil {
			ch = &channel{}
			r.channels[name] = ch
		}
		ch.subs = append(slices.Clip(ch.subs), s)
		if ch.listening {
			s.live = true
			continue
		}
		if w == nil {
			w = &waiter{sub: s, done: make(chan error, 1)}
		}
		w.left++
		ch.waiters = append(ch.waiters, w)
		r.dirty[name] = struct{}{}
	}
	return added, w
}

// detach ends the subscription of s to names.
func (r *registry) detach(s *Subscription, names []string) {
	for _, name := range names {
		if _, ok := s.names[name]; !ok {
			continue
		}
		delete(s.names, name)
		ch := r.channels[name]
		ch.subs = slices.DeleteFunc(slices.Clone(ch.subs), func(other *Subscription) bool { return other == s })
		if len(ch.subs) == 0 {
			r.dirty[name] = struct{}{}
		}
	}
}

func (r *registry) leave(s *Subscription) {
	r.detach(s, slices.Collect(maps.Keys(s.names)))
	delete(r.subs, s)
}

// pending takes what the server is to be told, in the order of the names. What it is to forget counts as forgotten from here on.
func (r *registry) pending() (listen, unlisten []string) {
	for name := range r.dirty {
		ch := r.channels[name]
		switch {
		case ch == nil:
		case len(ch.subs) > 0 && !ch.listening:
			listen = append(listen, name)
		case len(ch.subs) == 0:
			if ch.listening {
				unlisten = append(unlisten, name)
			}
			ch.answer(ErrClosed)
			delete(r.channels, name)
		}
	}
	clear(r.dirty)
	slices.Sort(listen)
	slices.Sort(unlisten)
	return listen, unlisten
}

// confirm notes that the server listens to names.
func (r *registry) confirm(names []string) {
	for _, name := range names {
		ch := r.channels[name]
		ch.listening = true
		for _, s := range ch.subs {
			s.live = true
		}
		for _, w := range ch.waiters {
			if w.left--; w.left == 0 {
				w.done <- nil
			}
		}
		ch.waiters = nil
	}
}

// refuse notes that the server does not take a channel. Those who wait for it lose the channel; it returns the
// subscriptions that are to be told otherwise.
func (r *registry) refuse(name string, err error) []*Subscription {
	ch := r.channels[name]
	waiters := ch.waiters
	ch.answer(err)
	for _, w := range waiters {
		r.detach(w.sub, []string{name})
	}
	return ch.subs
}

// answer tells those who wait for the channel that they wait in vain.
func (ch *channel) answer(err error) {
	for _, w := range ch.waiters {
		select {
		case w.done <- err:
		default: // so is another channel of theirs
		}
	}
	ch.waiters = nil
}

// disconnected notes that the server listens to nothing: all is to be told again.
func (r *registry) disconnected() {
	clear(r.dirty)
	for name, ch := range r.channels {
		ch.listening = false
		r.dirty[name] = struct{}{}
	}
}

// interrupted lists the subscriptions that may have missed something.
func (r *registry) interrupted() []*Subscription {
	var all []*Subscription
	for s := range r.subs {
		if s.live {
			all = append(all, s)
		}
		s.live = s.live || len(s.names) == 0
	}
	return all
}
