package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// ear is a way to receive notifications. It serves one goroutine.
type ear interface {
	// listen listens to channels.
	listen(ctx context.Context, channels []string) error
	// next waits for a notification of any of them.
	next(ctx context.Context) (payload string, err error)
	close()
}

// hearer is a peer of the part listen.
type hearer struct {
	name string
	open func(ctx context.Context, addr string) (ear, error)
}

var hearers = []hearer{
	{"pycopg Listener", hearListener},
	{"pycopg Notifications", hearNotifications},
	{"pycopg pqcompat", hearCompat},
	{"pgx WaitForNotification", hearPgx},
	{"lib/pq Listener", hearPq},
	{"bun Listener", hearBun},
}

// What the part listen does: notifications one by one, of which each is received before the next is sent; many in one
// transaction; and channels whose heap is weighed.
const (
	oneByOne       = 3000
	atOnce         = 50_000
	weighedChannel = 1000
)

// heard is what a hearer has cost.
type heard struct {
	latency   []float64 // µs of each of those one by one
	perSecond float64
	cpu       float64 // µs of each of those at once
	heap      float64 // KiB of each channel
}

// printListens prints how the peers receive notifications.
func printListens(ctx context.Context, w io.Writer, srv *server, s settings) error {
	fmt.Fprintf(w, "\nnotifications: %d one by one, %d at once; heap of %d channels each\n", s.part(oneByOne), s.part(atOnce), s.part(weighedChannel))
	fmt.Fprintf(w, "  %-26s %12s %12s %12s %12s %12s\n", "", "p50 µs", "p99 µs", "per second", "CPU µs", "KiB/channel")
	for _, h := range hearers {
		if !s.run.MatchString(h.name) {
			continue
		}
		got, err := h.measure(ctx, srv, s)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		fmt.Fprintf(w, "  %-26s %12.1f %12.1f %12.0f %12.2f %12.2f\n", h.name, percentile(got.latency, 50), percentile(got.latency, 99), got.perSecond, got.cpu, got.heap)
	}
	return nil
}

// percentile is the value that so many per cent of the values do not exceed.
func percentile(values []float64, percent int) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)*percent/100]
}

func (h hearer) measure(ctx context.Context, srv *server, s settings) (heard, error) {
	var got heard
	sender, err := pgx.Connect(ctx, dsn(srv.addr))
	if err != nil {
		return got, err
	}
	defer sender.Close(ctx)
	if got.heap, err = h.weigh(ctx, srv.addr, int(s.part(weighedChannel))); err != nil {
		return got, err
	}
	e, err := h.open(ctx, srv.addr)
	if err != nil {
		return got, err
	}
	defer e.close()
	if err := e.listen(ctx, []string{"bench"}); err != nil {
		return got, err
	}
	if got.latency, err = latencies(ctx, sender, e, int(s.part(oneByOne))); err != nil {
		return got, err
	}
	got.perSecond, got.cpu, err = throughput(ctx, sender, e, int(s.part(atOnce)))
	return got, err
}

// weigh is the heap that a channel takes, in KiB.
func (h hearer) weigh(ctx context.Context, addr string, n int) (float64, error) {
	e, err := h.open(ctx, addr)
	if err != nil {
		return 0, err
	}
	defer e.close()
	if err := e.listen(ctx, []string{"first"}); err != nil {
		return 0, err
	}
	channels := make([]string, n)
	for i := range channels {
		channels[i] = "channel " + strconv.Itoa(i)
	}
	before := liveHeap()
	if err := e.listen(ctx, channels); err != nil {
		return 0, err
	}
	weight := float64(liveHeap()) - float64(before)
	runtime.KeepAlive(e)
	runtime.KeepAlive(channels)
	return weight / float64(n) / 1024, nil
}

// latencies are the microseconds from before the NOTIFY is sent until it is received.
func latencies(ctx context.Context, sender *pgx.Conn, e ear, n int) ([]float64, error) {
	times := make([]float64, 0, n)
	for i := range n {
		payload := strconv.Itoa(i)
		begun := time.Now()
		if _, err := sender.Exec(ctx, "select pg_notify('bench', $1)", payload); err != nil {
			return nil, err
		}
		if err := expect(ctx, e, payload); err != nil {
			return nil, err
		}
		times = append(times, float64(time.Since(begun))/float64(time.Microsecond))
	}
	return times, nil
}

// throughput is how many notifications of one transaction are received in a second, and the CPU time of each in microseconds.
func throughput(ctx context.Context, sender *pgx.Conn, e ear, n int) (perSecond, cpu float64, err error) {
	begun, used := time.Now(), cpuTime()
	if _, err := sender.Exec(ctx, "select pg_notify('bench', i::text) from generate_series(1, $1) i", n); err != nil {
		return 0, 0, err
	}
	for i := range n {
		if err := expect(ctx, e, strconv.Itoa(i+1)); err != nil {
			return 0, 0, err
		}
		if i == 0 { // the transaction is over
			begun, used = time.Now(), cpuTime()
		}
	}
	took, used := time.Since(begun), cpuTime()-used
	return float64(n) / took.Seconds(), float64(used) / float64(n) / float64(time.Microsecond), nil
}

func expect(ctx context.Context, e ear, payload string) error {
	got, err := e.next(ctx)
	if err == nil && got != payload {
		err = fmt.Errorf("got %q, want %q", got, payload)
	}
	return err
}
