package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// sample is what an operation has cost in one round, on average.
type sample struct {
	wall, cpu     float64 // microseconds
	allocs, bytes float64
}

// series is the samples of one peer, one for each round.
type series struct{ wall, cpu, allocs, bytes []float64 }

func (s *series) add(x sample) {
	s.wall = append(s.wall, x.wall)
	s.cpu = append(s.cpu, x.cpu)
	s.allocs = append(s.allocs, x.allocs)
	s.bytes = append(s.bytes, x.bytes)
}

// contestant is a peer that is ready to run a case: one program for each goroutine, or one for each turn.
type contestant struct {
	name     string
	clients  []client
	programs []program
	together bool // the programs run at the same time
	turn     int  // the program of the next round otherwise
	series   series
}

// turns is on how many connections the statements of one goroutine run by turns: where the kernel has put the process of a
// connection's server, and how it wakes the two, weighs more than a driver, and stays as it is for long.
const turns = 8

// enter opens a peer for a case, and runs it some times.
func enter(ctx context.Context, p peer, where place, c benchCase, warmUps int) (*contestant, error) {
	t := &contestant{name: p.name, together: c.parallel > 1}
	opened, conns := 1, c.workers()
	if c.parallel == 0 && !c.alone && !c.proxied {
		opened = turns
	}
	for range opened {
		cl, err := p.open(ctx, where, conns)
		if err != nil {
			t.close()
			return nil, err
		}
		t.clients = append(t.clients, cl)
		for range conns {
			run, err := cl.bind(c.op)
			if err != nil {
				t.close()
				return nil, err
			}
			t.programs = append(t.programs, run)
		}
	}
	for t.turn = range opened {
		if err := t.run(ctx, warmUps); err != nil {
			t.close()
			return nil, err
		}
	}
	return t, nil
}

func (t *contestant) close() {
	for _, cl := range t.clients {
		cl.close()
	}
}

// run runs the operation count times: on each of its goroutines, or on the program whose turn it is.
func (t *contestant) run(ctx context.Context, count int) error {
	if !t.together {
		return repeat(ctx, t.programs[t.turn%len(t.programs)], count)
	}
	var running sync.WaitGroup
	errs := make([]error, len(t.programs))
	for i, p := range t.programs {
		running.Go(func() { errs[i] = repeat(ctx, p, count) })
	}
	running.Wait()
	return errors.Join(errs...)
}

func repeat(ctx context.Context, p program, count int) error {
	for range count {
		if err := p(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measure runs one round. What the last round has left behind is swept up before.
func (t *contestant) measure(ctx context.Context, count int) error {
	if err := t.run(ctx, 1); err != nil { // a pool that has idled looks at its connections
		return err
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begun := cpuTime(), time.Now()
	err := t.run(ctx, count)
	wall := time.Since(begun)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	n := float64(count)
	if t.together {
		n *= float64(len(t.programs))
	}
	t.turn++
	t.series.add(sample{
		wall:   float64(wall) / n / float64(time.Microsecond),
		cpu:    float64(cpu) / n / float64(time.Microsecond),
		allocs: float64(after.Mallocs-before.Mallocs) / n,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
	})
	return err
}
