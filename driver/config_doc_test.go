package driver

import (
	"go/parser"
	gotoken "go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestManualNamesEverySetting(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keywords {
		if len(k.name) > 5 && k.name[:5] == "pool_" {
			continue // one line for all of them
		}
		for where, text := range map[string]string{"doc.go": file.Doc.Text(), "docs/settings.md": string(guide)} {
			if !regexp.MustCompile(`\b` + k.name + `\b`).MatchString(text) {
				t.Errorf("%s is not described in %s", k.name, where)
			}
		}
	}
	// The tables of both are the same.
	tables := regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	doc := strings.ReplaceAll(file.Doc.Text(), "\t", "")
	for _, table := range tables {
		if !strings.Contains(doc, table[1]) {
			t.Errorf("docs/settings.md has lines that doc.go has not:\n%s", table[1])
		}
	}
}
