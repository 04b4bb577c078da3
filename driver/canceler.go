package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrCancellationTimeout is the error of [Canceler.Cancel] when its context, or cancel_timeout, ended before the server had been
// told.
var ErrCancellationTimeout = errors.New("driver: the server could not be told in time to cancel")

// Canceler cancels what a connection runs, from any goroutine and at any time. It is made by [Conn.NewCanceler] and serves
// until the connection goes back to its pool: from then on it does nothing.
type Canceler struct {
	tell    func(context.Context) error
	timeout time.Duration
	kill    func()

	mu      sync.Mutex
	over    chan struct{}  // closed at the end of what runs now, nil when nothing runs
	asking  sync.WaitGroup // requests that are under way
	unknown bool           // a request may still be on its way
}

// NewCanceler returns a canceler for what c will run. It is for functions of [Do]; all cancelers of a connection are one.
func (c *Conn) NewCanceler() *Canceler {
	if c.wire.canceler == nil {
		c.wire.canceler = &Canceler{tell: c.cancelRunning, timeout: c.wire.timeout, kill: c.wire.kill}
	}
	return c.wire.canceler
}

// Cancel asks the server to cancel what the connection runs now, whose error is SQLSTATE 57014 then, and returns when the
// server has been told: it may be too late all the same. When nothing runs it does nothing. The request goes over TLS where
// the session does, and never hits a later statement: what ran does not return before it has arrived. It takes at most
// cancel_timeout, [ErrCancellationTimeout] then.
func (k *Canceler) Cancel(ctx context.Context) error {
	over := k.ask()
	if over == nil {
		return nil
	}
	defer k.asking.Done()
	bounded, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	if err := k.tell(bounded); err != nil {
		k.doubt()
		if bounded.Err() != nil || isTimeout(err) {
			err = fmt.Errorf("%w: %w", ErrCancellationTimeout, err)
			if ctx.Err() != nil {
				err = fmt.Errorf("%w: %w", err, context.Cause(ctx))
			}
		}
		return err
	}
	k.asking.Add(1)
	go k.repeat(over)
	return nil
}

// ask announces a request, and returns what ends with that which runs, nil when nothing does.
func (k *Canceler) ask() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over != nil {
		k.asking.Add(1)
	}
	return k.over
}

// doubt notes that a request may arrive late: the connection must not run anything else.
func (k *Canceler) doubt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unknown = true
}

// repeat repeats the request, ever more seldom, until what it is for has ended: the server ignores one that overtakes its
// statement.
func (k *Canceler) repeat(over <-chan struct{}) {
	defer k.asking.Done()
	deadline := time.Now().Add(k.timeout)
	for wait := cancelAgain; time.Now().Before(deadline); wait *= 2 {
		timer := time.NewTimer(wait)
		select {
		case <-over:
			timer.Stop()
			return
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
		err := k.tell(ctx)
		cancel()
		if err != nil {
			k.doubt()
			return
		}
	}
}

// begin notes that something runs.
func (k *Canceler) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over == nil {
		k.over = make(chan struct{})
	}
}

// end notes that it has ended, and waits for the requests that are under way: no later statement may be hit.
func (k *Canceler) end() {
	k.mu.Lock()
	if k.over == nil {
		k.mu.Unlock()
		return
	}
	close(k.over)
	k.over = nil
	k.mu.Unlock()
	k.asking.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unknown {
		k.kill()
	}
}
