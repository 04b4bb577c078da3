package main

import (
	"fmt"
	"io"
	"time"
)

// transcript writes what a reader of the program's output sees.
type transcript struct {
	w     io.Writer
	steps int
}

// begin writes the heading of a step. The function it returns writes how long the step took.
func (t *transcript) begin(title string) (end func()) {
	t.steps++
	fmt.Fprintf(t.w, "\n%d. %s\n", t.steps, title)
	start := time.Now()
	return func() { t.line("done in %s", took(start)) }
}

// line writes one indented line.
func (t *transcript) line(format string, args ...any) {
	fmt.Fprintf(t.w, "   "+format+"\n", args...)
}

// took is the time since start, short enough to read.
func took(start time.Time) time.Duration {
	d := time.Since(start)
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
