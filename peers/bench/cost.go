package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
)

// costs are the series of a case, by the name of the peer.
type costs map[string]*series

// printCosts runs the cases that s selects, prints each when it is done, and then how the budgets are kept.
func printCosts(ctx context.Context, w io.Writer, srv *server, s settings) error {
	all := make(map[string]costs)
	for _, c := range cases {
		if !s.run.MatchString(c.name) {
			continue
		}
		got, err := runCase(ctx, srv, c, s)
		if err != nil {
			return fmt.Errorf("case %s: %w", c.name, err)
		}
		all[c.name] = got
		printCase(w, c, orDefault(s.count, c.count), got)
	}
	printBudgets(w, all)
	return nil
}

// runCase runs the rounds of a case. In each round every peer has its turn, in an order that moves on from round to round.
func runCase(ctx context.Context, srv *server, c benchCase, s settings) (costs, error) {
	addr := srv.addr
	if c.proxied {
		p, err := newProxy(srv.addr, c.latency)
		if err != nil {
			return nil, err
		}
		defer p.close()
		addr = p.addr()
	}
	conditions := context.Background() // of the case: ctx ends the run between two rounds
	if c.cancelable {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		var cancel context.CancelFunc
		conditions, cancel = context.WithCancel(conditions)
		defer cancel()
	}
	var field []*contestant
	for _, p := range s.field(c) {
		where := at(addr)
		if c.alone {
			said, err := record(ctx, p.recorded(), addr, c.op)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			where = inMemory(addr, said)
		}
		t, err := enter(conditions, p, where, c, orDefault(s.count, warmUps))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		defer t.close()
		field = append(field, t)
	}
	for round := range orDefault(s.rounds, c.rounds) {
		for i := range field {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			t := field[(i+round)%len(field)]
			if err := t.measure(conditions, orDefault(s.count, c.count)); err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	got := make(costs)
	for _, t := range field {
		got[t.name] = &t.series
	}
	return got, nil
}

// field is who runs a case: the floors, and the peers.
func (s settings) field(c benchCase) []peer {
	field := s.selected()
	if c.pair {
		field = slices.DeleteFunc(field, func(p peer) bool { return p.name != floor && p.name != ours && p.name != reference })
	}
	if hasBound(c.op) {
		field = append(field, peer{bound, openBound})
	}
	return field
}

// selected are the peers to run: the floor is always one of them.
func (s settings) selected() []peer {
	field := []peer{{floor, openFloor}}
	for _, p := range peers {
		if s.peers.MatchString(p.name) {
			field = append(field, p)
		}
	}
	return field
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}
