package listen_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// The soak has this many publishers, channels, and subscriptions to each channel. PYCOPG_SOAK is how long it lasts: a
// duration, or anything else for a minute. Without it the soak is short.
const (
	soakPublishers = 8
	soakChannels   = 200
	soakEach       = 10
	soakEnv        = "PYCOPG_SOAK"
)

// The soak goes on until there were as many outages, and as many notifications from each publisher.
const (
	leastOutages = 5
	leastEach    = 125
)

// soakLength is how long the soak lasts and the time between two outages.
func soakLength() (length, interval time.Duration) {
	text, ok := os.LookupEnv(soakEnv)
	if !ok {
		return 7 * time.Second, 700 * time.Millisecond
	}
	if length, err := time.ParseDuration(text); err == nil {
		return length, 1500 * time.Millisecond
	}
	return time.Minute, 1500 * time.Millisecond
}

// sending is when a number was sent, and whether it is known to be committed.
type sending struct {
	begin, end time.Time
	committed  bool
}

// soak is the state of a soak.
type soak struct {
	instance *sqltest.Instance
	proxy    *sqltest.Fault
	admin    *sql.DB
	listener *listen.Listener
	sent     [soakChannels][]sending // by number; each channel has one publisher
	got      [soakChannels][soakEach][]listen.Event
	subs     []*listen.Subscription
	outages  int
}

func channelName(i int) string { return fmt.Sprintf("soak %d", i) }

func TestSoakEveryMissingNotificationIsInsideAGap(t *testing.T) {
	sqltest.Server(t)
	length, interval := soakLength()
	in, err := sqltest.Start(context.Background(), sqltest.StartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s := &soak{instance: in, proxy: in.Fault(t), admin: openDSN(t, in.DSN(""))}
	mustExec(t, s.admin, "select 1")
	goroutines := runtime.NumGoroutine()
	s.run(t, length, interval)
	missing := 0
	for c := range soakChannels {
		for i := range soakEach {
			missing += s.verify(t, c, s.got[c][i])
		}
	}
	total := 0
	for c := range s.sent {
		total += len(s.sent[c])
	}
	t.Logf("%d notifications of %d channels to %d subscriptions; %d outages, %d missing deliveries, all explained: %v",
		total, soakChannels, soakChannels*soakEach, s.outages, missing, !t.Failed())
	s.checkLeaks(t, goroutines)
}

// run runs publishers, subscribers and outages.
func (s *soak) run(t *testing.T, length, interval time.Duration) {
	db := openDSN(t, s.proxy.DSN(s.instance.DSN("")))
	defer db.Close()
	s.listener = listen.New(db, listen.ListenerOptions{CheckEvery: 200 * time.Millisecond, MinBackoff: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond})
	for c := range soakChannels {
		for i := range soakEach {
			o := listen.SubOptions{BlockLimit: -1}
			sub, err := s.listener.Handle(testContext(t), channelName(c), o, func(_ context.Context, e listen.Event) {
				s.got[c][i] = append(s.got[c][i], e)
			})
			if err != nil {
				t.Fatal(err)
			}
			s.subs = append(s.subs, sub)
		}
	}
	stop := start(t, s.listener)
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	var publishers sync.WaitGroup
	for p := range soakPublishers {
		publishers.Go(func() { s.publish(ctx, t, p) })
	}
	s.breakThings(t, length, interval)
	cancel()
	publishers.Wait()
	s.settle(t)
}

// publish sends numbers to the channels of one publisher until ctx ends, and some more where they were few.
func (s *soak) publish(ctx context.Context, t *testing.T, p int) {
	db := openDSN(t, s.instance.DSN(""))
	defer db.Close()
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	for i := 0; ctx.Err() == nil || i < leastEach; i++ {
		c := (p + i*soakPublishers) % soakChannels
		one := sending{begin: time.Now()}
		err := listen.Notify(context.Background(), db, channelName(c), strconv.Itoa(len(s.sent[c])))
		one.end, one.committed = time.Now(), err == nil
		s.sent[c] = append(s.sent[c], one)
		<-ticks.C
	}
}

// breakThings breaks the listener's connection at intervals for some time, in each way that there is.
func (s *soak) breakThings(t *testing.T, length, interval time.Duration) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for begin := time.Now(); time.Since(begin) < length || s.outages < leastOutages; {
		<-ticks.C
		switch s.outages % 8 {
		case 0, 3, 6:
			s.admin.Exec("select pg_terminate_backend($1)", s.listener.Stats().PID)
		case 1, 4, 7:
			s.proxy.Cut()
		case 2:
			s.proxy.Reset()
		case 5:
			if err := s.instance.Restart(context.Background()); err != nil {
				t.Errorf("restart: %v", err)
			}
		}
		s.outages++
	}
}

// settle waits until the listener is connected, and everything that was committed has reached the handlers.
func (s *soak) settle(t *testing.T) {
	t.Helper()
	ctx := testContext(t)
	for s.listener.Ping(ctx) != nil {
		if ctx.Err() != nil {
			t.Fatal("the listener did not come back")
		}
		runtime.Gosched()
	}
	// Handlers take what they were given: the last notification of each channel follows everything else.
	for c := range soakChannels {
		if err := listen.Notify(ctx, s.admin, channelName(c), "end"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.listener.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	for _, sub := range s.subs {
		for ctx.Err() == nil && sub.Stats().Waiting > 0 {
			runtime.Gosched()
		}
	}
}

// verify checks what one subscription of channel c got, and returns how many numbers it missed.
func (s *soak) verify(t *testing.T, c int, events []listen.Event) (missing int) {
	t.Helper()
	expected := 0
	var gaps []listen.Gap // since the last number
	ended := false
	for _, e := range events {
		if e.Gap != nil {
			gaps = append(gaps, *e.Gap)
			continue
		}
		n := len(s.sent[c])
		if ended = e.Payload == "end"; !ended {
			n, _ = strconv.Atoi(e.Payload)
		}
		if n < expected {
			t.Fatalf("channel %d: number %d after %d", c, n, expected-1)
		}
		for ; expected < n; expected++ {
			if missing += s.explain(t, c, expected, gaps); t.Failed() {
				return missing
			}
		}
		expected, gaps = n+1, nil
	}
	if !ended {
		t.Errorf("channel %d: the end did not arrive", c)
	}
	return missing
}

// explain checks that a number that did not arrive was committed during one of the gaps in its place, if at all.
func (s *soak) explain(t *testing.T, c, number int, gaps []listen.Gap) (missing int) {
	t.Helper()
	one := s.sent[c][number]
	if !one.committed {
		return 0
	}
	for _, g := range gaps {
		if !one.end.Before(g.Since) && !one.begin.After(g.Until) {
			return 1
		}
	}
	t.Errorf("channel %d: number %d, sent from %v to %v, is missing outside of %v", c, number, one.begin, one.end, gaps)
	return 1
}

// checkLeaks waits until goroutines and sessions are what they were at first.
func (s *soak) checkLeaks(t *testing.T, goroutines int) {
	t.Helper()
	ctx := testContext(t)
	sessions := 0
	for ctx.Err() == nil {
		err := s.admin.QueryRow("select count(*) from pg_stat_activity where backend_type = 'client backend'").Scan(&sessions)
		if err == nil && sessions == 1 && runtime.NumGoroutine() <= goroutines {
			return
		}
	}
	t.Errorf("%d sessions, %d goroutines at the end; want 1, %d", sessions, runtime.NumGoroutine(), goroutines)
}
