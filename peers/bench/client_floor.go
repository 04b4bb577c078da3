package main

import (
	"context"
	"errors"
	"net"
)

// floorClient repeats on bare sockets what this driver sends for an operation: the cost that no driver can avoid.
type floorClient struct {
	place   place
	of      string       // the statement that said is of
	said    conversation // of this driver
	sockets []*bareSocket
}

func openFloor(_ context.Context, where place, _ int) (client, error) {
	return &floorClient{place: where}, nil
}

func (c *floorClient) close() {
	for _, s := range c.sockets {
		s.conn.Close()
	}
}

func (c *floorClient) bind(o op) (program, error) {
	ctx := context.Background()
	if c.of != o.sql {
		said, err := record(ctx, peers[0], c.place.addr, o)
		if err != nil {
			return nil, err
		}
		c.of, c.said = o.sql, said
	}
	conn, err := c.place.dial(ctx, "tcp", c.place.addr)
	if err != nil {
		return nil, err
	}
	s := &bareSocket{conn: conn, buf: make([]byte, proxyBuffer)}
	c.sockets = append(c.sockets, s)
	if err := s.play(c.said.opening); err != nil {
		return nil, err
	}
	steady := c.said.steady
	return func(context.Context) error { return s.play(steady) }, nil
}

// recorded is the peer whose conversation p repeats: the floor has none of its own.
func (p peer) recorded() peer {
	if p.name == floor || p.name == bound {
		return peers[0]
	}
	return p
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
