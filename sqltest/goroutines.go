package sqltest

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync/atomic"
)

// labelKey is the profiler label that goroutines inherit from the test that started them.
const labelKey = "sqltest"

var labels atomic.Int64

// labelGoroutine labels the calling goroutine, and all that it starts, with a name that occurs once.
func labelGoroutine(test string) string {
	label := fmt.Sprintf("%s#%d", test, labels.Add(1))
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelKey, label)))
	return label
}

// unlabelled is fn without a label, for goroutines of this package's own, which live until the cleanup of the test: Check runs before.
func unlabelled(fn func()) func() {
	return func() {
		pprof.SetGoroutineLabels(context.Background())
		fn()
	}
}

// watchedCode matches a line of a stack that is in code whose goroutines Check reports: this module's
// packages, but not their tests, and pgx.
var watchedCode = regexp.MustCompile(`\sgithub\.com/(pycopg/pycopg|jackc/pgx/v5)(/[a-z0-9]+)*\.`)

// labelledGoroutines returns the stacks of the goroutines with this label that are in watched code.
// The test's own goroutine is not one of them.
func labelledGoroutines(label string) []string {
	var profile bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&profile, 1) //nolint:errcheck // a buffer does not fail
	want := fmt.Sprintf("%q:%q", labelKey, label)
	var stacks []string
	for _, stack := range strings.Split(profile.String(), "\n\n") {
		if strings.Contains(stack, want) && watchedCode.MatchString(stack) && !strings.Contains(stack, "testing.tRunner") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
