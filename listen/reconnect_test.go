package listen_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// diary notes what happens to a connection, with the time since it was made.
type diary struct {
	mu    sync.Mutex
	begin time.Time
	lines []string
}

func newDiary() *diary { return &diary{begin: time.Now()} }

func (d *diary) note(c listen.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%.0fs %v", time.Since(d.begin).Seconds(), c.Kind))
}

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, ", ")
}

// hold is a step that lasts.
func hold(d time.Duration) sqltest.Step {
	return sqltest.StepFunc(func(*sqltest.FakeConn) error { time.Sleep(d); return nil })
}

// noChecks are options without what is sent by itself, and with pauses that are easily told.
func noChecks(d *diary) listen.ListenerOptions {
	return listen.ListenerOptions{CheckEvery: -1, MinBackoff: 10 * time.Second, MaxBackoff: 40 * time.Second, OnChange: d.note}
}

// virtual runs a listener, which has a subscription to channel a, against scripts in virtual time. The first script serves the pool.
func virtual(t *testing.T, o func(*diary) listen.ListenerOptions, scripts []sqltest.Script, test func(*testing.T, *listen.Listener, *listen.Subscription, *diary)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := sqltest.NewFake(t, append([]sqltest.Script{{sqltest.Accept()}}, scripts...)...)
		db := fakeDB(t, f, nil)
		d := newDiary()
		l := listen.New(db, o(d))
		s := subscribe(t, l, "a", listen.SubOptions{})
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() { result <- l.Run(ctx) }()
		test(t, l, s, d)
		cancel()
		if err := <-result; err != nil {
			t.Errorf("Run = %v", err)
		}
		db.Close()
	})
}

func wantGap(t *testing.T, s *listen.Subscription, since, until time.Duration, begin time.Time, code string) {
	t.Helper()
	e, err := s.Next(t.Context())
	if err != nil || e.Gap == nil {
		t.Fatalf("%v, %v, want a gap", e, err)
	}
	if a, b := e.Gap.Since.Sub(begin), e.Gap.Until.Sub(begin); a != since || b != until || !strings.Contains(e.Gap.Err.Error(), code) {
		t.Errorf("gap from %v to %v: %v; want %v to %v, %q", a, b, e.Gap.Err, since, until, code)
	}
}

func wantPayload(t *testing.T, s *listen.Subscription, want string) {
	t.Helper()
	if e, err := s.Next(t.Context()); err != nil || e.Gap != nil || e.Payload != want {
		t.Fatalf("%v, %v, want %q", e, err, want)
	}
}

func TestTheFirstReconnectIsAtOnceAndTheGapComesAheadOfLiveNotifications(t *testing.T) {
	t.Parallel()
	virtual(t, noChecks, []sqltest.Script{
		{sqltest.Accept(), listens("a"), hold(time.Minute), notifies("a", "1", "2"), sqltest.Fatal("57P01", "shutdown")},
		{
			sqltest.Accept(), sqltest.ExpectSQL(`listen "a"`), ok("LISTEN"), notifies("a", "3"), // committed right behind LISTEN
			sqltest.ExpectSQL("select pg_catalog.pg_listening_channels()"), names("a"), notifies("a", "4"),
		},
	}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		wantPayload(t, s, "1")
		wantPayload(t, s, "2")
		wantGap(t, s, 0, time.Minute, d.begin, "57P01")
		wantPayload(t, s, "3")
		wantPayload(t, s, "4")
		synctest.Wait()
		if got := d.text(); got != "0s connected, 60s disconnected, 60s reconnected" {
			t.Error(got)
		}
		if st := l.Stats(); !st.Connected || st.Connects != 2 || st.Failures != 0 || st.Received != 4 || st.LastError == nil {
			t.Errorf("stats = %+v", st)
		}
	})
}

func TestReconnectsBackOffWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	down := sqltest.Script{sqltest.Fatal("57P03", "starting up")}
	virtual(t, noChecks, []sqltest.Script{
		{sqltest.Accept(), listens("a"), hold(time.Minute), sqltest.HangUp()},
		down, down, down,
		{sqltest.Accept(), sqltest.HangUp()},
		down,
		{sqltest.Accept(), listens("a"), notifies("a", "back")},
	}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		e, err := s.Next(t.Context())
		if err != nil || e.Gap == nil {
			t.Fatalf("%v, %v", e, err)
		}
		wantPayload(t, s, "back")
		// The pauses: none, then 10, 20, 40, 40, 40 seconds, of which chance takes half at most.
		away := e.Gap.Until.Sub(d.begin.Add(time.Minute))
		if away < 75*time.Second || away > 150*time.Second {
			t.Errorf("away for %v", away)
		}
		if n := strings.Count(d.text(), "connect failed"); n != 5 || l.Stats().Failures != 5 {
			t.Errorf("%d failed attempts, want 5: %s", n, d.text())
		}
	})
}

func TestAServerThatAcceptsAndHangsUpIsNotFlooded(t *testing.T) {
	t.Parallel()
	brief := sqltest.Script{sqltest.Accept(), listens("a"), sqltest.HangUp()}
	virtual(t, noChecks, []sqltest.Script{brief, brief, brief, brief, {sqltest.Accept(), listens("a"), notifies("a", "1")}},
		func(t *testing.T, _ *listen.Listener, s *listen.Subscription, d *diary) {
			for e := range s.Events(t.Context()) {
				if e.Gap == nil {
					break
				}
			}
			if took := time.Since(d.begin); took < 35*time.Second { // 0, 10, 20, 40, by chance half
				t.Errorf("five connections in %v: %s", took, d.text())
			}
		})
}

func TestTheFirstConnectionIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sqltest.NewFake(t,
			sqltest.Script{sqltest.Fatal("57P03", "starting up")},
			sqltest.Script{sqltest.Accept()},
			sqltest.Script{sqltest.Fatal("53300", "too many")},
			sqltest.Script{sqltest.Accept(), listens("a"), notifies("a", "1")})
		db := fakeDB(t, f, nil)
		d := newDiary()
		l := listen.New(db, noChecks(d))
		s := subscribe(t, l, "a", listen.SubOptions{})
		defer db.Close()
		defer start(t, l)()
		wantPayload(t, s, "1") // no gap: it has missed nothing that it was promised
		if n := strings.Count(d.text(), "connect failed"); n != 2 {
			t.Error(d.text())
		}
	})
}

func TestAStandbyAfterAFailoverIsTransient(t *testing.T) {
	t.Parallel()
	virtual(t, noChecks, []sqltest.Script{
		{sqltest.Accept(), listens("a"), hold(time.Minute), sqltest.HangUp()},
		{standby()},
		{sqltest.Accept(), sqltest.ExpectSQL(`listen "a"`), sqltest.ReplyError("25006", "cannot execute LISTEN during recovery", 'I')},
		{sqltest.Accept(), listens("a"), notifies("a", "1")},
	}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		if e, err := s.Next(t.Context()); err != nil || e.Gap == nil || !errors.Is(l.Stats().LastError, listen.ErrStandby) {
			t.Errorf("%v, %v, %v", e, err, l.Stats().LastError)
		}
		wantPayload(t, s, "1")
	})
}

func TestASessionThatDoesNotListenIsNotTrusted(t *testing.T) {
	t.Parallel()
	virtual(t, noChecks, []sqltest.Script{
		{sqltest.Accept(), listens("a"), hold(time.Minute), sqltest.HangUp()},
		{
			sqltest.Accept(), sqltest.ExpectSQL(`listen "a"`), ok("LISTEN"),
			sqltest.ExpectSQL("select pg_catalog.pg_listening_channels()"), names(),
		},
		{sqltest.Accept(), listens("a"), notifies("a", "1")},
	}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		if e, err := s.Next(t.Context()); err != nil || e.Gap == nil || !strings.Contains(l.Stats().LastError.Error(), "pooler") {
			t.Errorf("%v, %v, %v", e, err, l.Stats().LastError)
		}
		wantPayload(t, s, "1")
	})
}

func TestChecksFindASilentServer(t *testing.T) {
	t.Parallel()
	checks := func(d *diary) listen.ListenerOptions {
		o := noChecks(d)
		o.CheckEvery, o.Timeout = 20*time.Second, 5*time.Second
		return o
	}
	silent := sqltest.StepFunc(func(c *sqltest.FakeConn) error { // takes the check and says nothing, until it is left
		for {
			if _, err := c.Receive(); err != nil {
				return nil
			}
		}
	})
	virtual(t, checks, []sqltest.Script{
		{sqltest.Accept(), listens("a"), pings(), notifies("a", "1"), pings(), silent},
		{sqltest.Accept(), listens("a"), notifies("a", "2"), pings()},
	}, func(t *testing.T, _ *listen.Listener, s *listen.Subscription, d *diary) {
		wantPayload(t, s, "1")
		e, err := s.Next(t.Context())
		if err != nil || e.Gap == nil {
			t.Fatalf("%v, %v", e, err)
		}
		// Checks at 20 and 40 seconds were answered, the one at 60 was not: given up after 5, and 2 for the cancel.
		if since, until := e.Gap.Since.Sub(d.begin), e.Gap.Until.Sub(d.begin); since != 40*time.Second || until < 65*time.Second || until > 70*time.Second {
			t.Errorf("gap from %v to %v", since, until)
		}
		wantPayload(t, s, "2")
		time.Sleep(25 * time.Second)
	})
}

func TestSubscriptionsDuringAnOutageWaitForTheServer(t *testing.T) {
	t.Parallel()
	virtual(t, noChecks, []sqltest.Script{
		{sqltest.Accept(), listens("a"), hold(time.Minute), sqltest.HangUp()},
		{sqltest.Fatal("57P03", "starting up")},
		{
			sqltest.Accept(), sqltest.ExpectSQL(`listen "b"`), ok("LISTEN"),
			sqltest.ExpectSQL("select pg_catalog.pg_listening_channels()"), names("b"), notifies("b", "1"),
		},
	}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		time.Sleep(61 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Subscribe(ctx, "c", listen.SubOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Subscribe = %v, want it to wait for the server", err)
		}
		s.Close()
		b := subscribe(t, l, "b", listen.SubOptions{})
		wantPayload(t, b, "1") // and no gap: it was not subscribed then
	})
}

func TestCatchUpComesBetweenTheGapAndLiveNotifications(t *testing.T) {
	t.Parallel()
	var gaps []listen.Gap
	var l *listen.Listener
	catchUp := func(d *diary) listen.ListenerOptions {
		o := noChecks(d)
		o.CatchUp = func(ctx context.Context, g listen.Gap) error {
			gaps = append(gaps, g)
			d.note(listen.Change{Kind: listen.ChangeKind(1)}) // "reconnected" once more
			switch len(gaps) {
			case 2: // the connection is lost meanwhile
				<-ctx.Done()
				return ctx.Err()
			case 3: // it may use the listener
				if _, err := l.Subscribe(ctx, "b", listen.SubOptions{}); err != nil {
					return err
				}
				time.Sleep(time.Minute)
			}
			return nil
		}
		return o
	}
	virtual(t, catchUp, []sqltest.Script{
		{sqltest.Accept(), listens("a"), hold(time.Minute), sqltest.HangUp()},
		{sqltest.Accept(), listens("a"), notifies("a", "held"), hold(time.Minute), sqltest.HangUp()},
		{
			sqltest.Accept(), listens("a"), notifies("a", "1"),
			sqltest.ExpectSQL(`listen "b"`), ok("LISTEN"), notifies("a", "2"),
		},
	}, func(t *testing.T, made *listen.Listener, s *listen.Subscription, d *diary) {
		l = made
		wantGap(t, s, 0, time.Minute, d.begin, "EOF")
		wantPayload(t, s, "held")
		wantGap(t, s, time.Minute, 2*time.Minute, d.begin, "EOF")
		wantPayload(t, s, "1")
		if took := time.Since(d.begin); took != 3*time.Minute {
			t.Errorf("live after %v, want the minute of CatchUp to have passed", took)
		}
		wantPayload(t, s, "2")
		if len(gaps) != 3 || !gaps[0].Since.IsZero() || !gaps[2].Since.IsZero() && gaps[2].Since.After(gaps[1].Since) {
			t.Errorf("gaps for CatchUp: %v", gaps)
		}
	})
}

func TestRunEndsDuringAPauseAndADial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sqltest.NewFake(t, sqltest.Script{sqltest.Accept()}, sqltest.Script{sqltest.Accept(), sqltest.HangUp()})
		dials := 0
		db := fakeDB(t, f, func(cfg *driver.Config) {
			cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if dials++; dials > 2 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return f.Dial(ctx, network, address)
			}
		})
		defer db.Close()
		for _, after := range []time.Duration{time.Second, 11 * time.Second} {
			d := newDiary()
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if err := listen.New(db, noChecks(d)).Run(ctx); err != nil || time.Since(d.begin) != after {
				t.Errorf("Run = %v after %v, want nil after %v", err, time.Since(d.begin), after)
			}
		}
	})
}

func TestARefusedChannelHarmsNoOther(t *testing.T) {
	t.Parallel()
	refused := sqltest.ReplyError("22P05", "no such character", 'I')
	virtual(t, noChecks, []sqltest.Script{{
		sqltest.Accept(), listens("a"),
		sqltest.ExpectSQL(`listen "b"; listen "ж"`), refused,
		sqltest.ExpectSQL(`listen "b"`), ok("LISTEN"), sqltest.ExpectSQL(`listen "ж"`), refused,
		sqltest.ExpectSQL(`unlisten "b"`), ok("UNLISTEN"), notifies("a", "2"),
	}}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		if err := l.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		both, err := l.SubscribeMany(t.Context(), []string{"b", "ж"}, listen.SubOptions{})
		if !errors.Is(err, listen.ErrChannel) || !strings.Contains(err.Error(), `"ж"`) || both != nil {
			t.Errorf("%v, %v", both, err)
		}
		wantPayload(t, s, "2")
	})
}

func TestNoticesDoNoHarm(t *testing.T) {
	t.Parallel()
	virtual(t, noChecks, []sqltest.Script{{
		sqltest.Accept(), listens("a"),
		sqltest.Reply(&pgproto3.NoticeResponse{Severity: "WARNING", Message: "careful"}, &pgproto3.ParameterStatus{Name: "TimeZone", Value: "GMT"}),
		hold(time.Hour), notifies("a", "1"), notifies("nobody's", "2"), notifies("a", "3"),
	}}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		wantPayload(t, s, "1")
		wantPayload(t, s, "3")
		if st := s.Stats(); st.Received != 2 || st.Delivered != 2 || l.Stats().Received != 3 {
			t.Errorf("%+v, %+v", st, l.Stats())
		}
	})
}

func TestASlowSubscriberDelaysNoOther(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprint(i))
	}
	virtual(t, noChecks, []sqltest.Script{{
		sqltest.Accept(), listens("a"), hold(time.Second), notifies("a", many...), hold(31 * time.Second), notifies("a", "late"),
	}}, func(t *testing.T, l *listen.Listener, s *listen.Subscription, d *diary) {
		slow := map[listen.Overflow]*listen.Subscription{}
		for _, policy := range []listen.Overflow{listen.Block, listen.DropOldest, listen.DropNewest, listen.Coalesce} {
			slow[policy] = subscribe(t, l, "a", listen.SubOptions{Buffer: 10, Overflow: policy})
		}
		for _, want := range many {
			wantPayload(t, s, want)
		}
		if took := time.Since(d.begin); took != time.Second {
			t.Errorf("the quick one got everything after %v", took)
		}
		wantPayload(t, s, "late")
		synctest.Wait()
		for policy, want := range map[listen.Overflow][2]int64{
			listen.Block: {4991, 0}, listen.DropOldest: {4991, 0}, listen.DropNewest: {4991, 0}, listen.Coalesce: {0, 5000},
		} {
			if st := slow[policy].Stats(); st.Received != 5001 || st.Dropped != want[0] || st.Coalesced != want[1] {
				t.Errorf("policy %d: %+v, want %v dropped and coalesced", policy, st, want)
			}
		}
	})
}
