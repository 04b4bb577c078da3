package listen_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// faults are places at which the listener's connection breaks, while it has one subscription, gets one notification and
// listens to one more channel.
var faults = map[string]sqltest.Rule{
	"ahead of a notification":        {Side: sqltest.Backend, Type: 'A', Do: sqltest.ActCut},
	"behind a notification":          {Side: sqltest.Backend, Type: 'A', Do: sqltest.ActCut, After: true},
	"inside a notification":          {Side: sqltest.Backend, Type: 'A', Do: sqltest.ActTruncate, Offset: 9},
	"inside a notification's header": {Side: sqltest.Backend, Type: 'A', Do: sqltest.ActTruncate, Offset: 3},
	"a notification of nonsense":     {Side: sqltest.Backend, Type: 'A', Do: sqltest.ActCorrupt},
	"reset at a notification":        {Side: sqltest.Backend, Type: 'A', Do: sqltest.ActReset},
	"ahead of LISTEN":                {Side: sqltest.Frontend, Type: 'Q', Do: sqltest.ActCut},
	"inside LISTEN":                  {Side: sqltest.Frontend, Type: 'Q', Do: sqltest.ActTruncate, Offset: 7},
	"behind LISTEN":                  {Side: sqltest.Frontend, Type: 'Q', Do: sqltest.ActCut, After: true},
	"ahead of the answer":            {Side: sqltest.Backend, Type: 'C', Do: sqltest.ActCut},
	"inside the answer":              {Side: sqltest.Backend, Type: 'C', Do: sqltest.ActTruncate, Offset: 6},
	"ahead of the end of the answer": {Side: sqltest.Backend, Type: 'Z', Do: sqltest.ActCut},
	"behind the answer":              {Side: sqltest.Backend, Type: 'Z', Do: sqltest.ActCut, After: true},
}

func TestFaultsLoseNothingWithoutAWord(t *testing.T) {
	t.Parallel()
	for name, rule := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := sqltest.DB(t, sqltest.Options{})
			proxy := sqltest.Server(t).Fault(t)
			db := openDSN(t, proxy.DSN(dsnOf(t, direct)))
			l := listen.New(db, listen.ListenerOptions{MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond})
			a := subscribe(t, l, "a", listen.SubOptions{})
			defer start(t, l)()
			hit := proxy.On(rule)
			notify(t, direct, "a", "1")
			b := subscribe(t, l, "b", listen.SubOptions{}) // confirmed, whatever happened meanwhile
			<-hit
			for errors.Is(l.Ping(testContext(t)), listen.ErrDisconnected) || l.Stats().Connects < 2 {
			}
			notify(t, direct, "a", "2")
			notify(t, direct, "b", "3")
			got, gaps := 0, 0
			for got < 2 {
				switch e := next(t, a); {
				case e.Gap != nil:
					gaps++
				case e.Payload == "1" && gaps == 0 && got == 0:
					got = 1
				case e.Payload == "2" && gaps == 1:
					got = 2
				default:
					t.Fatalf("%v after %d gaps", e, gaps)
				}
			}
			e := next(t, b)
			if e.Gap != nil { // it was confirmed before the loss was noticed
				e = next(t, b)
			}
			if e.Payload != "3" {
				t.Errorf("b: %v", e)
			}
		})
	}
}

func TestASilentNetworkIsNoticedByTheCheck(t *testing.T) {
	t.Parallel()
	direct := sqltest.DB(t, sqltest.Options{})
	proxy := sqltest.Server(t).Fault(t)
	db := openDSN(t, proxy.DSN(dsnOf(t, direct))+"&cancel_timeout=100ms")
	lost := make(chan struct{}, 1)
	l := listen.New(db, listen.ListenerOptions{
		CheckEvery: 20 * time.Millisecond, Timeout: time.Second, MinBackoff: 10 * time.Millisecond,
		OnChange: func(c listen.Change) {
			if c.Kind == listen.Disconnected {
				select {
				case lost <- struct{}{}:
				default:
				}
			}
		},
	})
	a := subscribe(t, l, "a", listen.SubOptions{})
	defer start(t, l)()
	proxy.Freeze()
	notify(t, direct, "a", "1")
	<-lost
	proxy.Thaw()
	e := next(t, a)
	if e.Gap == nil {
		t.Errorf("%v, want a gap", e)
	}
	for e.Payload != "2" {
		if e.Gap != nil { // there may be more of them where this test is held up: its checks are impatient
			notify(t, direct, "a", "2")
		}
		e = next(t, a)
	}
}
