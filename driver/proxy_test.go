package driver_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
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
	p := &proxy{t: t, listener: listener, conns: map[net.Conn]bool{}}
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
	p.done.Go(func() { p.carry(client, server, toClient) })
	if err := carryStartup(server, client); err == nil {
		p.carry(server, client, toServer)
	} else {
		io.Copy(server, client)
	}
	client.Close()
	server.Close()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}

// carryStartup carries the first message, which has no type.
func carryStartup(dst io.Writer, src io.Reader) error {
	head := make([]byte, 4)
	if _, err := io.ReadFull(src, head); err != nil {
		return err
	}
	body := make([]byte, max(binary.BigEndian.Uint32(head), 4)-4)
	if _, err := io.ReadFull(src, body); err != nil {
		return err
	}
	_, err := dst.Write(append(head, body...))
	return err
}

// carry carries messages from src to dst until one of them ends or the cut comes.
func (p *proxy) carry(dst, src net.Conn, d direction) {
	defer dst.Close()
	defer src.Close()
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(src, head); err != nil {
			return
		}
		message := make([]byte, 1+binary.BigEndian.Uint32(head[1:]))
		copy(message, head)
		if _, err := io.ReadFull(src, message[5:]); err != nil {
			return
		}
		if p.due(d) {
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
