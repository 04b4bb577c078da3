package mock

import (
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/sqltest"
)

// outbox writes to a client in a goroutine of its own: as with a socket, the server does not wait for the client to read.
type outbox struct {
	conn *sqltest.FakeConn
	gone chan struct{} // closed when the writer has ended

	mu     sync.Mutex
	more   *sync.Cond
	buf    []byte // not flushed
	ready  []byte // to be written
	busy   bool   // something is being written
	ending bool
}

func newOutbox(conn *sqltest.FakeConn) *outbox {
	o := &outbox{conn: conn, gone: make(chan struct{})}
	o.more = sync.NewCond(&o.mu)
	go o.write()
	return o
}

// send adds a message to what flush lets go.
func (o *outbox) send(msg pgproto3.BackendMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, err := msg.Encode(o.buf)
	if err != nil {
		panic(err) // no message of a mock is over 1 GiB
	}
	o.buf = b
}

func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ready, o.buf = append(o.ready, o.buf...), nil
	o.more.Signal()
}

// drop hangs up behind what was flushed. It waits for that unless the client has to read first.
func (o *outbox) drop() {
	o.mu.Lock()
	o.ending = true
	idle := len(o.ready) == 0 && !o.busy
	o.mu.Unlock()
	o.more.Signal()
	if idle {
		<-o.gone
	}
}

// end lets what was flushed go, hangs up, and waits for that.
func (o *outbox) end() {
	o.mu.Lock()
	o.ending = true
	o.mu.Unlock()
	o.more.Signal()
	<-o.gone
}

func (o *outbox) write() {
	defer close(o.gone)
	defer o.conn.HangUp()
	for {
		o.mu.Lock()
		for len(o.ready) == 0 && !o.ending {
			o.more.Wait()
		}
		b := o.ready
		o.ready, o.busy = nil, len(b) > 0
		o.mu.Unlock()
		if len(b) == 0 {
			return
		}
		if _, err := o.conn.Write(b); err != nil {
			return
		}
		o.mu.Lock()
		o.busy = false
		o.mu.Unlock()
	}
}
