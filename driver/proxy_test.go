package driver_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// direction is the way that messages take through a proxy.
type direction int

const (
	toServer direction = iota
	toClient
)

func (d direction) String() string { return [...]string{"to the server", "to the client"}[d] }

// place is where a message is cut.
type place int

const (
	before place = iota
	during
	after
)

func (p place) String() string { return [...]string{"before", "during", "after"}[p] }

// cut is the moment at which a proxy breaks a connection: at the n-th message of a direction after it was armed.
type cut struct {
	direction direction
	n         int
	place     place
}

// proxy carries the protocol between a driver and the server, and breaks connections at a message.
type proxy struct {
	t        testing.TB
	listener net.Listener
	done     sync.WaitGroup
	hold     atomic.Bool   // the next message to the server waits for a cancel request to pass it
	cancels  chan struct{} // cancel requests that the server has taken

	mu      sync.Mutex
	armed   bool
	cut     cut
	counted int
	reached bool
	conns   map[net.Conn]bool
}

// newProxy starts a proxy in front of the tests' server.
func newProxy(t testing.TB) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: listener, cancels: make(chan struct{}, 100), conns: map[net.Conn]bool{}}
	network, address := serverAddress(t)
	p.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(client, network, address) })
		}
	})
	t.Cleanup(p.close)
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// arm breaks the connection that reaches c.
func (p *proxy) arm(c cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.cut, p.counted, p.reached = true, c, 0, false
}

// holdForCancel makes the next message to the server wait until a cancel request has overtaken it.
func (p *proxy) holdForCancel() {
	for len(p.cancels) > 0 {
		<-p.cancels
	}
	p.hold.Store(true)
}

// disarm ends the wait for the cut, and reports whether it came.
func (p *proxy) disarm() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	return p.reached
}

// due counts a message, and reports whether it is to be cut.
func (p *proxy) due(d direction) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed || p.cut.direction != d {
		return false
	}
	p.counted++
	if p.counted <= p.cut.n {
		return false
	}
	p.armed, p.reached = false, true
	return true
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	for conn := range p.conns {
		conn.Close()
	}
	p.mu.Unlock()
	p.done.Wait()
}

func (p *proxy) serve(client net.Conn, network, address string) {
	server, err := net.Dial(network, address)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	startup, err := carryStartup(server, client)
	switch {
	case err != nil:
	case startup == cancelCode:
		io.Copy(io.Discard, server) // the server answers by closing
		p.cancels <- struct{}{}
	default:
		p.done.Go(func() { p.carry(client, server, toClient) })
		p.carry(client, server, toServer)
	}
	client.Close()
	server.Close()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}

// cancelCode stands in a cancel request where other connections name their protocol version.
const cancelCode = 80877102

// carryStartup carries the first message, which has no type, and returns its code.
func carryStartup(dst io.Writer, src io.Reader) (code uint32, err error) {
	message := make([]byte, 8)
	if _, err := io.ReadFull(src, message); err != nil {
		return 0, err
	}
	code = binary.BigEndian.Uint32(message[4:])
	rest := make([]byte, max(binary.BigEndian.Uint32(message), 8)-8)
	if _, err := io.ReadFull(src, rest); err != nil {
		return 0, err
	}
	_, err = dst.Write(append(message, rest...))
	return code, err
}

// carry carries messages of one direction until an end is closed or the cut comes. The client learns of it first.
func (p *proxy) carry(client, server net.Conn, d direction) {
	src, dst := client, server
	if d == toClient {
		src, dst = server, client
	}
	defer server.Close()
	defer client.Close()
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(src, head); err != nil {
			return
		}
		due := p.due(d)
		if due && p.cut.place == before {
			return // without having read the message to its end
		}
		message := make([]byte, 1+binary.BigEndian.Uint32(head[1:]))
		copy(message, head)
		if _, err := io.ReadFull(src, message[5:]); err != nil {
			return
		}
		if d == toServer && p.hold.CompareAndSwap(true, false) {
			<-p.cancels
		}
		if due {
			switch p.cut.place {
			case during:
				dst.Write(message[:len(message)/2+1])
			case after:
				dst.Write(message)
			}
			return
		}
		if _, err := dst.Write(message); err != nil {
			return
		}
	}
}
