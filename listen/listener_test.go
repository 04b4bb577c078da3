package listen_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

func TestListenerServesManySubscribersOnOneConnection(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{})
	before := subscribe(t, l, "a", listen.SubOptions{})
	stop := start(t, l)
	defer stop()
	second, other := subscribe(t, l, "a", listen.SubOptions{}), subscribe(t, l, "Other channel", listen.SubOptions{})
	notify(t, db, "a", "1", "2")
	notify(t, db, "Other channel", "3")
	for s, want := range map[*listen.Subscription][]string{before: {"1", "2"}, second: {"1", "2"}, other: {"3"}} {
		if got := payloads(t, s, len(want)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	stats := l.Stats()
	if stats.Channels != 2 || stats.Subscriptions != 3 || stats.Received != 3 || stats.Connects != 1 || !stats.Connected || stats.PID == 0 {
		t.Errorf("stats = %+v", stats)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
	if _, err := l.Subscribe(testContext(t), "b", listen.SubOptions{}); !errors.Is(err, listen.ErrStopped) {
		t.Errorf("after Run: %v", err)
	}
	for _, err := range before.Events(testContext(t)) {
		if !errors.Is(err, listen.ErrStopped) {
			t.Errorf("events after Run: %v", err)
		}
	}
	if err := l.Run(testContext(t)); !errors.Is(err, listen.ErrRunning) {
		t.Errorf("second Run: %v", err)
	}
}

func TestListenerRefusesASecondRunBesideItsHandlers(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{})
	if _, err := l.Handle(testContext(t), "a", listen.SubOptions{}, nil); err == nil || !strings.Contains(err.Error(), `"a": no handler`) {
		t.Errorf("Handle without a handler: %v", err)
	}
	if _, err := l.Handle(testContext(t), "a", listen.SubOptions{}, func(context.Context, listen.Event) {}); err != nil {
		t.Fatal(err)
	}
	defer start(t, l)()
	second := make(chan error, 1)
	go func() { second <- l.Run(t.Context()) }()
	select {
	case err := <-second:
		if !errors.Is(err, listen.ErrRunning) {
			t.Errorf("second Run: %v", err)
		}
	case <-testContext(t).Done():
		t.Error("a second Run waits for the handlers of the first")
	}
}

func TestListenerUnlistensWhenTheLastSubscriberLeaves(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{})
	defer start(t, l)()
	first, second := subscribe(t, l, "a", listen.SubOptions{}), subscribe(t, l, "a", listen.SubOptions{})
	first.Close()
	first.Close()
	notify(t, db, "a", "1")
	if got := next(t, second).Payload; got != "1" {
		t.Errorf("got %q", got)
	}
	for range first.Events(testContext(t)) {
		t.Error("an event after Close")
	}
	second.Close()
	third := subscribe(t, l, "b", listen.SubOptions{}) // the server has handled what came before
	notify(t, db, "a", "2")
	notify(t, db, "b", "3")
	if got := next(t, third).Payload; got != "3" {
		t.Errorf("got %q", got)
	}
	if stats := l.Stats(); stats.Channels != 1 || stats.Received != 2 {
		t.Errorf("stats = %+v, want 2 received of 1 channel: the server does not send the others", stats)
	}
}

func TestSubscriptionToSeveralChannelsKeepsTheirOrder(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{})
	defer start(t, l)()
	s, err := l.SubscribeMany(testContext(t), nil, listen.SubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(testContext(t), "a", "b", "a"); err != nil {
		t.Fatal(err)
	}
	notify(t, db, "a", "1")
	notify(t, db, "b", "2")
	notify(t, db, "a", "3")
	if got := payloads(t, s, 3); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("got %q", got)
	}
	s.Remove("a", "unknown")
	if err := s.Add(testContext(t), "c"); err != nil {
		t.Fatal(err)
	}
	notify(t, db, "a", "4")
	notify(t, db, "b", "5")
	notify(t, db, "c", "6")
	if got := payloads(t, s, 2); !slices.Equal(got, []string{"5", "6"}) {
		t.Errorf("got %q", got)
	}
	if err := s.Add(testContext(t), "x\x00"); !errors.Is(err, listen.ErrChannel) {
		t.Errorf("NUL: %v", err)
	}
}

func TestTenThousandSubscriptionsOverOneBackend(t *testing.T) {
	t.Parallel()
	const count = 10_000
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{})
	defer start(t, l)()
	subs := make([]*listen.Subscription, count)
	var wg sync.WaitGroup
	for i := range subs {
		wg.Go(func() {
			s, err := l.Subscribe(testContext(t), fmt.Sprint("channel ", i), listen.SubOptions{})
			if err != nil {
				t.Errorf("subscribe: %v", err)
			}
			subs[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	mustExec(t, db, "select count(pg_notify('channel ' || i, i::text)) from generate_series(0, $1) i", count-1)
	for i, s := range subs {
		if got := next(t, s).Payload; got != fmt.Sprint(i) {
			t.Fatalf("subscription %d got %q", i, got)
		}
	}
	stats := l.Stats()
	if stats.Channels != count || stats.Connects != 1 {
		t.Errorf("stats = %+v", stats)
	}
}

func TestHandlersRunOneEventAtATimeAndSurvivePanics(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{Logger: quiet()})
	got, release := make(chan string, 100), make(chan struct{})
	handler := func(_ context.Context, e listen.Event) {
		if e.Payload == "2" {
			panic("handler")
		}
		got <- e.Payload
	}
	s, err := l.Handle(testContext(t), "a", listen.SubOptions{}, handler)
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, l)
	defer stop()
	slow, err := l.Handle(testContext(t), "a", listen.SubOptions{}, func(ctx context.Context, e listen.Event) {
		close(release)
		<-ctx.Done()
	})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, db, "a", "1", "2", "3")
	<-release // a handler that hangs delays no other
	if all := <-got + <-got; all != "13" {
		t.Errorf("got %q", all)
	}
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics, want 1", n)
	}
	if _, err := s.Next(testContext(t)); err == nil {
		t.Error("Next took an event of a handler")
	}
	stop()
	if n := slow.Stats(); n.Delivered != 1 || n.Waiting != 2 {
		t.Errorf("the slow handler: %+v", n)
	}
}

func TestSubscribeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	l := listen.New(db, listen.ListenerOptions{})
	defer start(t, l)()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := l.Subscribe(ctx, "a", listen.SubOptions{}); err != nil && !errors.Is(err, context.Canceled) || (s == nil) != (err != nil) {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := l.Subscribe(ctx, strings.Repeat("ä", 32), listen.SubOptions{}); !errors.Is(err, listen.ErrChannel) {
		t.Errorf("64 bytes: %v", err)
	}
	if _, err := l.Handle(ctx, "", listen.SubOptions{}, nil); !errors.Is(err, listen.ErrChannel) {
		t.Errorf("empty: %v", err)
	}
}

func TestRunEndsWhereTryingAgainIsOfNoUse(t *testing.T) {
	t.Parallel()
	in := sqltest.Server(t)
	refused := func(code string) func(t *testing.T) *listen.Listener {
		return func(t *testing.T) *listen.Listener {
			return listen.New(fakeDB(t, sqltest.NewFake(t, sqltest.Script{sqltest.Fatal(code, "no")}), nil), listen.ListenerOptions{})
		}
	}
	for _, tt := range []struct {
		name string
		make func(t *testing.T) *listen.Listener
		want string
	}{
		{"wrong password", refused("28P01"), "28P01"},
		{"no such role", refused("28000"), "28000"},
		{"no such database", refused("3D000"), "3D000"},
		{"no right to connect", refused("42501"), "42501"},
		{"closed pool", func(t *testing.T) *listen.Listener {
			db := openDSN(t, in.DSN(""))
			db.Close()
			return listen.New(db, listen.ListenerOptions{})
		}, "closed"},
		{"transaction pooler", func(t *testing.T) *listen.Listener {
			return listen.New(openDSN(t, in.DSN("")+"&pooler=transaction"), listen.ListenerOptions{})
		}, "session of its own"},
		{"catch-up", func(t *testing.T) *listen.Listener {
			return listen.New(openDSN(t, in.DSN("")), listen.ListenerOptions{
				CatchUp: func(context.Context, listen.Gap) error { return errors.New("no catching up") },
			})
		}, "no catching up"},
		{"standby", func(t *testing.T) *listen.Listener {
			f := sqltest.NewFake(t, sqltest.Script{standby()}, sqltest.Script{standby()})
			return listen.New(fakeDB(t, f, nil), listen.ListenerOptions{})
		}, "standby"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := tt.make(t)
			err := l.Run(testContext(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v, want %q", err, tt.want)
			}
			if _, sub := l.Subscribe(testContext(t), "a", listen.SubOptions{}); !errors.Is(sub, listen.ErrStopped) || !strings.Contains(sub.Error(), tt.want) {
				t.Errorf("Subscribe = %v", sub)
			}
		})
	}
}

func TestRunNeedsTheDriver(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New()
	if err != nil {
		t.Fatal(err)
	}
	mock.ExpectExec("listen: find the server").WillReturnResult(sqlmock.NewResult(0, 0))
	if err := listen.New(db, listen.ListenerOptions{}).Run(testContext(t)); err == nil || !strings.Contains(err.Error(), "mock") {
		t.Errorf("Run on a mock = %v", err)
	}
}
