package driver

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// duplex writes long requests. It reads while it writes: a server that sends more than the sockets hold (notices of a
// trigger, results of a pipeline) stops reading until somebody takes that, so a client that only wrote would wait for
// ever. A write is never broken off for it, which TLS would not survive: when one takes long, a goroutine reads until it
// is over.
//
// A timer for each write would cost more than the rest of it. One ticks while there are writes, and starts to read when
// it finds the write that it has seen before.
type duplex struct {
	wire *wire
	take func(pgproto3.BackendMessage) // gets what arrives, one message at a time, on the goroutine that reads

	socket *peeker // nil where there is none
	polls  int     // calls of arrived without a socket to look at

	timer   *time.Timer   // calls tick
	ticking atomic.Bool   // the timer runs
	writes  atomic.Uint64 // counts the beginnings and the ends of writes
	seen    uint64        // what tick has seen of writes
	state   atomic.Int32
	written chan struct{} // capacity 1: the write is over
	stopped chan struct{} // capacity 1: the reader has ended
	lost    error         // why the reader ended the connection; read after <-stopped

	parts   net.Buffers // what is written, over backing
	backing [2][]byte
}

// States of a duplex: who uses the connection.
const (
	duplexIdle int32 = iota
	duplexWriting
	duplexReading // and writing
)

// blockedAfter is how long a write may take before what arrives meanwhile is read. It may take twice as long.
const blockedAfter = 15 * time.Millisecond

func newDuplex(w *wire, take func(pgproto3.BackendMessage)) *duplex {
	d := &duplex{wire: w, take: take, written: make(chan struct{}, 1), stopped: make(chan struct{}, 1)}
	if raw := rawConn(w.conn); raw != nil {
		d.socket = newPeeker(raw)
	}
	d.timer = time.AfterFunc(time.Hour, d.tick)
	d.timer.Stop()
	return d
}

// write writes head and body. Its error ends the connection; what the server said of the reason is the error then.
func (d *duplex) write(head, body []byte) error {
	d.state.Store(duplexWriting)
	d.writes.Add(1)
	if d.ticking.CompareAndSwap(false, true) {
		d.timer.Reset(blockedAfter)
	}
	err := d.writeBoth(head, body)
	d.writes.Add(1)
	if !d.state.CompareAndSwap(duplexWriting, duplexIdle) {
		d.stopReader()
	}
	switch {
	case d.lost != nil:
		return d.lost
	case err != nil:
		err = d.wire.parting(err)
		d.wire.kill()
		return err
	}
	return nil
}

func (d *duplex) writeBoth(head, body []byte) error {
	if len(body) == 0 {
		_, err := d.wire.conn.Write(head)
		return err
	}
	d.backing = [2][]byte{head, body}
	d.parts = d.backing[:]
	_, err := d.parts.WriteTo(d.wire.conn)
	d.backing = [2][]byte{}
	return err
}

// tick looks for a write that has gone on since the last tick, and stops ticking where nothing was written since.
func (d *duplex) tick() {
	writes := d.writes.Load()
	if writes != d.seen {
		d.seen = writes
		d.timer.Reset(blockedAfter)
		return
	}
	if writes%2 == 1 && d.state.CompareAndSwap(duplexWriting, duplexReading) {
		d.read()
		d.timer.Reset(blockedAfter)
		return
	}
	d.ticking.Store(false)
	if d.writes.Load() != writes && d.ticking.CompareAndSwap(false, true) {
		d.timer.Reset(blockedAfter)
	}
}

func (d *duplex) stopReader() {
	d.written <- struct{}{}
	d.wire.boundReads(time.Unix(1, 0))
	<-d.stopped
	d.wire.unboundReads()
	d.state.Store(duplexIdle)
	select {
	case <-d.written: // the reader ended for a reason of its own
	default:
	}
}

// read is the reader: it runs from when a write has taken long until it is over.
func (d *duplex) read() {
	defer func() { d.stopped <- struct{}{} }()
	for {
		select {
		case <-d.written:
			return
		default:
		}
		msg, err := d.wire.pg.ReceiveMessage(context.Background())
		switch {
		case err == nil:
			d.wire.heard(msg)
			d.take(msg)
		case isTimeout(err) && d.wire.readsBounded():
			return
		default:
			d.lost = d.wire.lost(err) // this ends the write
			return
		}
	}
}

// poll takes what has arrived, and waits for nothing but the rest of a message that has begun.
func (d *duplex) poll() error {
	if !d.arrived() {
		return nil
	}
	d.wire.boundReads(time.Now().Add(absorbWait))
	defer d.wire.unboundReads()
	for {
		msg, err := d.wire.pg.ReceiveMessage(context.Background())
		switch {
		case err != nil && isTimeout(err):
			return nil
		case err != nil:
			return d.wire.lost(err)
		}
		d.wire.heard(msg)
		d.take(msg)
		if !d.arrived() {
			return nil
		}
	}
}

// blindPolls is how many polls go by before one waits, where the socket cannot be looked at.
const blindPolls = 64

// arrived reports whether there is something to read, an end of the connection included.
func (d *duplex) arrived() bool {
	if d.wire.held() > 0 {
		return true
	}
	found := peekUnknown
	if d.socket != nil {
		found = d.socket.peek()
	}
	if found != peekUnknown {
		return found != peekQuiet
	}
	d.polls++
	return d.polls%blindPolls == 0
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
