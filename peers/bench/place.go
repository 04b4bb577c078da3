package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// place is where a client finds its server.
type place struct {
	addr string
	dial dialFunc
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// at is a place on the network.
func at(addr string) place {
	var d net.Dialer
	return place{addr, d.DialContext}
}

// inMemory is a place where a recorded conversation is repeated without a server and without the kernel: what a peer costs
// there is the cost of its own code.
func inMemory(addr string, said conversation) place {
	return place{addr, func(context.Context, string, string) (net.Conn, error) {
		c := &memoryConn{said: said}
		c.arrived.L = &c.mu
		return c, nil
	}}
}

// memoryConn answers from a recording: the opening first, the steady part again and again. There is no socket below it to
// look at, so a look whether the connection stands costs nothing here; with a server it does.
type memoryConn struct {
	said conversation

	mu      sync.Mutex
	arrived sync.Cond
	next    int    // exchange that is awaited
	taken   int    // bytes of its request that have come
	answer  []byte // what has not been read
	closed  bool
}

// pong answers what no recording foresees: a look whether the connection stands.
var pong = []byte("I\x00\x00\x00\x04Z\x00\x00\x00\x05I")

func (c *memoryConn) awaited() *exchange {
	if n := len(c.said.opening); c.next >= n {
		return &c.said.steady[(c.next-n)%len(c.said.steady)]
	}
	return &c.said.opening[c.next]
}

// Write implements net.Conn.
func (c *memoryConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.awaited()
	if c.taken == 0 && b[0] == 'Q' && x.send[0] != 'Q' {
		c.answer = pong
	} else if c.taken += len(b); c.taken >= len(x.send) {
		c.taken = 0
		c.next++
		c.answer = x.answer
	}
	c.arrived.Signal()
	return len(b), nil
}

// Read implements net.Conn.
func (c *memoryConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.answer) == 0 && !c.closed {
		c.arrived.Wait()
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	n := copy(b, c.answer)
	c.answer = c.answer[n:]
	return n, nil
}

// Close implements net.Conn.
func (c *memoryConn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.arrived.Signal()
	c.mu.Unlock()
	return nil
}

// LocalAddr and RemoteAddr implement net.Conn.
func (c *memoryConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline and its halves implement net.Conn: nothing is late here.
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
