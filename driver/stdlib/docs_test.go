package stdlib_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var quotedName = regexp.MustCompile("`([^`]+)`")

// answered lists the names in the first column of the tables of a guide, below the heading that has the word and up to
// the next one of its level.
func answered(t *testing.T, file, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", file, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var names []string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.TrimSpace(cells[2]) == "" {
			t.Errorf("%s: no answer in %q", file, line)
		}
		for _, m := range quotedName.FindAllStringSubmatch(cells[1], -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// covers reports whether an entry of a table answers a name: an * at its end stands for anything.
func covers(entry, name string) bool {
	if prefix, ok := strings.CutSuffix(entry, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return entry == name
}

func checkAnswers(t *testing.T, entries, names []string) {
	t.Helper()
	for _, name := range names {
		if !slices.ContainsFunc(entries, func(e string) bool { return covers(e, name) }) {
			t.Errorf("%s is not answered", name)
		}
	}
	for _, e := range entries {
		if !slices.ContainsFunc(names, func(name string) bool { return covers(e, name) }) {
			t.Errorf("%s is answered, but there is no such name", e)
		}
	}
}

func TestGuideAnswersEveryNameOfPgx(t *testing.T) {
	t.Parallel()
	pkgs, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(exported(pkgs[0])))
	for _, name := range columnScanner { // Go 1.26 does not show them
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	checkAnswers(t, answered(t, "../../docs/from-pgx.md", "Every name of pgx/stdlib"), names)
}

func TestGuideAnswersEveryNameOfLibPq(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/libpq_names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	if len(names) < 600 {
		t.Fatalf("the list has %d names", len(names))
	}
	checkAnswers(t, answered(t, "../../docs/from-lib-pq.md", "Every name of lib/pq"), names)
}
