package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// contest is a task that programs solve with helpers above a driver: this module's package ext, and those of others.
type contest struct {
	name      string
	rivals    []rival // the first is ours
	reference string  // the rival of the ratios
	latency   time.Duration
	count     int // tasks in a round
	rounds    int
}

// rival is a way to solve the task of a contest.
type rival struct {
	name string
	open func(ctx context.Context, where place) (solution, error)
}

// solution is a rival that is ready.
type solution struct {
	run   program
	close func()
}

// contests are all contests, without latency and with a millisecond to a round trip.
func contests() []contest {
	rows := func(name, query string, one bool, count, rounds int) contest {
		return contest{name: name, rivals: readers(query, one), reference: collectRows, count: count, rounds: rounds}
	}
	bulk := contest{name: "insert/10000", rivals: writers(), reference: copyFrom, count: 1, rounds: roughly}
	return append(append(append(
		withLatency(rows("query/1", oneCell, true, many, smallRounds)),
		withLatency(rows("query/10000", allCells, false, few, smallRounds))...),
		withLatency(bulk)...),
		typeContests()...)
}

// withLatency is a contest on the server itself, and one through a proxy that adds a millisecond to a round trip.
func withLatency(c contest) []contest {
	d := c
	c.name += "/0ms"
	d.name += "/1ms"
	d.latency = time.Millisecond
	d.count, d.rounds = min(d.count, some), roughly
	return []contest{c, d}
}

// printContests runs the contests that s selects, and prints each when it is done.
func printContests(ctx context.Context, w io.Writer, srv *server, s settings) error {
	for _, c := range contests() {
		if !s.run.MatchString(c.name) {
			continue
		}
		if err := printContest(ctx, w, srv, c, s); err != nil {
			return fmt.Errorf("contest %s: %w", c.name, err)
		}
	}
	return nil
}

// printContest prints the medians of a contest: a line for each rival.
func printContest(ctx context.Context, w io.Writer, srv *server, c contest, s settings) error {
	got, err := runContest(ctx, srv, c, s)
	if err != nil {
		return err
	}
	conditions := fmt.Sprintf("%d rounds of %d", orDefault(s.rounds, c.rounds), orDefault(s.count, c.count))
	if c.latency > 0 {
		conditions += "; CPU and allocations include the proxy's"
	}
	fmt.Fprintf(w, "\n%s  (%s)\n", c.name, conditions)
	fmt.Fprintf(w, "  %-26s %12s %12s %9s %9s %11s %12s\n", "", "wall µs", "CPU µs", "wall ×", "CPU ×", "allocs", "bytes")
	base := newFigures(got, c.reference)
	for _, r := range c.rivals {
		f := newFigures(got, r.name)
		fmt.Fprintf(w, "  %-26s %12.1f %12.1f %9.2f %9.2f %11.1f %12.0f\n", r.name, f.wall, f.cpu,
			ratio(f.wall, base.wall), ratio(f.cpu, base.cpu), f.allocs, f.bytes)
	}
	return nil
}

// runContest runs the rounds of a contest. In each every rival has its turn, in an order that moves on.
func runContest(ctx context.Context, srv *server, c contest, s settings) (costs, error) {
	addr := srv.addr
	if c.latency > 0 {
		p, err := newProxy(srv.addr, c.latency)
		if err != nil {
			return nil, err
		}
		defer p.close()
		addr = p.addr()
	}
	field := make([]*contestant, len(c.rivals))
	for i, r := range c.rivals {
		ready, err := r.open(ctx, at(addr))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		defer ready.close()
		field[i] = &contestant{name: r.name, programs: []program{ready.run}}
		if err := field[i].run(ctx, orDefault(s.count, min(c.count, warmUps))); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	got := make(costs)
	for round := range orDefault(s.rounds, c.rounds) {
		for i := range field {
			t := field[(i+round)%len(field)]
			if err := t.measure(ctx, orDefault(s.count, c.count)); err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			got[t.name] = &t.series
		}
	}
	return got, nil
}
