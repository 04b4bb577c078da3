package main

import (
	"bytes"
	"context"
)

// exchange is something that a client sent, and what the server answered.
type exchange struct {
	send   []byte
	answer []byte
	ready  int // ReadyForQuery in answer
}

// tape is a recording of one connection.
type tape struct {
	framer
	exchanges []exchange
}

func (t *tape) sent(b []byte) {
	last := len(t.exchanges) - 1
	if last < 0 || len(t.exchanges[last].answer) > 0 {
		t.exchanges = append(t.exchanges, exchange{send: bytes.Clone(b)})
		return
	}
	t.exchanges[last].send = append(t.exchanges[last].send, b...)
}

func (t *tape) answered(b []byte) {
	last := &t.exchanges[len(t.exchanges)-1]
	last.answer = append(last.answer, b...)
	last.ready += t.feed(b)
}

// warmUps is how often an operation runs before it is recorded or measured: by then every peer has prepared what it prepares.
const warmUps = 10

// conversation is what a peer and the server say to each other.
type conversation struct {
	opening []exchange // from connecting until the operation has reached its steady state
	steady  []exchange // one operation then
}

// record records an operation of a peer.
func record(ctx context.Context, p peer, addr string, o op) (conversation, error) {
	px, err := newProxy(addr, 0)
	if err != nil {
		return conversation{}, err
	}
	defer px.close()
	first, second := &tape{}, &tape{}
	px.record(first)
	c, err := p.open(ctx, at(px.addr()), 1)
	if err != nil {
		return conversation{}, err
	}
	defer c.close()
	run, err := c.bind(o)
	if err != nil {
		return conversation{}, err
	}
	if err := repeat(ctx, run, warmUps); err != nil {
		return conversation{}, err
	}
	px.record(second)
	err = run(ctx)
	px.record(nil)
	return conversation{first.exchanges, second.exchanges}, err
}
