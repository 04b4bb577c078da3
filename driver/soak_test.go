package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// soakSize is a size of a soak test: that of the variable, or the small one of ordinary test runs.
func soakSize(t testing.TB, variable string, small int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return small
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no size", variable, text)
	}
	return n
}

const (
	soakWorkers = 32
	soakCancels = "PYCOPG_SOAK_CANCELS"
)

// cancelSoak is a pool under statements of which many are cancelled, and what became of them.
type cancelSoak struct {
	db     *sql.DB
	number atomic.Int64 // of the statement last begun

	cancels  atomic.Int64 // statements whose context ended while they ran, as the driver saw it
	running  atomic.Int64 // of these, the server stopped
	finished atomic.Int64 // statements that nobody cancelled
	mean     atomic.Int64 // duration of the statements that nobody means to cancel

	dials, cancelDials atomic.Int64
	open, most         atomic.Int64 // cancel requests at a time
	cancelAddress      string       // where cancel requests go, "" is the server
}

// connectMark is in the contexts of dials that make a connection of the pool.
type connectMark struct{}

// markedConnector marks the dials of new connections; the others are those of cancel requests.
type markedConnector struct{ *driver.Connector }

func (m markedConnector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	return m.Connector.Connect(context.WithValue(ctx, connectMark{}, true))
}

func newCancelSoak(t testing.TB, dsn string, cancelAddress string) *cancelSoak {
	t.Helper()
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s := &cancelSoak{cancelAddress: cancelAddress}
	s.mean.Store(int64(3 * time.Millisecond))
	cfg.CancelTimeout = 20 * time.Second // a busy machine is no unresponsive server
	cfg.Dial = s.dial
	cfg.AfterConnect = func(_ context.Context, c *driver.Conn) error {
		c.OnContextEnded(func() { s.cancels.Add(1) })
		return nil
	}
	s.db = sql.OpenDB(markedConnector{driver.NewConnector(cfg)})
	s.db.SetMaxOpenConns(soakWorkers)
	s.db.SetMaxIdleConns(soakWorkers)
	t.Cleanup(func() { s.db.Close() })
	return s
}

func (s *cancelSoak) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if ctx.Value(connectMark{}) != nil {
		s.dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	s.cancelDials.Add(1)
	if s.cancelAddress != "" {
		network, address = "tcp", s.cancelAddress
	}
	n := s.open.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		s.open.Add(-1)
		return nil, err
	}
	return &countedConn{TCPConn: conn.(*net.TCPConn), closed: sync.OnceFunc(func() { s.open.Add(-1) })}, nil
}

type countedConn struct {
	*net.TCPConn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.TCPConn.Close()
}

// work runs statements until enough were cancelled, and reports each that went wrong.
func (s *cancelSoak) work(t *testing.T, r *rand.Rand, enough int64) {
	for s.cancels.Load() < enough && !t.Failed() {
		kind := soakStatements[r.IntN(len(soakStatements))]
		n := s.number.Add(1)
		ctx, cancel := context.WithCancelCause(context.Background())
		seconds := r.Float64() * 0.006
		var timer *time.Timer
		if r.IntN(4) > 0 {
			if r.IntN(10) < 6 {
				seconds = 60 // only the cancel ends it
			}
			timer = time.AfterFunc(time.Duration(r.Int64N(2*s.mean.Load())), func() { cancel(errReason) })
		}
		start := time.Now()
		got, err := kind.run(ctx, s, n, seconds)
		ended := ctx.Err() != nil
		if timer != nil {
			timer.Stop()
		} else {
			s.noteDuration(time.Since(start))
		}
		cancel(nil)
		switch {
		case err == nil && got != n:
			t.Errorf("%s %d returned %d", kind.name, n, got)
		case err == nil && !ended:
			s.finished.Add(1)
		case err == nil:
		case !ended:
			t.Errorf("%s %d was not cancelled: %v", kind.name, n, err)
		case sqlState(err) == "57014":
			s.running.Add(1)
		case !errors.Is(err, context.Canceled):
			t.Errorf("%s %d: %v", kind.name, n, err)
		}
	}
}

// noteDuration moves the mean, so that cancels come about as often before the end of a statement as behind it, however slow the
// machine is.
func (s *cancelSoak) noteDuration(d time.Duration) {
	const weight = 32
	s.mean.Add((int64(d) - s.mean.Load()) / weight)
}

func (s *cancelSoak) pids(t *testing.T) map[int64]bool {
	t.Helper()
	pids := map[int64]bool{}
	var conns []*sql.Conn
	for range soakWorkers {
		conn := one(t, s.db)
		pids[backendPID(t, conn)] = true
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		conn.Close()
	}
	return pids
}

// soak cancels, and checks that nobody but the cancelled was hurt.
func (s *cancelSoak) soak(t *testing.T, cancels int) {
	before := s.pids(t)
	var workers sync.WaitGroup
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range soakWorkers {
		workers.Go(func() { s.work(t, rand.New(rand.NewPCG(seed, uint64(i))), int64(cancels)) })
	}
	workers.Wait()
	total, running := s.cancels.Load(), s.running.Load()
	late := total - running
	t.Logf("%d statements, %d of them undisturbed; %d cancels: %d hit a running statement, %d came after its end; %d requests, at most %d at a time",
		s.number.Load(), s.finished.Load(), total, running, late, s.cancelDials.Load(), s.most.Load())
	if running*100 < total*40 || late*100 < total*10 {
		t.Errorf("of %d cancels %d hit a running statement and %d came late: want at least 40 %% and 10 %%", total, running, late)
	}
	if most := s.most.Load(); most > 8 {
		t.Errorf("%d cancel requests at a time, want at most 8", most)
	}
	after := s.pids(t)
	for pid := range before {
		if !after[pid] {
			t.Errorf("the connection of backend %d was lost", pid)
		}
	}
	if len(after) != soakWorkers || s.dials.Load() != soakWorkers {
		t.Errorf("%d backends after %d dials, want %d", len(after), s.dials.Load(), soakWorkers)
	}
}

// TestSoakOfCancelling cancels at random: PYCOPG_SOAK_CANCELS statements, a thousand in ordinary test runs.
func TestSoakOfCancelling(t *testing.T) {
	t.Parallel()
	cancels := soakSize(t, soakCancels, 1000)
	in := privateServer(t, sqltest.StartOptions{TLS: true})
	plain := func(t *testing.T) (dsn, address string) {
		cfg, err := driver.ParseConfig(in.TCP("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(in.TCP("postgres"), "sslmode=verify-full", "sslmode=disable", 1),
			net.JoinHostPort(cfg.Hosts[0].Host, digits(cfg.Hosts[0].Port))
	}
	soak := func(name string, run func(t *testing.T) *cancelSoak) {
		t.Run(name, func(t *testing.T) {
			label := t.Name()
			pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("soak", label)))
			s := run(t)
			s.soak(t, cancels)
			s.db.Close()
			noGoroutines(t, label)
		})
	}
	soak("TCP", func(t *testing.T) *cancelSoak {
		dsn, _ := plain(t)
		return newCancelSoak(t, dsn, "")
	})
	soak("TLS", func(t *testing.T) *cancelSoak { return newCancelSoak(t, in.TCP("postgres"), "") })
	soak("delayed requests", func(t *testing.T) *cancelSoak {
		dsn, address := plain(t)
		f := sqltest.NewFault(t, "tcp", address)
		f.Latency(sqltest.Frontend, 3*time.Millisecond)
		f.Latency(sqltest.Backend, 3*time.Millisecond)
		return newCancelSoak(t, dsn, f.Addr().String())
	})
}

// noGoroutines waits until no goroutine of the driver or of pgx with the label is left.
func noGoroutines(t *testing.T, label string) {
	t.Helper()
	var left []string
	for range 500 {
		left = nil
		var all strings.Builder
		pprof.Lookup("goroutine").WriteTo(&all, 1)
		for _, stack := range strings.Split(all.String(), "\n\n") {
			if strings.Contains(stack, label) && !strings.Contains(stack, "tRunner") &&
				(strings.Contains(stack, "pycopg/driver.") || strings.Contains(stack, "jackc/pgx")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
		runtime.Gosched()
		<-time.After(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
}
