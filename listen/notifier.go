package listen

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// NotifierOptions are settings of a [Notifier]. The zero value is the default.
type NotifierOptions struct {
	// Delay is how long a notification may wait for others to be sent with. 0 is 10 milliseconds; negative: only for the
	// statement that is under way.
	Delay time.Duration
	// MaxBatch is how many are sent with one statement, 0 is 1000.
	MaxBatch int
	// MaxPending is how many may wait before Notify blocks, 0 is 100 000.
	MaxPending int
	// OnError is told of each batch that could not be sent, on Run's goroutine. Its notifications are lost, unless it
	// sends them again. nil ends Run with the error.
	OnError func(messages []Message, err error)
}

// Notifier sends notifications of many goroutines with few statements: every transaction that notifies takes a lock of the
// whole database cluster when it commits, so that many small ones wait for each other. Of equal notifications that wait
// one is sent. The order is kept. Call Notify when what it tells of is committed.
//
// It is made by [NewNotifier] and sends while [Notifier.Run] runs. Its methods may be called by several goroutines.
type Notifier struct {
	q    ext.Querier
	opts NotifierOptions
	wake chan struct{} // capacity 1: something waits
	done chan struct{} // closed when Run has ended

	mu struct {
		sync.Mutex
		running bool
		shut    bool // Run takes no more
		pending []Message
		waiting map[Message]struct{} // the same
		room    chan struct{}        // closed when a batch is taken; nil while nobody waits for that
		stats   NotifierStats
		sent    chan struct{} // closed and replaced after each batch
		busy    bool          // a batch is under way
	}
}

// NotifierStats count what a notifier has done.
type NotifierStats struct {
	Sent      int64 // notifications
	Coalesced int64 // equal to one that waited
	Failed    int64
	Batches   int64 // statements
}

// NewNotifier returns a notifier that sends on q, which is a *sql.DB as a rule. It does nothing yet.
func NewNotifier(q ext.Querier, o NotifierOptions) *Notifier {
	if o.Delay == 0 {
		o.Delay = 10 * time.Millisecond
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 1000
	}
	if o.MaxPending <= 0 {
		o.MaxPending = 100_000
	}
	n := &Notifier{q: q, opts: o, wake: make(chan struct{}, 1), done: make(chan struct{})}
	n.mu.waiting, n.mu.sent = map[Message]struct{}{}, make(chan struct{})
	return n
}

// Notify has a notification sent soon. It refuses what [Notify] refuses, and waits only while too many wait already, up to the end
// of ctx. Once the context of Run has ended, and after Run, it is [ErrStopped].
func (n *Notifier) Notify(ctx context.Context, channel, payload string) error {
	if err := checkMessage(channel, payload); err != nil {
		return err
	}
	for {
		room, err := n.add(Message{channel, payload})
		if room == nil || err != nil {
			return err
		}
		select {
		case <-room:
		case <-n.done:
		case <-ctx.Done():
			return fmt.Errorf("listen: notify %q: %w", channel, ctx.Err())
		}
	}
}

// add puts m in line, or returns what is closed when there is room.
func (n *Notifier) add(m Message) (room <-chan struct{}, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.shut {
		return nil, ErrStopped
	}
	if _, ok := n.mu.waiting[m]; ok {
		n.mu.stats.Coalesced++
		return nil, nil
	}
	if len(n.mu.pending) >= n.opts.MaxPending {
		if n.mu.room == nil {
			n.mu.room = make(chan struct{})
		}
		return n.mu.room, nil
	}
	n.mu.pending = append(n.mu.pending, m)
	n.mu.waiting[m] = struct{}{}
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return nil, nil
}

// Run sends until ctx ends. Then Notify takes no more, what waits is sent within five seconds, and Run returns nil. The end of ctx does
// not cancel the statement that is under way, so that nothing is lost by it or sent twice; it has the same five seconds. What is
// not sent by then has failed, with context.DeadlineExceeded. Run returns the first error of sending where OnError is nil; what
// waits then is not sent. A second Run is [ErrRunning].
func (n *Notifier) Run(ctx context.Context) error {
	if err := nilhandle.Check(n.q); err != nil {
		return fmt.Errorf("listen: notifier: %w", err)
	}
	n.mu.Lock()
	ran := n.mu.running
	n.mu.running = true
	n.mu.Unlock()
	if ran {
		return ErrRunning
	}
	defer n.finish()
	defer context.AfterFunc(ctx, n.shut)()
	sending, cancel := outlasting(ctx)
	defer cancel()
	for n.await(ctx) {
		if err := n.sendAll(sending, ctx.Done()); err != nil {
			return err
		}
	}
	n.shut() // the goroutine that is to do this may not have come to it
	return n.sendAll(sending, nil)
}

// outlasting returns a context that ends cleanupTimeout after ctx.
func outlasting(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cleanupTimeout, cancel) })
	return late, func() { stop(); cancel() }
}

// await waits until something is to be sent. It returns false when ctx has ended.
func (n *Notifier) await(ctx context.Context) bool {
	select {
	case <-n.wake:
	case <-ctx.Done():
		return false
	}
	if n.opts.Delay > 0 {
		return sleep(ctx, n.opts.Delay)
	}
	return ctx.Err() == nil
}

// shut has Notify refuse what comes from now on.
func (n *Notifier) shut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.shut = true
}

func (n *Notifier) finish() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.shut = true
	close(n.done)
}

// sendAll sends until nothing waits or stop is closed.
func (n *Notifier) sendAll(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		batch := n.take()
		if len(batch) == 0 {
			return nil
		}
		err := NotifyMany(ctx, n.q, batch)
		if err != nil && ctx.Err() != nil { // context.Canceled would pass for the end of Run's own context
			err = fmt.Errorf("%v, %v after the end of Run's context: %w", err, cleanupTimeout, context.DeadlineExceeded)
		}
		n.sent(len(batch), err)
		switch {
		case err == nil:
		case n.opts.OnError == nil:
			return err
		default:
			n.opts.OnError(batch, err)
		}
	}
}

// take removes a batch from the line.
func (n *Notifier) take() []Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := min(len(n.mu.pending), n.opts.MaxBatch)
	batch := n.mu.pending[:count:count]
	n.mu.pending = n.mu.pending[count:]
	for _, m := range batch {
		delete(n.mu.waiting, m)
	}
	if n.mu.room != nil && count > 0 {
		close(n.mu.room)
		n.mu.room = nil
	}
	n.mu.busy = count > 0
	return batch
}

func (n *Notifier) sent(count int, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.busy = false
	n.mu.stats.Batches++
	if err != nil {
		n.mu.stats.Failed += int64(count)
	} else {
		n.mu.stats.Sent += int64(count)
	}
	close(n.mu.sent)
	n.mu.sent = make(chan struct{})
}

// Flush waits until everything that was handed over before has been sent, or has failed.
func (n *Notifier) Flush(ctx context.Context) error {
	for {
		wait, err := n.unsent()
		if wait == nil || err != nil {
			return err
		}
		select {
		case <-wait:
		case <-n.done:
		case <-ctx.Done():
			return fmt.Errorf("listen: flush: %w", ctx.Err())
		}
	}
}

// unsent returns nil when nothing waits and no batch is under way, otherwise what is closed after the next batch.
func (n *Notifier) unsent() (wait <-chan struct{}, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.mu.pending) == 0 && !n.mu.busy {
		return nil, nil
	}
	select {
	case <-n.done:
		return nil, ErrStopped
	default:
		return n.mu.sent, nil
	}
}

// Stats counts what the notifier has done so far.
func (n *Notifier) Stats() NotifierStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.stats
}
