package listen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// session is one connection of a run. Only Run's goroutine uses it, but for the channel of the catch-up.
type session struct {
	run      *run
	listener *Listener
	conn     *driver.Conn
	resumed  bool      // the gap of before is known to all
	held     []arrival // notifications that wait for the catch-up
	proof    time.Time // what was committed before has arrived
	checkAt  time.Time // when to ask the server whether it is there

	catching chan error // the end of CatchUp, nil when none runs
	stop     context.CancelFunc
}

func newSession(r *run, c *driver.Conn) *session {
	now := time.Now()
	return &session{run: r, listener: r.listener, conn: c, proof: now, checkAt: now.Add(r.listener.opts.CheckEvery)}
}

// arrival is a notification with its times.
type arrival struct {
	n          Notification
	now, since time.Time
}

// arrived takes each notification of the connection.
func (s *session) arrived(n Notification) {
	now := time.Now()
	if !s.resumed || s.catching != nil {
		s.held = append(s.held, arrival{n, now, s.proof})
		return
	}
	s.listener.dispatch(n, now, s.proof)
}

// release delivers what was held.
func (s *session) release() {
	held := s.held
	s.held = nil
	for _, a := range held {
		s.listener.dispatch(a.n, a.now, a.since)
	}
}

// ask runs something that the server answers. When it has, everything that was committed before it was sent has arrived:
// the server sends what waits for a session ahead of the end of each answer.
func (s *session) ask(ctx context.Context, what string, fn func(context.Context) error) error {
	sent := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.listener.opts.Timeout)
	defer cancel()
	if err := fn(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.proof = sent
	if s.resumed {
		s.run.since = sent
	}
	s.checkAt = sent.Add(s.listener.opts.CheckEvery)
	return nil
}

// resume listens to all channels and tells the subscribers what they may have missed.
func (s *session) resume(ctx context.Context) error {
	l := s.listener
	names, err := s.tell(ctx)
	if err != nil {
		return err
	}
	if err := s.verify(ctx, names); err != nil {
		return err
	}
	gap := Gap{Since: s.run.since, Until: time.Now(), Err: s.run.lost}
	pid := s.conn.Info().BackendPID
	l.mu.Lock()
	interrupted := l.mu.interrupted()
	l.mu.confirm(names)
	l.mu.stats.Connected, l.mu.stats.PID, l.mu.stats.Since = true, pid, gap.Until
	l.mu.stats.Connects++
	l.mu.Unlock()
	s.run.connected(pid)
	for _, sub := range interrupted {
		sub.interrupt(gap)
	}
	s.resumed, s.run.since = true, s.proof
	s.catchUp(ctx, gap)
	if s.catching == nil {
		s.release()
	}
	if s.run.connects == 1 {
		close(l.ready)
	}
	return nil
}

// tell tells the server what has changed, and returns to what it listens now in addition.
func (s *session) tell(ctx context.Context) (names []string, err error) {
	l := s.listener
	l.mu.Lock()
	listen, unlisten := l.mu.pending()
	l.mu.Unlock()
	if len(listen)+len(unlisten) == 0 {
		return nil, nil
	}
	err = s.ask(ctx, "LISTEN", func(ctx context.Context) error { return change(ctx, s.conn, listen, unlisten) })
	if isBadName(err) && !s.conn.IsBroken() {
		return s.tellEach(ctx, listen, unlisten)
	}
	return listen, err
}

// tellEach tells the server about one channel at a time, and ends the subscriptions to those that it does not take.
func (s *session) tellEach(ctx context.Context, listen, unlisten []string) (names []string, err error) {
	if err := s.ask(ctx, "UNLISTEN", func(ctx context.Context) error { return change(ctx, s.conn, nil, unlisten) }); err != nil {
		return nil, err
	}
	for _, name := range listen {
		err := s.ask(ctx, "LISTEN", func(ctx context.Context) error { return change(ctx, s.conn, []string{name}, nil) })
		switch {
		case err == nil:
			names = append(names, name)
		case isBadName(err) && !s.conn.IsBroken():
			s.refuse(name, fmt.Errorf("%w: %q: %w", ErrChannel, name, err))
		default:
			return nil, err
		}
	}
	return names, nil
}

func (s *session) refuse(name string, err error) {
	l := s.listener
	l.mu.Lock()
	subs := l.mu.refuse(name, err)
	l.mu.Unlock()
	for _, sub := range subs {
		sub.end(err)
	}
}

// errNotListening says that a session does not listen after LISTEN.
var errNotListening = errors.New("the session does not listen to what it was told to: is there a pooler in transaction mode between?")

// verify asks the server to what it listens.
func (s *session) verify(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return s.ask(ctx, "verify", func(ctx context.Context) error {
		listening, err := listening(ctx, s.conn)
		if err == nil && slices.ContainsFunc(names, func(name string) bool { return !listening[name] }) {
			err = errNotListening
		}
		return err
	})
}

// catchUp starts the user's CatchUp.
func (s *session) catchUp(ctx context.Context, gap Gap) {
	fn := s.listener.opts.CatchUp
	if fn == nil {
		return
	}
	if s.run.connects == 1 {
		gap = Gap{Until: gap.Until}
	}
	if s.run.behind != nil {
		gap.merge(*s.run.behind)
	}
	s.run.behind = &gap
	ctx, s.stop = context.WithCancel(ctx)
	s.catching = make(chan error, 1)
	go func(done chan<- error) {
		err := errors.New("CatchUp did not return")
		defer func() {
			l := s.listener
			l.mu.Lock()
			defer l.mu.Unlock()
			done <- err
			l.mu.caughtUp = true
			l.poke()
		}()
		err = fn(ctx, gap)
	}(s.catching)
}

// caughtUp looks whether CatchUp has returned, and delivers what waited for it.
func (s *session) caughtUp() error {
	if s.catching == nil {
		return nil
	}
	select {
	case err := <-s.catching:
		return s.endCatchUp(err)
	default:
		return nil
	}
}

func (s *session) endCatchUp(err error) error {
	s.stop()
	s.catching = nil
	l := s.listener
	l.mu.Lock()
	l.mu.caughtUp = false
	l.mu.Unlock()
	s.release()
	if err != nil {
		return &catchUpError{err}
	}
	s.run.behind = nil
	return nil
}

// abandon ends a CatchUp with its connection.
func (s *session) abandon() {
	if s.catching != nil {
		s.stop()
		s.endCatchUp(<-s.catching)
	}
}

// serve does what is to be done on the connection until it is lost.
func (s *session) serve(ctx context.Context) error {
	defer s.abandon()
	for {
		if err := s.caughtUp(); err != nil {
			return err
		}
		names, err := s.tell(ctx)
		if err != nil {
			return err
		}
		s.listener.mu.Lock()
		s.listener.mu.confirm(names)
		s.listener.mu.Unlock()
		if err := s.check(ctx); err != nil {
			return err
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

// check asks the server whether it is there, when it is time or somebody wants to know.
func (s *session) check(ctx context.Context) error {
	l := s.listener
	l.mu.Lock()
	pings := l.mu.pings
	l.mu.pings = nil
	l.mu.Unlock()
	if len(pings) == 0 && (l.opts.CheckEvery <= 0 || time.Now().Before(s.checkAt)) {
		return nil
	}
	err := s.ask(ctx, "check", s.conn.Ping)
	answerPings(pings, err)
	return err
}

// wait waits for the server, a change, the time of the next check, or the end of ctx.
func (s *session) wait(ctx context.Context) error {
	var cancel context.CancelFunc
	waiting := ctx
	if s.listener.opts.CheckEvery > 0 {
		waiting, cancel = context.WithDeadline(ctx, s.checkAt)
	} else {
		waiting, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	if !s.listener.arm(cancel) {
		return nil
	}
	defer s.listener.disarm()
	err := s.conn.Wait(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil && !s.conn.IsBroken() {
		return nil
	}
	return err
}
