package main

import (
	"context"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

// The statements are right: what no mock can tell.
func TestWorkerOnARealServer(t *testing.T) {
	t.Parallel()
	dsn := sqltest.DSN(t, sqltest.Options{})
	do := func(in string, args ...string) string {
		t.Helper()
		var out strings.Builder
		if err := run(t.Context(), dsn, args, strings.NewReader(in), &out); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return out.String()
	}
	do("", "init")
	if got := do("sku,amount\ntea,3\ntea,5\ncoffee,1\n", "deliver"); got != "3 lines\n" {
		t.Errorf("deliver: %q", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &firstLine{stop: stop}
	if err := run(ctx, dsn, []string{"serve"}, nil, out); err != nil {
		t.Fatal(err)
	}
	if got := out.text; got != "2 lines moved\n" {
		t.Errorf("serve: %q", got)
	}
	if got := do("", "order", "tea", "6"); got != "2 left\n" {
		t.Errorf("order: %q", got)
	}
	if err := run(t.Context(), dsn, []string{"order", "tea", "x"}, nil, out); err != errUsage {
		t.Errorf("error = %v", err)
	}
}

// firstLine is an output that ends the program when it has been written to.
type firstLine struct {
	text string
	stop func()
}

func (w *firstLine) Write(p []byte) (int, error) {
	w.text += string(p)
	w.stop()
	return len(p), nil
}
