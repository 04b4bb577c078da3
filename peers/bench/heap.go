package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// heapLimit is the budget of an idle connection in KiB.
const heapLimit = 25

// printHeap prints what an idle connection of each peer keeps, once it has run a statement often enough to prepare it.
func printHeap(ctx context.Context, w io.Writer, srv *server, s settings) error {
	fmt.Fprintf(w, "\nheap of an idle connection, of %d (KiB)\n", s.conns)
	for _, p := range s.selected()[1:] {
		weight, err := weigh(ctx, p, srv.addr, s.conns)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		verdict := ""
		if p.name == ours {
			verdict = fmt.Sprintf("   budget %d: kept", heapLimit)
			if weight > heapLimit {
				verdict = fmt.Sprintf("   budget %d: MISSED", heapLimit)
			}
		}
		fmt.Fprintf(w, "  %-11s %8.1f%s\n", p.name, weight, verdict)
	}
	return nil
}

// weigh is the heap that one of n connections keeps, in KiB.
func weigh(ctx context.Context, p peer, addr string, n int) (float64, error) {
	before := liveHeap()
	c, err := p.open(ctx, at(addr), n)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if err := occupy(ctx, c, n); err != nil {
		return 0, err
	}
	weight := float64(liveHeap()) - float64(before)
	runtime.KeepAlive(c)
	return weight / float64(n) / 1024, nil
}

// occupy has n goroutines run statements at the same time, so that n connections are opened and used.
func occupy(ctx context.Context, c client, n int) error {
	pause := pointSelect
	pause.sql = "select id, name from item, pg_sleep(0.3) where id = $1"
	var running sync.WaitGroup
	errs := make(chan error, n)
	for range n {
		running.Go(func() { errs <- occupyOne(ctx, c, pause) })
	}
	running.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func occupyOne(ctx context.Context, c client, pause op) error {
	hold, err := c.bind(pause)
	if err != nil {
		return err
	}
	run, err := c.bind(pointSelect)
	if err != nil {
		return err
	}
	if err := hold(ctx); err != nil {
		return err
	}
	return repeat(ctx, run, warmUps)
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers had held
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
