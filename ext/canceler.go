package ext

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// Canceler cancels what a connection runs, from any goroutine: see [driver.Canceler].
type Canceler = driver.Canceler

// ErrCancellationTimeout is [driver.ErrCancellationTimeout].
var ErrCancellationTimeout = driver.ErrCancellationTimeout

// NewCanceler returns a canceler for what conn will run, for a button or a signal that stops it. Contexts are the usual way:
// their end cancels the statement that they were given to. It is taken while conn is idle (it waits for a statement that
// runs) and serves until conn goes back to the pool, from when on it does nothing; so it does on a mock.
func NewCanceler(ctx context.Context, conn *sql.Conn) (*Canceler, error) {
	k := &Canceler{}
	_, err := driver.Do(ctx, conn, "canceler", func(_ context.Context, c *driver.Conn) (int64, error) {
		k = c.NewCanceler()
		return 0, nil
	})
	if err != nil {
		return nil, fmt.Errorf("ext: canceler: %w", err)
	}
	return k, nil
}
