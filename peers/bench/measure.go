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

// contestant is a peer that is ready to run a case: one program for each goroutine.
type contestant struct {
	name     string
	client   client
	programs []program
	series   series
}

func enter(ctx context.Context, p peer, where place, c benchCase) (*contestant, error) {
	cl, err := p.open(ctx, where, c.workers())
	if err != nil {
		return nil, err
	}
	t := &contestant{name: p.name, client: cl}
	for range c.workers() {
		run, err := cl.bind(c.op)
		if err != nil {
			cl.close()
			return nil, err
		}
		t.programs = append(t.programs, run)
	}
	if err := t.run(ctx, warmUps); err != nil {
		cl.close()
		return nil, err
	}
	return t, nil
}

// run runs the operation count times on each of its goroutines.
func (t *contestant) run(ctx context.Context, count int) error {
	if len(t.programs) == 1 {
		return repeat(ctx, t.programs[0], count)
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
	n := float64(count * len(t.programs))
	t.series.add(sample{
		wall:   float64(wall) / n / float64(time.Microsecond),
		cpu:    float64(cpu) / n / float64(time.Microsecond),
		allocs: float64(after.Mallocs-before.Mallocs) / n,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
	})
	return err
}
