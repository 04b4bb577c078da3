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
	fake    *Fake
	number  int      // from 1, also the process number that the client is told
	conn    net.Conn // what the session speaks over: raw, or TLS over it
	raw     net.Conn
	inbox   *inbox // of raw
	backend *pgproto3.Backend
	startup *pgproto3.StartupMessage
	cancels chan struct{} // a token for each cancel request
	ended   chan struct{} // closed with the connection
	ending  sync.Once
}

func newFakeConn(f *Fake, conn net.Conn) *FakeConn {
	c := &FakeConn{fake: f, conn: conn, raw: conn, inbox: newInbox(), cancels: make(chan struct{}, 64), ended: make(chan struct{})}
	c.backend = pgproto3.NewBackend(c.inbox, conn)
	f.running.Go(unlabelled(func() { c.inbox.fill(conn) }))
	return c
}

// Number counts the connections of a Fake from 1. It is also the process number that Accept tells the client.
func (c *FakeConn) Number() int { return c.number }

// Cancels gives a token for each cancel request for this connection.
func (c *FakeConn) Cancels() <-chan struct{} { return c.cancels }

// Ended is closed when the connection has ended from the fake's side, at the latest with the test.
func (c *FakeConn) Ended() <-chan struct{} { return c.ended }

// Encrypted reports whether the session uses TLS.
func (c *FakeConn) Encrypted() bool { return c.conn != c.raw }

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

// HangUp closes the connection. Steps that receive or send fail then.
func (c *FakeConn) HangUp() { c.close() }

// Write sends bytes as they are.
func (c *FakeConn) Write(b []byte) (int, error) { return c.conn.Write(b) }

// receiveStartup answers requests for encryption until the client says something else.
func (c *FakeConn) receiveStartup(encryption *fakeTLS) (pgproto3.FrontendMessage, error) {
	if first, err := c.inbox.first(); err == nil && first == tlsHandshake && encryption != nil { // sslnegotiation=direct
		if err := c.encrypt(encryption); err != nil {
			return nil, err
		}
	}
	for {
		msg, err := c.backend.ReceiveStartupMessage()
		if err != nil {
			return nil, err
		}
		_, wantsTLS := msg.(*pgproto3.SSLRequest)
		_, wantsGSS := msg.(*pgproto3.GSSEncRequest)
		switch {
		case wantsTLS && encryption != nil && !c.Encrypted():
			if _, err := c.conn.Write([]byte{'S'}); err != nil {
				return nil, err
			}
			if err := c.encrypt(encryption); err != nil {
				return nil, err
			}
		case wantsTLS || wantsGSS:
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
		c.raw.Close()
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

// first waits for the first byte and leaves it where it is.
func (in *inbox) first() (byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.await(); err != nil {
		return 0, err
	}
	return in.buf[0], nil
}

// await waits for bytes; in.mu is held.
func (in *inbox) await() error {
	for len(in.buf) == 0 && in.err == nil {
		in.more.Wait()
	}
	if len(in.buf) == 0 {
		return in.err
	}
	return nil
}

// Read waits for bytes.
func (in *inbox) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.await(); err != nil {
		return 0, err
	}
	n := copy(p, in.buf)
	in.buf = in.buf[n:]
	return n, nil
}
