package listen

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// ListenerOptions are settings of a [Listener]. The zero value is the default.
type ListenerOptions struct {
	// CheckEvery is how often the server is asked, in one round trip, whether it is there. It also bounds how far
	// Gap.Since may lie before the loss. 0 is 15 seconds; negative: never.
	CheckEvery time.Duration
	// Timeout is how long connecting, LISTEN and a check may take each before the connection is given up. 0 is 10 seconds.
	Timeout time.Duration
	// Silence is after how long the operating system gives up a server that does not even acknowledge (see
	// [WatchOptions]). 0 leaves it to the pool's keepalive settings: the check finds out, too.
	Silence time.Duration

	// After the loss of a connection that had lasted, the next attempt follows at once. MinBackoff is the pause after the
	// first attempt that failed, 0 is 100 ms; each further pause is twice as long, up to MaxBackoff, 0 is 30 seconds. Half
	// of each is left to chance, so that the clients of a server do not return all at once.
	MinBackoff time.Duration
	MaxBackoff time.Duration

	// KeepTrying has Run go on even where trying again is of no use, as far as it can tell.
	KeepTrying bool

	// CatchUp is called after each connection is made, when the server listens to all channels again, and the subscribers have been
	// given their Gap; notifications that arrive meanwhile are delivered when it returns. It is the place to look for
	// what was missed. For the first connection gap.Since is zero. If ctx ends, the connection was lost or Run is to
	// end; the next call covers the time of this one. Any other error ends Run.
	CatchUp func(ctx context.Context, gap Gap) error
	// OnChange is told of the connection, in order, on Run's goroutine: it must not block, nor wait for the Listener.
	OnChange func(Change)
	// Logger gets what happens to the connection, and the panics of handlers. nil logs nothing but these panics, to
	// slog.Default().
	Logger *slog.Logger
}

// Change is news of a listener's connection.
type Change struct {
	Kind ChangeKind
	Err  error  // why it was lost, or could not be made; nil when it was made
	PID  uint32 // of the backend, 0 when it could not be connected to
}

// ChangeKind says what has happened to a connection.
type ChangeKind byte

const (
	Connected     ChangeKind = iota // for the first time, listening to all channels
	Reconnected                     // after a loss; the subscribers get their Gap next
	Disconnected                    // lost, or closed because Run ends
	ConnectFailed                   // an attempt has failed
)

// String is the kind in words.
func (k ChangeKind) String() string {
	return [...]string{"connected", "reconnected", "disconnected", "connect failed"}[k]
}

func (o ListenerOptions) withDefaults() ListenerOptions {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.CheckEvery, 15 * time.Second}, {&o.Timeout, 10 * time.Second}, {&o.MinBackoff, 100 * time.Millisecond}, {&o.MaxBackoff, 30 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	o.MaxBackoff = max(o.MinBackoff, o.MaxBackoff)
	return o
}

// backoff is the pause after so many failures in succession, by chance between half of it and the whole.
func (o ListenerOptions) backoff(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	pause := o.MaxBackoff
	if shift := failures - 1; shift < 32 && o.MinBackoff <= o.MaxBackoff>>shift {
		pause = o.MinBackoff << shift
	}
	return pause/2 + rand.N(pause/2+1)
}
