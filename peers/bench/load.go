package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pycopg/pycopg/copyin"
)

// csvSize is the environment's size of the CSV file that is loaded, in MB; smallCSV is the size without it.
const (
	csvSize  = "PYCOPG_BENCH_CSV_MB"
	smallCSV = 8
)

// The environment of a process that loads: its memory is measured apart.
const (
	loadDSN = "PYCOPG_BENCH_LOAD_DSN"
	loadCSV = "PYCOPG_BENCH_LOAD_CSV"
)

const loadTable = "drop table if exists load; create table load (id int8, at timestamptz, device text, value float8, note text)"

// loadFile is what the process of a load does.
func loadFile(dsn, file string) {
	db, err := sql.Open("pycopg", dsn)
	if err == nil {
		_, err = copyin.Load(context.Background(), db, "load", copyin.CSVFiles(copyin.CSVOptions{}, file), copyin.LoadOptions{Workers: 2})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// loadRival is a program that loads the file.
type loadRival struct {
	name string
	args []string
	env  []string
	wall, cpu,
	memory []float64
}

// printLoads loads a CSV file with copyin.Load and with psql, each in a process of its own.
func printLoads(ctx context.Context, w io.Writer, srv *server, s settings) error {
	size, err := strconv.Atoi(cmp.Or(os.Getenv(csvSize), strconv.Itoa(smallCSV)))
	if err != nil || size <= 0 {
		return fmt.Errorf("%s is %q, no number of MB", csvSize, os.Getenv(csvSize))
	}
	dir, err := os.MkdirTemp("", "pycopg-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "load.csv")
	rows, err := writeCSV(file, int64(size)*1e6)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	rivals := []*loadRival{{name: "pycopg copyin.Load", args: []string{self}, env: []string{loadDSN + "=" + dsn(srv.addr), loadCSV + "=" + file}}}
	if psql, err := exec.LookPath("psql"); err == nil {
		rivals = append(rivals, &loadRival{name: `psql \copy`, args: []string{psql, "-q", "-X", dsn(srv.addr), "-c", `\copy load from '` + file + `' (format csv, header)`}})
	} else {
		fmt.Fprintln(w, "\nload: there is no psql to compare with")
	}
	rounds := orDefault(s.rounds, 3)
	for range rounds {
		for _, r := range rivals {
			if err := r.run(ctx, srv, rows); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	fmt.Fprintf(w, "\nload of a CSV file of %d MB, %d rows  (%d rounds)\n  %-26s %12s %12s %12s %12s\n", size, rows, rounds, "", "wall s", "CPU s", "memory MB", "MB/s")
	for _, r := range rivals {
		wall := median(r.wall)
		fmt.Fprintf(w, "  %-26s %12.2f %12.2f %12.1f %12.1f\n", r.name, wall, median(r.cpu), median(r.memory), float64(size)/wall)
	}
	return nil
}

// run runs the program once, and checks what it has loaded.
func (r *loadRival) run(ctx context.Context, srv *server, rows int64) error {
	if err := srv.exec(ctx, loadTable); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, r.args[0], r.args[1:]...)
	cmd.Env = append(os.Environ(), r.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	peak := followMemory(cmd.Process.Pid)
	err := cmd.Wait()
	memory := peak()
	if err != nil {
		return fmt.Errorf("%w: %s", err, &out)
	}
	r.wall = append(r.wall, time.Since(begun).Seconds())
	r.cpu = append(r.cpu, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	r.memory = append(r.memory, float64(memory)/1e6)
	db, err := sql.Open("pycopg", dsn(srv.addr))
	if err != nil {
		return err
	}
	defer db.Close()
	var loaded int64
	if err := db.QueryRowContext(ctx, "select count(*) from load").Scan(&loaded); err != nil {
		return err
	}
	if loaded != rows {
		return fmt.Errorf("%d rows are loaded, want %d", loaded, rows)
	}
	return nil
}

// writeCSV writes readings of about so many bytes, and returns their number.
func writeCSV(name string, size int64) (rows int64, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	written, err := fmt.Fprintln(w, "id,at,device,value,note")
	first := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for total := int64(written); err == nil && total < size; rows++ {
		at := first.Add(time.Duration(rows) * time.Second)
		written, err = fmt.Fprintf(w, "%d,%s,device-%d,%.4f,\"note %d, \"\"quoted\"\"\"\n", rows, at.Format(time.DateTime+"Z07"), rows%5000, float64(rows)*0.37, rows%97)
		total += int64(written)
	}
	if err != nil {
		return 0, err
	}
	return rows, w.Flush()
}
