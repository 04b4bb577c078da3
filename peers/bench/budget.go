package main

import (
	"fmt"
	"go/version"
	"io"
	"runtime"
)

// budget is a limit that this driver keeps in a case.
type budget struct {
	text  string
	limit float64
	value func(all map[string]costs) (value float64, ok bool)
}

// printBudgets prints how the budgets are kept of which the cases have run.
func printBudgets(w io.Writer, all map[string]costs) {
	fmt.Fprintf(w, "\nbudgets\n")
	for _, b := range append(budgets(version.Compare(runtime.Version(), "go1.27") >= 0), notSlower()...) {
		value, ok := b.value(all)
		if !ok {
			continue
		}
		verdict := "kept"
		if value > b.limit {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "  %-58s %8.2f of %6.2f  %s\n", b.text, value, b.limit, verdict)
	}
}

// budgets are the limits under Go 1.27, where rows are scanned without boxing, and under Go 1.26.
func budgets(go127 bool) []budget {
	var all []budget
	allocs := 13.0
	if go127 {
		allocs = 10
	}
	for _, name := range []string{"select", "insert"} {
		all = append(all,
			aboveFloor(name, 0.35), aboveFloor(name+"/pair", 0.35), allocations(name, allocs),
			aboveFloor(name+"/cancelable", 0.85), allocations(name+"/cancelable", 18))
	}
	for _, scan := range []string{"scan/mixed", "scan/plain"} {
		if go127 {
			all = append(all, wholeCPU(scan, native, 0.80), wholeCPU(scan, reference, 0.36), allocationRatio(scan, 0.15))
		} else {
			all = append(all, wholeCPU(scan, reference, 0.75), allocationRatio(scan, 0.20))
		}
	}
	return all
}

// notSlower are the budgets of every case: no more wall time and CPU time than pgx/stdlib, but for the noise.
func notSlower() []budget {
	const noise = 1.03
	var all []budget
	for _, c := range cases {
		all = append(all, compared(c.name+": wall time / pgx/stdlib", c.name, reference, noise, func(f figures) float64 { return f.wall }))
		if !c.proxied {
			all = append(all, wholeCPU(c.name, reference, noise))
		}
	}
	return all
}

func aboveFloor(name string, limit float64) budget {
	return compared(name+": CPU above the floor / pgx/stdlib", name, reference, limit, func(f figures) float64 { return f.above })
}

func wholeCPU(name, peer string, limit float64) budget {
	return compared(name+": CPU / "+peer, name, peer, limit, func(f figures) float64 { return f.cpu })
}

func allocationRatio(name string, limit float64) budget {
	return compared(name+": allocations / pgx/stdlib", name, reference, limit, func(f figures) float64 { return f.allocs })
}

func compared(text, name, peer string, limit float64, of func(figures) float64) budget {
	return budget{text, limit, func(all map[string]costs) (float64, bool) {
		got := all[name]
		if got[ours] == nil || got[peer] == nil {
			return 0, false
		}
		return ratio(of(newFigures(got, ours)), of(newFigures(got, peer))), true
	}}
}

func allocations(name string, limit float64) budget {
	return budget{name + ": allocations", limit, func(all map[string]costs) (float64, bool) {
		got := all[name]
		return newFigures(got, ours).allocs, got[ours] != nil
	}}
}
