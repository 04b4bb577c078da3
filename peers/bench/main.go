// Bench prints what this driver costs beside its peers: pgx/stdlib, pgx without database/sql, lib/pq, bun's pgdriver, and the
// floor, which is this driver's own bytes on a bare socket. All run in one process against one private server, in turns;
// the figures are medians.
//
//	go run ./bench                     everything, in a few minutes
//	go run ./bench -run 'select|scan'  some of the cases
//
// The parts are: round trips for each operation, cost of each case (wall time, client CPU, allocations), package ext
// beside helpers for other drivers, COPY in and out, the load of a CSV file beside psql (PYCOPG_BENCH_CSV_MB is its size),
// notifications, heap of idle connections, and the budgets that this driver keeps. On a machine that does other things as
// well, hold the process and its server on one processor (taskset -c 0): which processor a backend wakes up on weighs more
// than any driver.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/pprof"
	"time"
)

// settings are what the command line says.
type settings struct {
	run    *regexp.Regexp // of the cases
	peers  *regexp.Regexp
	parts  *regexp.Regexp
	rounds int // of each case, 0: as many as the case asks for
	count  int // operations in a round, 0: as many as the case asks for

	conns  int   // idle connections to weigh
	divide int64 // of the rows of the large contests, only so many: a hundredth, say

	profile string // file for a CPU profile, "": none
}

func main() {
	if dsn := os.Getenv(loadDSN); dsn != "" { // the process of a load
		loadFile(dsn, os.Getenv(loadCSV))
		return
	}
	s, err := parseFlags(os.Args[1:])
	if err != nil {
		os.Exit(2) // the flag set has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = profiled(s.profile, func() error { return bench(ctx, os.Stdout, s) })
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled runs do with a CPU profile written to the file.
func profiled(file string, do func() error) error {
	if file == "" {
		return do()
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return do()
}

// part is how many rows a contest has that has n.
func (s settings) part(n int64) int64 { return n / max(s.divide, 1) }

func parseFlags(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	run := flags.String("run", "", "regular expression: the cases to run")
	peers := flags.String("peers", "", "regular expression: the peers to run, beside the floor")
	parts := flags.String("parts", "", "regular expression: the parts to run (trips, cost, ext, copy, load, listen, heap)")
	flags.IntVar(&s.rounds, "rounds", 0, "rounds of each case (0: as the case says)")
	flags.IntVar(&s.count, "count", 0, "operations in a round (0: as the case says)")
	flags.IntVar(&s.conns, "conns", 200, "idle connections whose heap is measured")
	flags.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile of the whole run to this `file`")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	for _, p := range []struct {
		to   **regexp.Regexp
		text string
	}{{&s.run, *run}, {&s.peers, *peers}, {&s.parts, *parts}} {
		var err error
		if *p.to, err = regexp.Compile(p.text); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			return s, err
		}
	}
	return s, nil
}

// bench runs what s selects and prints it to w.
func bench(ctx context.Context, w io.Writer, s settings) error {
	srv, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer srv.Close()
	fmt.Fprintf(w, "%s · %s %s/%s · %d CPUs · PostgreSQL %d\n", time.Now().Format(time.DateOnly),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), srv.major)
	begun := time.Now()
	if s.parts.MatchString("trips") {
		if err := printTrips(ctx, w, srv, s); err != nil {
			return fmt.Errorf("round trips: %w", err)
		}
	}
	if s.parts.MatchString("cost") {
		if err := printCosts(ctx, w, srv, s); err != nil {
			return err
		}
	}
	if err := printContests(ctx, w, srv, s); err != nil {
		return err
	}
	if s.parts.MatchString("load") {
		if err := printLoads(ctx, w, srv, s); err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	if s.parts.MatchString("listen") {
		if err := printListens(ctx, w, srv, s); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if s.parts.MatchString("heap") {
		if err := printHeap(ctx, w, srv, s); err != nil {
			return fmt.Errorf("heap: %w", err)
		}
	}
	fmt.Fprintf(w, "\n%s in all\n", time.Since(begun).Round(time.Second))
	return nil
}
