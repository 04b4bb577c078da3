package sqltest

import (
	"maps"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Fault is a TCP proxy in front of a PostgreSQL server that breaks connections where a test wants it.
// It follows the messages of unencrypted sessions; a session over TLS passes as opaque bytes. It is
// made by NewFault and ends with its test. Its methods may be called by several goroutines.
type Fault struct {
	t             testing.TB
	listener      net.Listener
	network, addr string // upstream
	running       sync.WaitGroup

	mu struct {
		sync.Mutex
		rules   []*armedRule
		latency [2]time.Duration // by Side
		rate    [2]int           // by Side, bytes a second; 0: no limit
		frozen  chan struct{}    // nil, or closed by Thaw
		conns   []*faultConn     // every connection ever
		closed  bool

		refusing bool
	}
}

// NewFault starts a proxy on a loopback port in front of the server at network ("tcp", "unix") and addr.
func NewFault(t testing.TB, network, addr string) *Fault {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("sqltest: fault proxy: %v", err)
	}
	f := &Fault{t: t, listener: l, network: network, addr: addr}
	f.running.Go(unlabelled(f.accept))
	t.Cleanup(f.close)
	return f
}

// Fault starts a proxy in front of the server.
func (in *Instance) Fault(t testing.TB) *Fault {
	t.Helper()
	config, err := pgconn.ParseConfig(in.DSN(""))
	if err != nil {
		t.Fatalf("sqltest: fault proxy: %v", err)
	}
	network, addr := pgconn.NetworkAddress(config.Host, config.Port)
	return NewFault(t, network, addr)
}

// Addr is the address that the proxy listens on.
func (f *Fault) Addr() *net.TCPAddr { return f.listener.Addr().(*net.TCPAddr) }

// DSN returns dsn, a URL or key=value text, with the proxy's address in place of the server's, and without TLS: the proxy sees the
// messages of plain text alone.
func (f *Fault) DSN(dsn string) string {
	host, port, _ := net.SplitHostPort(f.Addr().String()) // what a listener has can be split
	return withoutTLS(withAddress(dsn, host, port))
}

// Bandwidth limits what side sends from now on to a number of bytes a second, on each connection by itself; 0 takes the limit away.
func (f *Fault) Bandwidth(side Side, bytesPerSecond int) {
	f.t.Helper()
	f.check(side, bytesPerSecond >= 0, "a bandwidth of %d bytes a second", bytesPerSecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.rate[side] = bytesPerSecond
}

func (f *Fault) bandwidth(side Side) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.rate[side]
}

// Refuse closes new connections at once, or lets them through again: what clients of a server see that is down. Present
// connections stay.
func (f *Fault) Refuse(refuse bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.refusing = refuse
}

func (f *Fault) refuses() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.refusing
}

// Latency delays all that side sends from now on. The delay is per message, not a limit of throughput.
func (f *Fault) Latency(side Side, d time.Duration) {
	f.t.Helper()
	f.check(side, d >= 0, "a latency of %v", d)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.latency[side] = d
}

// check fails the test where a side or a setting makes no sense.
func (f *Fault) check(side Side, ok bool, format string, args ...any) {
	f.t.Helper()
	if side != Frontend && side != Backend {
		f.t.Fatalf("sqltest: fault proxy: there is no side %d", side)
	}
	if !ok {
		f.t.Fatalf("sqltest: fault proxy: "+format, args...)
	}
}

// Freeze holds back everything in both directions of all connections until Thaw; nothing is lost.
func (f *Fault) Freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.frozen == nil {
		f.mu.frozen = make(chan struct{})
	}
}

// Thaw lets everything pass again.
func (f *Fault) Thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.frozen != nil {
		close(f.mu.frozen)
		f.mu.frozen = nil
	}
}

// Cut ends all present connections as a peer does that closes its socket: clients read what has
// arrived, then EOF.
func (f *Fault) Cut() { f.each((*faultConn).cut) }

// Reset ends all present connections as a peer does that has vanished: clients get "connection reset by peer".
func (f *Fault) Reset() { f.each((*faultConn).reset) }

func (f *Fault) each(do func(*faultConn)) {
	f.mu.Lock()
	conns := f.mu.conns[:len(f.mu.conns):len(f.mu.conns)]
	f.mu.Unlock()
	for _, c := range conns {
		do(c)
	}
}

// Traffic counts what has passed on one connection.
type Traffic struct {
	Frontend, Backend map[byte]int // messages by type
	RoundTrips        int          // how often the server answered after the client had sent
}

// Traffic returns the counts of every connection so far, in the order in which they were accepted.
// A message is counted before it is passed on.
func (f *Fault) Traffic() []Traffic {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Traffic, len(f.mu.conns))
	for i, c := range f.mu.conns {
		all[i] = Traffic{Frontend: maps.Clone(c.counts[Frontend]), Backend: maps.Clone(c.counts[Backend]), RoundTrips: c.roundTrips}
	}
	return all
}

// RoundTrips is the sum over all connections so far. The difference of two calls is what the
// statements between them cost.
func (f *Fault) RoundTrips() int {
	n := 0
	for _, t := range f.Traffic() {
		n += t.RoundTrips
	}
	return n
}

func (f *Fault) accept() {
	for {
		client, err := f.listener.Accept()
		if err != nil {
			return // the test has ended
		}
		if f.refuses() {
			client.Close()
			continue
		}
		server, err := net.Dial(f.network, f.addr)
		if err != nil {
			client.Close() // no server: what a client of a dead server sees
			continue
		}
		c := newFaultConn(f, client, server)
		if !f.adopt(c) {
			c.end()
			return
		}
		c.start()
	}
}

func (f *Fault) adopt(c *faultConn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.conns = append(f.mu.conns, c)
	return !f.mu.closed
}

func (f *Fault) close() {
	f.listener.Close()
	f.mu.Lock()
	f.mu.closed = true
	f.mu.Unlock()
	f.each((*faultConn).end)
	f.running.Wait()
}
