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

const metaFile = "testdata/columns.tsv"

const metaHeader = "# What ColumnTypes says differently from the peer that compat names. \"digits\" is the number of a type's OID.\n" +
	"# Written by: go test ./compat -update; why comes from the rules in results_meta_test.go.\n" +
	"expression\tcompat\tproperty\tours\tpeer\twhy\n"

// metaEntry is one difference in a column's metadata.
type metaEntry struct{ expression, compat, property, ours, peer, why string }

func (e metaEntry) String() string {
	return strings.Join([]string{e.expression, e.compat, e.property, e.ours, e.peer, e.why}, "\t")
}

// explainMeta says why a property differs on purpose, "" when it should not.
func explainMeta(e metaEntry) string {
	switch {
	case e.property == "DatabaseTypeName" && e.ours != "digits" && (e.peer == "" || e.peer == "digits"):
		return "the name of every type, where the peer knows only some"
	case e.property == "ScanType" && e.ours == "string" && e.peer == "float64":
		return "a float64 loses digits"
	case e.property == "Length" && e.ours == "none" && strings.HasPrefix(e.peer, "-"):
		return "no length was declared"
	case e.property == "Length" && strings.Contains(e.expression, "::bit("):
		return "the declared length of a bit string"
	case e.property == "DecimalSize" && e.ours == "none" && strings.HasPrefix(e.peer, "65535"):
		return "no precision was declared"
	}
	return ""
}

// checkMeta compares the differences with the checked-in table.
func checkMeta(t *testing.T, found []metaEntry) {
	t.Helper()
	rows := make(map[string]bool)
	for _, e := range found {
		if e.why == "" && !rows[e.String()] {
			t.Errorf("compat=%s: %s: %s is %s, want %s", e.compat, e.expression, e.property, e.ours, e.peer)
		}
		rows[e.String()] = true
	}
	sorted := slices.Sorted(maps.Keys(rows))
	if *update {
		if err := os.WriteFile(metaFile, []byte(metaHeader+strings.Join(sorted, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed := readMeta(t)
	for _, row := range sorted {
		if !slices.Contains(listed, row) {
			t.Errorf("not in %s: %s", metaFile, row)
		}
	}
	for _, row := range listed {
		if !rows[row] {
			t.Errorf("stale in %s: %s", metaFile, row)
		}
	}
}

func readMeta(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(metaFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(strings.TrimPrefix(string(text), metaHeader)), "\n")
}

// resultsGuide is the part of the guide about results.
func resultsGuide(t *testing.T) string {
	t.Helper()
	type group struct{ compat, property, why string }
	var order []group
	counts, examples := make(map[group]int), make(map[group][]string)
	for _, row := range readMeta(t) {
		f := strings.Split(row, "\t")
		g := group{f[1], f[2], f[5]}
		if counts[g]++; counts[g] == 1 {
			order, examples[g] = append(order, g), f
		}
	}
	slices.SortFunc(order, func(a, b group) int {
		return cmp.Or(strings.Compare(a.compat, b.compat), strings.Compare(a.property, b.property), strings.Compare(a.why, b.why))
	})
	var b strings.Builder
	fmt.Fprintf(&b, resultsIntro, len(expressions))
	for _, g := range order {
		f := examples[g]
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s | %s | %s |\n", g.compat, g.property, g.why, counts[g], code(f[0]), code(f[3]), code(f[4]))
	}
	return b.String()
}

const resultsIntro = `
## Results

%d expressions cover every kind of result. With compat=pgx, the default, Scan(*any) and the Scan method of a sql.Scanner get exactly
what pgx/stdlib gives; with compat=pq exactly what lib/pq gives: with arguments and without, prepared, as one of several statements,
on every use, with column_scanner on and off. ColumnTypes says more than the peers where it can:

| compat | property | why it differs | expressions | for example | ours | peer |
| --- | --- | --- | --- | --- | --- | --- |
`
