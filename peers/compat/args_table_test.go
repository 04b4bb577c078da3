package compat

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata and docs anew from what the drivers do")

const tableFile = "testdata/args.tsv"

// entry is a difference between this driver and its peers: one row of the table. Where pgx's modes differ, there is an entry
// for each group of modes with the same outcome.
type entry struct {
	value, typ, mode string
	ours, pgx, pq    outcome
	class, why       string
}

const tableHeader = "# What this driver and its peers store for a (Go value, SQL type) where they differ: text in quotes, NULL, ! and the\n" +
	"# SQLSTATE of the server's refusal, !client for a refusal before sending. Two refusals are no difference.\n" +
	"# Written by: go test ./compat -update; class and why come from the rules in args_rules_test.go.\n"

var tableColumns = []string{"value", "type", "mode", "ours", "pgx", "pq", "class", "why"}

func (e entry) String() string {
	return strings.Join([]string{e.value, e.typ, e.mode, string(e.ours), string(e.pgx), string(e.pq), e.class, e.why}, "\t")
}

// Modes that are not pgx's. A row of theirs is compared with lib/pq alone, whose mode they name.
const (
	binaryParameters = "pq binary_parameters"
	compatPq         = "compat=pq"
)

// differ tells whether two outcomes are a difference. Who refuses, and with which words, is none.
func differ(a, b outcome) bool { return a != b && !(a.refused() && b.refused()) }

// entries lists the differences of one case.
func (m matrix) entries(c cell) (list []entry) {
	mine, pqs := m.ours[c], m.peers[run1{pq, ""}][c]
	groups := make(map[outcome][]string)
	for _, mode := range pgxModes {
		theirs := m.peers[run1{pgx, mode}][c]
		groups[theirs] = append(groups[theirs], mode)
	}
	for theirs, modes := range groups {
		if differ(mine, theirs) || differ(mine, pqs) {
			mode := strings.Join(modes, ",")
			if len(modes) == len(pgxModes) {
				mode = "all"
			}
			list = append(list, entry{value: c.value, typ: c.typ, mode: mode, ours: mine, pgx: theirs, pq: pqs})
		}
	}
	if binary := m.peers[run1{pq, "binary_parameters"}][c]; differ(mine, binary) && binary != pqs {
		list = append(list, entry{value: c.value, typ: c.typ, mode: binaryParameters, ours: mine, pgx: "-", pq: binary})
	}
	if asPq := m.oursAsPq[c]; asPq != mine && differ(asPq, pqs) {
		list = append(list, entry{value: c.value, typ: c.typ, mode: compatPq, ours: asPq, pgx: "-", pq: pqs})
	}
	return list
}

// differences lists all differences, by type and value as the lists have them, with class and reason from the rules.
func (m matrix) differences(t *testing.T) (list []entry) {
	used := make([]bool, len(rules))
	for _, typ := range sqlTypes {
		for _, v := range values {
			entries := m.entries(cell{v.name, typ})
			slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.mode, b.mode) })
			for _, e := range entries {
				place := 0
				if e.class, e.why, place = classify(e); place < 0 {
					t.Errorf("no rule explains this difference: %s", e)
				} else {
					used[place] = true
				}
				list = append(list, e)
			}
		}
	}
	for i, r := range rules {
		if !used[i] {
			t.Errorf("this rule explains no difference: %+v", r)
		}
	}
	return list
}

// parallel is t.Parallel, but lets what writes a table come before the guide that is made of it.
func parallel(t *testing.T) {
	if !*update {
		t.Parallel()
	}
}

func TestArgumentsStoreTheSameInEveryModeAndDifferFromPeersAsListed(t *testing.T) {
	parallel(t)
	if n := len(values) * len(sqlTypes); n < 1200 {
		t.Errorf("%d cases, want 1200 at least", n)
	}
	found := executeMatrix(t).differences(t)
	if *update {
		writeTable(t, found)
	}
	listed := make(map[string]bool)
	for _, e := range readTable(t) {
		listed[e.String()] = true
	}
	for _, e := range found {
		if !listed[e.String()] {
			t.Errorf("not in %s: %s", tableFile, e)
		}
		delete(listed, e.String())
	}
	for _, row := range slices.Sorted(maps.Keys(listed)) {
		t.Errorf("stale in %s: %s", tableFile, row)
	}
}

func writeTable(t *testing.T, list []entry) {
	t.Helper()
	var b strings.Builder
	b.WriteString(tableHeader + strings.Join(tableColumns, "\t") + "\n")
	for _, e := range list {
		fmt.Fprintln(&b, e)
	}
	if err := os.WriteFile(tableFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readTable(t *testing.T) (list []entry) {
	t.Helper()
	text, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(string(text), tableHeader), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != len(tableColumns) || i == 0 && !slices.Equal(f, tableColumns) {
			t.Fatalf("%s: row %d has %d fields: %q", tableFile, i, len(f), line)
		}
		if i > 0 {
			list = append(list, entry{f[0], f[1], f[2], outcome(f[3]), outcome(f[4]), outcome(f[5]), f[6], f[7]})
		}
	}
	return list
}
