package sqltest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// FakeConn is a connection to a Fake, as its steps see it. Steps run one after the other.
type FakeConn struct {
	number  int // from 1, also the process number that the client is told
	conn    net.Conn
	inbox   *inbox
	backend *pgproto3.Backend
	startup *pgproto3.StartupMessage
	cancels chan struct{} // a token for each cancel request
	ended   chan struct{} // closed with the connection
	ending  sync.Once
}

func newFakeConn(f *Fake, conn net.Conn) *FakeConn {
	c := &FakeConn{conn: conn, inbox: newInbox(), cancels: make(chan struct{}, 64), ended: make(chan struct{})}
	c.backend = pgproto3.NewBackend(c.inbox, conn)
	f.running.Go(func() { c.inbox.fill(conn) })
	return c
}

// Startup is the client's start-up message.
func (c *FakeConn) Startup() *pgproto3.StartupMessage { return c.startup }

// Receive returns the client's next message, which is valid until the next call.
func (c *FakeConn) Receive() (pgproto3.FrontendMessage, error) {
	msg, err := c.backend.Receive()
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	return msg, nil
}

// Send sends messages in one write.
func (c *FakeConn) Send(msgs ...pgproto3.BackendMessage) error {
	for _, msg := range msgs {
		c.backend.Send(msg)
	}
	if err := c.backend.Flush(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Write sends bytes as they are.
func (c *FakeConn) Write(b []byte) (int, error) { return c.conn.Write(b) }

// receiveStartup refuses encryption until the client says something else.
func (c *FakeConn) receiveStartup() (pgproto3.FrontendMessage, error) {
	for {
		msg, err := c.backend.ReceiveStartupMessage()
		if err != nil {
			return nil, err
		}
		switch msg.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := c.conn.Write([]byte{'N'}); err != nil {
				return nil, err
			}
		default:
			return msg, nil
		}
	}
}

// key is the secret that a cancel request for this connection has to name.
func (c *FakeConn) key() []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(c.number)^0x5ca1ab1e)
}

func (c *FakeConn) cancelled() {
	select {
	case c.cancels <- struct{}{}:
	default: // more than anybody waits for
	}
}

func (c *FakeConn) close() {
	c.ending.Do(func() {
		close(c.ended)
		c.conn.Close()
		c.inbox.close(io.ErrUnexpectedEOF)
	})
}

// describe renders a message for an error.
func describe(msg any) string {
	text, err := json.Marshal(msg)
	if err != nil {
		return fmt.Sprintf("%T", msg)
	}
	return string(text)
}

// inbox holds what a client has sent and nobody has read: as with a socket, a client's write to the
// fake does not wait for the script.
type inbox struct {
	mu   sync.Mutex
	more *sync.Cond
	buf  []byte
	err  error // after buf
}

func newInbox() *inbox {
	in := &inbox{}
	in.more = sync.NewCond(&in.mu)
	return in
}

// fill reads conn to its end.
func (in *inbox) fill(conn io.Reader) {
	const chunk = 8 << 10
	buf := make([]byte, chunk)
	for {
		n, err := conn.Read(buf)
		in.mu.Lock()
		in.buf = append(in.buf, buf[:n]...)
		in.mu.Unlock()
		in.more.Broadcast()
		if err != nil {
			in.close(io.EOF)
			return
		}
	}
}

func (in *inbox) close(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.err == nil {
		in.err = err
	}
	in.more.Broadcast()
}

// Read waits for bytes.
func (in *inbox) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for len(in.buf) == 0 && in.err == nil {
		in.more.Wait()
	}
	if len(in.buf) == 0 {
		return 0, in.err
	}
	n := copy(p, in.buf)
	in.buf = in.buf[n:]
	return n, nil
}
