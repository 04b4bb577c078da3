package main

import (
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestMain is the process of a load too.
func TestMain(m *testing.M) {
	if dsn := os.Getenv(loadDSN); dsn != "" {
		loadFile(dsn, os.Getenv(loadCSV))
		return
	}
	os.Exit(m.Run())
}

// everything selects all parts with the smallest rounds, so that each case runs and none can rot.
func everything() settings {
	all := regexp.MustCompile("")
	return settings{run: all, peers: all, parts: all, rounds: 1, count: 1, conns: 4, divide: 100}
}

func TestBenchRunsEveryCaseAndPeer(t *testing.T) {
	var out strings.Builder
	s := everything()
	if err := bench(t.Context(), &out, s); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, c := range cases {
		_, table, found := strings.Cut(out.String(), "\n"+c.name+"  (")
		if !found {
			t.Errorf("the output has no case %s", c.name)
			continue
		}
		table, _, _ = strings.Cut(table, "\n\n")
		field := s.field(c)
		if !c.pair && len(field) <= len(peers) {
			t.Errorf("case %s has a field of %d", c.name, len(field))
		}
		for _, p := range field {
			if !strings.Contains(table, "\n  "+p.name+" ") {
				t.Errorf("case %s has no line for %s", c.name, p.name)
			}
		}
	}
	if !strings.Contains(out.String(), "\n  pycopg copyin.Load ") {
		t.Error("no line for the load of a file")
	}
	for _, h := range hearers {
		if !strings.Contains(out.String(), "\n  "+h.name+" ") {
			t.Errorf("no line for %s", h.name)
		}
	}
}

func TestBenchLeavesGOMAXPROCSAlone(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	s := everything()
	s.run, s.parts = regexp.MustCompile("^select/cancelable$"), regexp.MustCompile("^cost$")
	s.peers = regexp.MustCompile("^pycopg$")
	var out strings.Builder
	if err := bench(t.Context(), &out, s); err != nil {
		t.Fatal(err)
	}
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("GOMAXPROCS = %d afterwards, was %d", after, before)
	}
	if strings.Contains(out.String(), "lib/pq") {
		t.Errorf("a peer ran that was not selected:\n%s", out.String())
	}
}

func TestParseFlagsRefusesABadExpression(t *testing.T) {
	t.Parallel()
	if _, err := parseFlags([]string{"-run", "("}); err == nil {
		t.Error("no error for -run '('")
	}
}
