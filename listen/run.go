package listen

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// run is a Run under way: what outlives its connections. Only Run's goroutine uses it.
type run struct {
	listener  *Listener
	connector *driver.Connector
	connects  int
	failures  int           // attempts and short-lived connections in succession
	pause     time.Duration // ahead of the present connection
	since     time.Time     // what was committed before has been delivered
	lost      error         // how the last connection ended
	behind    *Gap          // what CatchUp has not caught up with
}

// loop makes one connection after the other. Its error is one that would come again.
func (r *run) loop(ctx context.Context) error {
	for {
		lived, err := r.connection(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !r.listener.opts.KeepTrying && isPermanent(err, r.connects == 0) || isCatchUp(err) {
			return err
		}
		r.pause = r.next(lived)
		if !sleep(ctx, r.pause) {
			return nil
		}
	}
}

// next is the pause after a connection that has lived so long; a negative lived is an attempt that failed.
func (r *run) next(lived time.Duration) time.Duration {
	o := r.listener.opts
	switch {
	case lived < 0:
		r.failures = max(r.failures, 1)
	case lived >= max(o.MinBackoff, r.pause):
		r.failures = 0
	}
	pause := o.backoff(r.failures)
	r.failures++
	return pause
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// connection makes a connection and serves it until it is lost. It returns for how long notifications were
// delivered, -1 when it did not come to that.
func (r *run) connection(ctx context.Context) (lived time.Duration, err error) {
	c, err := r.connect(ctx)
	if err != nil {
		r.failed(err, 0)
		return -1, err
	}
	defer r.listener.handlers.Go(func() { c.Close() }) // it may wait for the server, which the next connection must not
	s := newSession(r, c)
	c.AddNotificationHandler(s.arrived)
	if err := s.resume(ctx); err != nil {
		r.failed(err, c.Info().BackendPID)
		return -1, err
	}
	begin := time.Now()
	err = s.serve(ctx)
	r.disconnected(ctx, err, c.Info().BackendPID)
	return time.Since(begin), err
}

// connect makes a connection that one can listen on.
func (r *run) connect(ctx context.Context) (*driver.Conn, error) {
	o := r.listener.opts
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if r.connector == nil {
		connector, err := connectorOf(ctx, r.listener.db)
		if err != nil {
			return nil, &connectError{err}
		}
		r.connector = connector
	}
	c, err := r.connector.Dial(ctx)
	if err != nil {
		return nil, &connectError{err}
	}
	err = checkServer(c)
	if err == nil && o.Silence > 0 {
		err = c.DetectSilence(o.Silence)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// failed tells of an attempt that failed.
func (r *run) failed(err error, pid uint32) {
	r.reset(err)
	l := r.listener
	l.mu.Lock()
	l.mu.stats.Failures++
	l.mu.Unlock()
	r.tell(slog.LevelWarn, Change{Kind: ConnectFailed, Err: err, PID: pid})
}

// connected tells of a connection that listens to everything.
func (r *run) connected(pid uint32) {
	kind := Reconnected
	if r.connects++; r.connects == 1 {
		kind = Connected
	}
	r.tell(slog.LevelInfo, Change{Kind: kind, PID: pid})
}

// disconnected tells of the end of a connection.
func (r *run) disconnected(ctx context.Context, err error, pid uint32) {
	r.reset(err)
	r.lost = err
	level := slog.LevelWarn
	if ctx.Err() != nil {
		level = slog.LevelInfo
	}
	r.tell(level, Change{Kind: Disconnected, Err: err, PID: pid})
}

func (r *run) reset(err error) {
	l := r.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.stats.Connected {
		l.mu.stats.Connected, l.mu.stats.PID, l.mu.stats.Since = false, 0, time.Now()
	}
	l.mu.stats.LastError = err
	answerPings(l.mu.pings, fmt.Errorf("%w: %w", ErrDisconnected, err))
	l.mu.pings = nil
	l.mu.registry.disconnected()
}

func (r *run) tell(level slog.Level, c Change) {
	o := r.listener.opts
	if o.OnChange != nil {
		o.OnChange(c)
	}
	if o.Logger == nil {
		return
	}
	args := []any{"pid", c.PID}
	if c.Err != nil {
		args = append(args, "error", c.Err)
	}
	o.Logger.Log(context.Background(), level, "listen: "+c.Kind.String(), args...)
}
