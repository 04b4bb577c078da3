package main

import (
	"bytes"
	"context"
	"errors"
	"net"
)

// exchange is something to send, and how many answers to wait for.
type exchange struct {
	send  []byte
	ready int
}

// tape is a recording of one connection.
type tape struct {
	framer
	exchanges []exchange
}

func (t *tape) sent(b []byte) {
	last := len(t.exchanges) - 1
	if last < 0 || t.exchanges[last].ready > 0 {
		t.exchanges = append(t.exchanges, exchange{send: bytes.Clone(b)})
		return
	}
	t.exchanges[last].send = append(t.exchanges[last].send, b...)
}

func (t *tape) answered(b []byte) {
	t.exchanges[len(t.exchanges)-1].ready += t.feed(b)
}

// warmUps is how often an operation runs before it is recorded or measured: by then every peer has prepared what it prepares.
const warmUps = 10

// floorClient repeats on bare sockets what this driver sends for an operation: the cost that no driver can avoid.
type floorClient struct {
	addr    string
	sockets []*bareSocket
}

func openFloor(_ context.Context, addr string, _ int) (client, error) {
	return &floorClient{addr: addr}, nil
}

func (c *floorClient) close() {
	for _, s := range c.sockets {
		s.conn.Close()
	}
}

func (c *floorClient) bind(o op) (program, error) {
	opening, steady, err := recordOurs(c.addr, o)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		return nil, err
	}
	s := &bareSocket{conn: conn, buf: make([]byte, proxyBuffer)}
	c.sockets = append(c.sockets, s)
	if err := s.play(opening); err != nil {
		return nil, err
	}
	return func(context.Context) error { return s.play(steady) }, nil
}

// recordOurs records what this driver sends: from connecting until the operation has reached its steady state, and for one
// operation then.
func recordOurs(addr string, o op) (opening, steady []exchange, err error) {
	p, err := newProxy(addr, 0)
	if err != nil {
		return nil, nil, err
	}
	defer p.close()
	first, second := &tape{}, &tape{}
	p.record(first)
	ctx := context.Background()
	c, err := openOurs(ctx, p.addr(), 1)
	if err != nil {
		return nil, nil, err
	}
	defer c.close()
	run, err := c.bind(o)
	if err != nil {
		return nil, nil, err
	}
	for range warmUps {
		if err := run(ctx); err != nil {
			return nil, nil, err
		}
	}
	p.record(second)
	err = run(ctx)
	p.record(nil)
	return first.exchanges, second.exchanges, err
}

// bareSocket is a connection without a driver.
type bareSocket struct {
	conn net.Conn
	buf  []byte
	framer
}

var errUnfinished = errors.New("the recording ends in the middle of an answer")

// play sends what was recorded, and reads the answers without looking into them.
func (s *bareSocket) play(exchanges []exchange) error {
	for _, x := range exchanges {
		if x.ready == 0 {
			return errUnfinished
		}
		if _, err := s.conn.Write(x.send); err != nil {
			return err
		}
		for ready := 0; ready < x.ready; {
			n, err := s.conn.Read(s.buf)
			if err != nil {
				return err
			}
			ready += s.feed(s.buf[:n])
		}
	}
	return nil
}
