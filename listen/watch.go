package listen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrServerLost is the error of [Watch] when the server has gone. It comes with the cause: the server's own error (SQLSTATE 57P01
// when it was shut down, 57P02 after a crash), or that of the network.
var ErrServerLost = errors.New("listen: the server is lost")

// WatchOptions say how [Watch] looks at the server.
type WatchOptions struct {
	// Silence is after how long a server is given up that does not even acknowledge TCP keepalive probes: its machine or the
	// network has vanished. 0 is 30 seconds; negative leaves it to the pool's keepalive settings.
	Silence time.Duration
}

const defaultSilence = 30 * time.Second

// Watch blocks until the server is lost, and returns [ErrServerLost] with the cause at that moment, or until ctx ends, and returns
// its error. It dials a connection of its own outside of the pool, on which nothing is sent: whatever the
// server says there (a notice, a reloaded parameter) does no harm. An error that is neither of the two says why
// the watch could not begin.
func Watch(ctx context.Context, db *sql.DB, o WatchOptions) error {
	connector, err := connectorOf(ctx, db)
	if err != nil {
		return watchError(ctx, err)
	}
	c, err := connector.Dial(ctx)
	if err != nil {
		return watchError(ctx, err)
	}
	defer c.Close()
	if o.Silence == 0 {
		o.Silence = defaultSilence
	}
	if o.Silence > 0 {
		if err := c.DetectSilence(o.Silence); err != nil {
			return watchError(ctx, err)
		}
	}
	for {
		err := c.Wait(ctx)
		switch {
		case err != nil && ctx.Err() != nil && !c.IsBroken():
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("%w: %w", ErrServerLost, err)
		}
	}
}

func watchError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("listen: watch: %w", err)
}
