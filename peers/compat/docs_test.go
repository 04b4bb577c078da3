package compat

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

const docsFile = "../../docs/compat.md"

const docsIntro = `# How arguments and results compare with pgx/stdlib and lib/pq

<!-- Written by: go test ./compat -update, in the folder peers. -->

The tests in peers/compat run the same programs on this driver, on pgx/stdlib 5.12.0 and on lib/pq 1.12.3, in one process.

## Arguments

%d Go values are stored as %d SQL types: %d cases, each in every execution mode of pgx and of lib/pq, and in %d modes of this
driver, up to seven times in a row. This driver stores the same value, or refuses it with the same SQLSTATE, in every mode and on
every use. Where a peer does otherwise, the case is in peers/compat/testdata/args.tsv, and the tests fail when the table does not
say what happens. Two refusals count as the same, whoever refuses.

| | cases |
| --- | --- |
| the same as both peers in all of their modes | %d |
| different from a peer in some mode | %d |

| class of difference | rows of the table |
| --- | --- |
%s
- **superset**: this driver stores what a peer refuses. Where a peer stores it, it stores the same.
- **refused corruption**: a peer stores something else than it was given, and this driver refuses it or stores it right.
- **chosen side of a conflict**: both store something sensible.

Programs that need lib/pq's side of a conflict get it with compat=pq where the table below says so.
`

// guide is the text of the compatibility guide.
func guide(t *testing.T, list []entry) string {
	cells, classes := make(map[cell]bool), make(map[string]int)
	for _, e := range list {
		cells[cell{e.value, e.typ}] = true
		classes[e.class]++
	}
	counts := ""
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		counts += fmt.Sprintf("| %s | %d |\n", class, classes[class])
	}
	total := len(values) * len(sqlTypes)
	var b strings.Builder
	fmt.Fprintf(&b, docsIntro, len(values), len(sqlTypes), total, len(ourRuns), total-len(cells), len(cells), counts)
	for _, class := range []string{refused, conflicts} {
		fmt.Fprintf(&b, "\n### %s\n\n| why | rows | for example | ours | pgx | lib/pq |\n| --- | --- | --- | --- | --- | --- |\n", class)
		for _, g := range reasons(list, class) {
			e := g[0]
			fmt.Fprintf(&b, "| %s | %d | %s → %s (%s) | %s | %s | %s |\n", e.why, len(g), code(e.value), e.typ,
				strings.ReplaceAll(e.mode, ",", ", "), code(string(e.ours)), code(string(e.pgx)), code(string(e.pq)))
		}
	}
	b.WriteString(resultsGuide(t))
	return b.String()
}

// reasons groups the entries of a class by their reason, the most frequent first.
func reasons(list []entry, class string) (groups [][]entry) {
	byWhy := make(map[string][]entry)
	for _, e := range list {
		if e.class == class {
			byWhy[e.why] = append(byWhy[e.why], e)
		}
	}
	groups = slices.Collect(maps.Values(byWhy))
	slices.SortFunc(groups, func(a, b []entry) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a[0].why, b[0].why))
	})
	return groups
}

// code is a cell of a Markdown table, cut where it is long.
func code(s string) string {
	const long = 48
	if r := []rune(s); len(r) > long {
		s = string(r[:long]) + "…"
	}
	if s == "" {
		return "none"
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

func TestCompatibilityGuideMatchesTheTables(t *testing.T) {
	t.Parallel()
	want := guide(t, readTable(t))
	if *update {
		if err := os.WriteFile(docsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date: go test ./compat -update", docsFile)
	}
}
