package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestBenchRunsEveryContest(t *testing.T) {
	s := everything()
	s.parts = regexp.MustCompile("^(ext|copy)$")
	var out strings.Builder
	if err := bench(t.Context(), &out, s); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, c := range s.contests() {
		_, table, found := strings.Cut(out.String(), "\n"+c.name+"  (")
		if !found {
			t.Errorf("the output has no contest %s", c.name)
			continue
		}
		table, _, _ = strings.Cut(table, "\n\n")
		for _, r := range c.rivals {
			if !strings.Contains(table, "\n  "+r.name+" ") {
				t.Errorf("contest %s has no line for %s", c.name, r.name)
			}
		}
	}
}
