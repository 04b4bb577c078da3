package sqltest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// faultConn is one proxied connection.
type faultConn struct {
	fault          *Fault
	client, server net.Conn
	done           chan struct{} // closed when the connection is over
	over           sync.Once
	writing        atomic.Int32 // writers that have not ended

	framingMu sync.Mutex
	framing   framing

	// Fault.mu protects the following fields.
	counts     [2]map[byte]int  // by Side
	hushed     [2]chan struct{} // by Side: nil, or closed when its messages may pass again
	last       Side             // who sent the latest message
	roundTrips int
}

// parcel is what a writer does in one go: it waits until due, writes data, and carries out the rule.
type parcel struct {
	data []byte
	due  time.Time
	rule *armedRule
}

func newFaultConn(f *Fault, client, server net.Conn) *faultConn {
	return &faultConn{
		fault: f, client: client, server: server, done: make(chan struct{}),
		counts: [2]map[byte]int{{}, {}}, last: Backend,
	}
}

// start runs a reader and a writer for each direction.
func (c *faultConn) start() {
	c.writing.Store(2)
	for _, way := range []struct {
		side     Side
		src, dst net.Conn
	}{{Frontend, c.client, c.server}, {Backend, c.server, c.client}} {
		const inFlight = 4096
		queue := make(chan parcel, inFlight)
		c.fault.running.Go(func() { c.read(way.side, way.src, queue) })
		c.fault.running.Go(func() { c.write(way.side, way.dst, queue) })
	}
}

// read splits what src sends into messages and queues them. It goes on reading after a cut, because
// closing a socket with unread bytes in it would reset the connection.
func (c *faultConn) read(side Side, src net.Conn, queue chan<- parcel) {
	defer close(queue)
	const chunk = 64 << 10
	var pending []byte
	for {
		buf := make([]byte, chunk)
		n, err := src.Read(buf)
		pending = c.split(side, append(pending, buf[:n]...), queue)
		if err != nil {
			if len(pending) > 0 {
				c.queue(side, queue, parcel{data: pending}) // half a message, as it came
			}
			return
		}
	}
}

// split queues the whole messages in b, those without a rule together, and returns the rest.
func (c *faultConn) split(side Side, b []byte, queue chan<- parcel) []byte {
	plain := 0 // b[:plain] has no rule and is not queued yet
	flush := func() {
		if plain > 0 {
			c.queue(side, queue, parcel{data: b[:plain:plain]})
		}
		b, plain = b[plain:], 0
	}
	for {
		typ, n := c.next(side, b[plain:])
		if n == 0 {
			flush()
			return b
		}
		rule := c.fault.note(c, side, typ)
		if rule == nil {
			plain += n
			continue
		}
		flush()
		for _, p := range rule.parcels(b[:n:n]) {
			c.queue(side, queue, p)
		}
		b = b[n:]
	}
}

func (c *faultConn) next(side Side, b []byte) (byte, int) {
	c.framingMu.Lock()
	defer c.framingMu.Unlock()
	return c.framing.next(side, b)
}

func (c *faultConn) queue(side Side, queue chan<- parcel, p parcel) {
	c.fault.mu.Lock()
	if d := c.fault.mu.latency[side]; d > 0 {
		p.due = time.Now().Add(d)
	}
	c.fault.mu.Unlock()
	select {
	case queue <- p:
	case <-c.done:
	}
}

// write passes the parcels on. After the last one the other side has closed, and so does this one.
func (c *faultConn) write(side Side, dst net.Conn, queue <-chan parcel) {
	for p := range queue {
		if !c.awaitVoice(side) || !c.await(p.due) {
			continue // the connection is over: empty the queue
		}
		if p.rule != nil && p.rule.overtakesAnswers() {
			c.hush(1 - side)
		}
		if len(p.data) > 0 {
			if err := c.transmit(side, dst, p.data); err != nil {
				c.end()
			}
		}
		if p.rule != nil {
			c.perform(p.rule)
			c.unhush(1 - side)
			close(p.rule.hit)
		}
	}
	closeWrite(dst)
	if c.writing.Add(-1) == 0 {
		c.end() // both sides have said all that they had to say
	}
}

// hush holds back what side sends, until unhush.
func (c *faultConn) hush(side Side) {
	c.fault.mu.Lock()
	defer c.fault.mu.Unlock()
	c.hushed[side] = make(chan struct{})
}

func (c *faultConn) unhush(side Side) {
	c.fault.mu.Lock()
	defer c.fault.mu.Unlock()
	if c.hushed[side] != nil {
		close(c.hushed[side])
		c.hushed[side] = nil
	}
}

// awaitVoice waits while side is hushed; it reports false once the connection is over.
func (c *faultConn) awaitVoice(side Side) bool {
	c.fault.mu.Lock()
	hushed := c.hushed[side]
	c.fault.mu.Unlock()
	if hushed == nil {
		return true
	}
	select {
	case <-hushed:
		return true
	case <-c.done:
		return false
	}
}

// await waits until due and until nothing is frozen; it reports false once the connection is over.
func (c *faultConn) await(due time.Time) bool {
	if d := time.Until(due); !due.IsZero() && d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.done:
			return false
		}
	}
	for {
		c.fault.mu.Lock()
		frozen := c.fault.mu.frozen
		c.fault.mu.Unlock()
		if frozen == nil {
			break
		}
		select {
		case <-frozen:
		case <-c.done:
			return false
		}
	}
	return !c.isOver()
}

func (c *faultConn) isOver() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// transmit writes data, no faster than the bandwidth allows.
func (c *faultConn) transmit(side Side, dst io.Writer, data []byte) error {
	const perSecond = 100 // pieces
	for len(data) > 0 {
		rate := c.fault.bandwidth(side)
		if rate <= 0 {
			_, err := dst.Write(data)
			return err
		}
		n := min(len(data), max(1, rate/perSecond))
		if _, err := dst.Write(data[:n]); err != nil {
			return err
		}
		if data = data[n:]; !c.await(time.Now().Add(time.Duration(n) * time.Second / time.Duration(rate))) {
			return net.ErrClosed
		}
	}
	return nil
}

func (c *faultConn) perform(r *armedRule) {
	switch r.Do {
	case ActCut, ActTruncate:
		c.cut()
	case ActReset:
		c.reset()
	case ActFreeze:
		c.fault.Freeze()
	case ActHold:
		select {
		case <-r.Until:
		case <-c.done:
		}
	case ActCorrupt: // done to the data
	}
}

// cut says EOF to both sides. The client's socket stays open for reading until the client closes it.
func (c *faultConn) cut() {
	c.over.Do(func() {
		close(c.done)
		closeWrite(c.client)
		c.server.Close()
	})
}

func (c *faultConn) reset() {
	c.over.Do(func() {
		close(c.done)
		if tcp, ok := c.client.(*net.TCPConn); ok {
			tcp.SetLinger(0) //nolint:errcheck // fails on a closed socket alone, which is as good
		}
		c.client.Close()
		c.server.Close()
	})
}

// end closes everything, also after a cut.
func (c *faultConn) end() {
	c.over.Do(func() { close(c.done) })
	c.client.Close()
	c.server.Close()
}

func closeWrite(conn io.Closer) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite() //nolint:errcheck // a closed socket is what is wanted
		return
	}
	conn.Close()
}
