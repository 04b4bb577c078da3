package driver

import (
	"testing"
	"time"
)

// The servers of the internal tests. The external test package sets them: package sqltest imports driver, so it cannot be
// imported here.
var (
	TestServerDSN    func(t testing.TB) string
	PrivateServerDSN func(t testing.TB, hba []string, settings, files map[string]string) string
)

// Backdate makes c as if it had been used d earlier than it was.
func (c *Conn) Backdate(d time.Duration) { c.lastUsed -= d; c.wire.stood -= max(d, 0) }

// HasArrived reports whether the idle connection's socket has something to read, its end included.
func (c *Conn) HasArrived() bool { return c.wire.peek() != peekQuiet }

// OnContextEnded has fn called whenever the end of a context cancels a statement of c.
func (c *Conn) OnContextEnded(fn func()) {
	cancel := c.wire.onDone
	c.wire.onDone = func() { fn(); cancel() }
}

// Pause has c be looked at before its next use, as after a pause.
func (c *Conn) Pause() { c.wire.stood -= time.Hour }
