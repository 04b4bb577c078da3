package driver

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// cancelRequest is the message that asks the server to cancel what the backend runs ("CancelRequest" in the PostgreSQL
// manual's Message Formats).
func cancelRequest(pid uint32, secret []byte) []byte {
	buf := make([]byte, 12, 12+len(secret))
	binary.BigEndian.PutUint32(buf[0:], uint32(12+len(secret)))
	binary.BigEndian.PutUint32(buf[4:], 80877102)
	binary.BigEndian.PutUint32(buf[8:], pid)
	return append(buf, secret...)
}

// cancelRunning asks the server to cancel what the connection runs, over a connection of its own: to the address that
// was dialled, with TLS when the session has it. It returns when the server has closed that connection: by then the
// backend has been signalled, and no later statement can be hit.
func (c *Conn) cancelRunning(ctx context.Context) error {
	select {
	case c.connector.cancels <- struct{}{}:
		defer func() { <-c.connector.cancels }()
	case <-ctx.Done():
		return fmt.Errorf("driver: cancel request: %w", ctx.Err())
	}
	conn, err := c.link.redial(ctx)
	if err != nil {
		return fmt.Errorf("driver: cancel request: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	if _, err := conn.Write(cancelRequest(c.pg.PID(), c.pg.SecretKey())); err != nil {
		return fmt.Errorf("driver: cancel request: %w", err)
	}
	// The server answers nothing; a reset (its way to close a TLS connection it has not read to the end) is as good as EOF.
	if _, err := io.Copy(io.Discard, conn); err != nil && (ctx.Err() != nil || isTimeout(err)) {
		return fmt.Errorf("driver: cancel request: no answer: %w", err)
	}
	return nil
}
