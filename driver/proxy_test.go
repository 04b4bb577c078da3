package driver_test

import (
	"testing"

	"github.com/pycopg/pycopg/sqltest"
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

func (c cut) rule() sqltest.Rule {
	r := sqltest.Rule{Side: sqltest.Side(c.direction), Nth: c.n + 1, After: c.place == after}
	if c.place == during {
		r.Do, r.Offset = sqltest.ActTruncate, -1
	}
	return r
}

// proxy stands between a driver and the server, and breaks connections at a message.
type proxy struct{ *sqltest.Fault }

// newProxy starts a proxy in front of the tests' server.
func newProxy(t testing.TB) *proxy {
	t.Helper()
	network, address := serverAddress(t)
	return &proxy{sqltest.NewFault(t, network, address)}
}

func (p *proxy) address() string { return p.Addr().String() }

// arm breaks the connection that reaches c.
func (p *proxy) arm(c cut) { p.On(c.rule()) }

// disarm ends the wait for the cut, and reports whether it came.
func (p *proxy) disarm() bool { return p.Disarm() == 0 }

// holdForCancel makes the next message to the server wait until a cancel request has overtaken it.
func (p *proxy) holdForCancel() {
	p.On(sqltest.Rule{Do: sqltest.ActHold, Until: p.On(sqltest.Rule{Type: sqltest.CancelPacket, After: true})})
}
