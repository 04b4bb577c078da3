package main

import (
	"fmt"
	"io"
	"strings"
)

// printCase prints the medians of a case: a line for each peer. The ratios are to pgx/stdlib: of the whole client CPU, and of
// what is above the floor.
func printCase(w io.Writer, c benchCase, count int, got costs) {
	conditions := []string{fmt.Sprintf("%d rounds of %d", len(got[floor].wall), count*c.workers())}
	if c.alone {
		conditions = append(conditions, "recorded answers in memory")
	}
	if c.cancelable {
		conditions = append(conditions, "cancelable context, GOMAXPROCS=1")
	}
	if c.proxied {
		conditions = append(conditions, "CPU and allocations include the proxy's")
	}
	fmt.Fprintf(w, "\n%s  (%s)\n", c.name, strings.Join(conditions, "; "))
	fmt.Fprintf(w, "  %-11s %12s %12s %12s %9s %9s %9s %11s %12s\n",
		"", "wall µs", "CPU µs", "above floor", "wall ×", "CPU ×", "above ×", "allocs", "bytes")
	base := newFigures(got, reference)
	for _, name := range append([]string{floor, bound}, peerNames()...) {
		if got[name] == nil {
			continue
		}
		f := newFigures(got, name)
		fmt.Fprintf(w, "  %-11s %12.1f %12.1f %12.1f %9.2f %9.2f %9.2f %11.1f %12.0f\n", name, f.wall, f.cpu, f.above,
			ratio(f.wall, base.wall), ratio(f.cpu, base.cpu), ratio(f.above, base.above), f.allocs, f.bytes)
	}
}

// figures are the medians of one peer in one case.
type figures struct{ wall, cpu, above, allocs, bytes float64 }

func newFigures(got costs, name string) figures {
	s := got[name]
	if s == nil {
		return figures{}
	}
	f := figures{wall: median(s.wall), cpu: median(s.cpu), allocs: median(s.allocs), bytes: median(s.bytes)}
	if got[floor] != nil {
		f.above = medianExcess(s.cpu, got[floor].cpu)
	}
	return f
}

func peerNames() []string {
	names := make([]string, len(peers))
	for i, p := range peers {
		names[i] = p.name
	}
	return names
}
