package sqltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Fake is a scripted PostgreSQL server inside the process. The nth connection to it plays the nth
// script. It answers requests for encryption with no, unless FakeOptions.TLS is set, and takes cancel
// requests (see AwaitCancel), encrypted or not.
//
// A message that the script did not expect, a connection too many and a script that was not played to
// its end fail the test. After the last step the client may say goodbye, and nothing else.
//
// It is made by NewFake or NewFakeWith and ends with its test. Inside testing/synctest use Dial, whose
// connections are pipes in memory; make the Fake inside the bubble then.
type Fake struct {
	t       testing.TB
	o       FakeOptions
	tls     *fakeTLS // nil without TLS
	running sync.WaitGroup

	mu struct {
		sync.Mutex
		next     int // script of the next connection
		conns    map[*FakeConn]struct{}
		listener net.Listener
		closed   bool
	}
}

// FakeOptions say what a Fake is like. The zero value lets nobody in.
type FakeOptions struct {
	Scripts []Script // the nth connection plays the nth; each has to be played
	Every   Step     // played by each connection beyond the Scripts; nil: there may be none
	TLS     bool     // TLS for those who ask for it, with a certificate for localhost of an authority of its own (Fake.RootCert)
}

// NewFake makes a server whose connections play the scripts in turn.
func NewFake(t testing.TB, scripts ...Script) *Fake {
	t.Helper()
	return NewFakeWith(t, FakeOptions{Scripts: scripts})
}

// NewFakeWith makes a server as the options say.
func NewFakeWith(t testing.TB, o FakeOptions) *Fake {
	t.Helper()
	f := &Fake{t: t, o: o}
	if o.TLS {
		f.tls = newFakeTLS(t)
	}
	f.mu.conns = map[*FakeConn]struct{}{}
	t.Cleanup(f.close)
	return f
}

// Dial opens a connection to the fake whatever the address: in memory, and without a limit to what it
// holds. It fits pgconn.Config.DialFunc and the like.
func (f *Fake) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, server := newPipe()
	if !f.serve(server) {
		return nil, errors.New("sqltest: the fake server has ended")
	}
	return client, nil
}

// Listen makes the fake listen on a loopback port as well, and returns the address, for clients that
// dial by themselves.
func (f *Fake) Listen() *net.TCPAddr {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			f.t.Fatalf("sqltest: fake server: %v", err)
		}
		f.mu.listener = l
		f.running.Go(unlabelled(func() { f.accept(l) }))
	}
	return f.mu.listener.Addr().(*net.TCPAddr)
}

func (f *Fake) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // the test has ended
		}
		f.serve(conn)
	}
}

// serve plays on conn in a goroutine; it refuses when the test has ended.
func (f *Fake) serve(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.closed {
		conn.Close()
		return false
	}
	c := newFakeConn(f, conn)
	f.mu.conns[c] = struct{}{}
	f.running.Go(unlabelled(func() {
		defer f.leave(c)
		f.play(c)
	}))
	return true
}

func (f *Fake) leave(c *FakeConn) {
	c.close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mu.conns, c)
}

// play takes the start-up packet, finds the script and plays it.
func (f *Fake) play(c *FakeConn) {
	startup, err := c.receiveStartup(f.tls)
	if err != nil {
		return // the client went away before it said anything, or did not like the certificate
	}
	if request, ok := startup.(*pgproto3.CancelRequest); ok {
		f.cancel(request)
		return
	}
	script, ok := f.take(c)
	if !ok {
		f.t.Errorf("sqltest: fake connection %d: there are only %d scripts", c.number, len(f.o.Scripts))
		return
	}
	c.startup = startup.(*pgproto3.StartupMessage)
	err = script.Play(c)
	if err == nil {
		err = goodbye(c)
	}
	if err != nil && !errors.Is(err, errHungUp) {
		f.t.Errorf("sqltest: fake connection %d: %v", c.number, err)
	}
}

func (f *Fake) take(c *FakeConn) (Step, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.next++
	c.number = f.mu.next
	if c.number > len(f.o.Scripts) {
		return f.o.Every, f.o.Every != nil
	}
	return f.o.Scripts[c.number-1], true
}

// goodbye waits for the client's end.
func goodbye(c *FakeConn) error {
	msg, err := c.Receive()
	if err != nil {
		return nil //nolint:nilerr // a client may go without a word
	}
	if _, ok := msg.(*pgproto3.Terminate); !ok {
		return fmt.Errorf("after the script: unexpected %s", describe(msg))
	}
	return nil
}

// cancel tells the connection that the request means, if it is there.
func (f *Fake) cancel(request *pgproto3.CancelRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.mu.conns {
		if uint32(c.number) == request.ProcessID && string(c.key()) == string(request.SecretKey) {
			c.cancelled()
		}
	}
}

func (f *Fake) close() {
	f.mu.Lock()
	f.mu.closed = true
	if f.mu.listener != nil {
		f.mu.listener.Close()
	}
	for c := range f.mu.conns {
		c.close()
	}
	missing := len(f.o.Scripts) - f.mu.next
	f.mu.Unlock()
	f.running.Wait()
	if missing > 0 {
		f.t.Errorf("sqltest: the last %d scripts of the fake server were not played: nobody connected", missing)
	}
}
