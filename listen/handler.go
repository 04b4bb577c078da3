package listen

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Handle subscribes to a channel as [Listener.Subscribe] does, and has handler called for each event, one after the other, on a goroutine
// of its own inside Run. A handler that is slower than its channel meets the limits of o, and slows nothing else down. ctx
// is Subscribe's; the handler's own ends with Run, which waits for it to return. A panic is logged and counted, and the next event
// follows.
func (l *Listener) Handle(ctx context.Context, channel string, o SubOptions, handler func(ctx context.Context, e Event)) (*Subscription, error) {
	if err := checkChannel(channel); err != nil {
		return nil, err
	}
	if handler == nil {
		return nil, fmt.Errorf("listen: channel %q: no handler", channel)
	}
	return l.subscribe(ctx, []string{channel}, newSubscription(l, o, handler))
}

// startHandler starts the goroutine of a subscription that has a handler. It is called under the lock, while Run runs.
func (l *Listener) startHandler(s *Subscription) {
	if s.handler == nil {
		return
	}
	ctx := l.mu.handlerContext
	l.handlers.Go(func() {
		for {
			e, err := s.next(ctx)
			if err != nil {
				return
			}
			l.call(ctx, s, e)
		}
	})
}

func (l *Listener) call(ctx context.Context, s *Subscription, e Event) {
	defer func() {
		if p := recover(); p != nil {
			s.mu.Lock()
			s.mu.queue.stats.Panics++
			s.mu.Unlock()
			logger := l.opts.Logger
			if logger == nil {
				logger = slog.Default()
			}
			logger.ErrorContext(ctx, "listen: a handler panicked", "channel", e.Channel, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.handler(ctx, e)
}
