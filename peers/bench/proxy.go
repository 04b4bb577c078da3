package main

import (
	"net"
	"sync"
	"time"
)

// proxy passes connections on to the server. It counts round trips, can delay what the server sends, and can record.
type proxy struct {
	listener net.Listener
	upstream string
	delay    time.Duration // of the server's answers: what it adds to a round trip

	mu    sync.Mutex
	trips int
	tape  *tape // records what passes, nil when nothing is to be
	conns []net.Conn
}

func newProxy(upstream string, delay time.Duration) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, upstream: upstream, delay: delay}
	go p.accept()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// roundTrips is how often the server has answered after a client had sent.
func (p *proxy) roundTrips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trips
}

// record has what passes from now on recorded on t; nil ends that.
func (p *proxy) record(t *tape) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tape = t
}

// close ends the proxy and its connections.
func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *proxy) accept() {
	for {
		down, err := p.listener.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", p.upstream)
		if err != nil {
			down.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, down, up)
		p.mu.Unlock()
		l := &link{proxy: p}
		go l.pass(up, down, l.sent)
		if p.delay == 0 {
			go l.pass(down, up, l.answered)
		} else {
			go l.passLate(down, up)
		}
	}
}

// link is one connection through the proxy.
type link struct {
	proxy *proxy
	asked bool // the client has sent since the server last did
}

func (l *link) sent(b []byte) {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	l.asked = true
	if l.proxy.tape != nil {
		l.proxy.tape.sent(b)
	}
}

func (l *link) answered(b []byte) {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	if l.asked {
		l.proxy.trips++
	}
	l.asked = false
	if l.proxy.tape != nil {
		l.proxy.tape.answered(b)
	}
}

const proxyBuffer = 64 << 10

// pass copies from one side to the other, and tells note before it does.
func (l *link) pass(to, from net.Conn, note func([]byte)) {
	defer to.Close()
	buf := make([]byte, proxyBuffer)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			note(buf[:n])
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// late is a piece of the stream and when it is to arrive.
type late struct {
	data []byte
	due  time.Time
}

// passLate is pass for answers that are delayed. It delays all that is under way at a time together: throughput stays.
func (l *link) passLate(to, from net.Conn) {
	pieces := make(chan late, 1024)
	go func() {
		defer to.Close()
		for piece := range pieces {
			time.Sleep(time.Until(piece.due))
			to.Write(piece.data) // a client that has gone is noticed by the other direction
		}
	}()
	defer close(pieces)
	for {
		buf := make([]byte, proxyBuffer)
		n, err := from.Read(buf)
		if n > 0 {
			l.answered(buf[:n])
			pieces <- late{buf[:n], time.Now().Add(l.proxy.delay)}
		}
		if err != nil {
			return
		}
	}
}
