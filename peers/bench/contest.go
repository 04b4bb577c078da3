package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// contest is a task that programs solve with helpers above a driver: this module's packages, and those of others.
type contest struct {
	name      string
	part      string
	rivals    []rival // the first is ours
	reference string  // the rival of the ratios
	floor     string  // the rival that does without a driver, "" where there is none
	prepare   string  // SQL ahead of the contest
	reset     string  // SQL ahead of each measurement
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

// contests are all contests: those of package ext without latency, and with a millisecond to a round trip.
func (s settings) contests() []contest {
	rows := func(name, query string, one bool, count, rounds int) contest {
		return contest{name: name, part: "ext", rivals: readers(query, one), reference: collectRows, count: count, rounds: rounds}
	}
	bulk := contest{name: "insert/10000", part: "ext", rivals: writers(), reference: copyFrom, count: 1, rounds: roughly}
	batch := contest{name: "pipeline/1000", part: "ext", rivals: pipelines(), reference: sendBatch, count: 1, rounds: roughly}
	pages := contest{name: "pages/10000", part: "ext", rivals: pagers(), reference: plainStream, count: few, rounds: roughly}
	return slices.Concat(
		withLatency(batch),
		withLatency(pages),
		withLatency(rows("query/1", oneCell, true, many, smallRounds)),
		withLatency(rows("query/10000", allCells, false, few, roughly)),
		withLatency(bulk),
		typeContests(),
		[]contest{copyIns(s.part(100_000)), copyOuts(s.part(1_000_000))})
}

// withLatency is a contest on the server itself, and one through a proxy that adds a millisecond to a round trip.
func withLatency(c contest) []contest {
	d := c
	c.name += "/0ms"
	d.name += "/1ms"
	d.latency = time.Millisecond
	d.count, d.rounds = min(d.count, some), delayed
	return []contest{c, d}
}

// printContests runs the contests that s selects, and prints each when it is done.
func printContests(ctx context.Context, w io.Writer, srv *server, s settings) error {
	for _, c := range s.contests() {
		if !s.parts.MatchString(c.part) || !s.run.MatchString(c.name) {
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
	fmt.Fprintf(w, "  %-26s %12s %12s %9s %9s %9s %11s %12s\n", "", "wall µs", "CPU µs", "wall ×", "CPU ×", "above ×", "allocs", "bytes")
	base := newFigures(got, c.reference)
	for _, r := range c.rivals {
		f := newFigures(got, r.name)
		above := "-"
		if c.floor != "" {
			least := got[c.floor].cpu
			above = fmt.Sprintf("%.2f", ratio(medianExcess(got[r.name].cpu, least), medianExcess(got[c.reference].cpu, least)))
		}
		fmt.Fprintf(w, "  %-26s %12.1f %12.1f %9.2f %9.2f %9s %11.1f %12.0f\n", r.name, f.wall, f.cpu,
			ratio(f.wall, base.wall), ratio(f.cpu, base.cpu), above, f.allocs, f.bytes)
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
	if err := srv.exec(ctx, c.prepare); err != nil {
		return nil, err
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
			if err := srv.exec(ctx, c.reset); err != nil {
				return nil, err
			}
			if err := t.measure(ctx, orDefault(s.count, c.count)); err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			got[t.name] = &t.series
		}
	}
	return got, nil
}
