package driver

import (
	"go/parser"
	gotoken "go/token"
	"regexp"
	"testing"
)

func TestManualNamesEverySetting(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	doc := file.Doc.Text()
	for _, k := range keywords {
		if len(k.name) > 5 && k.name[:5] == "pool_" {
			continue // one line for all of them
		}
		if !regexp.MustCompile(`\b` + k.name + `\b`).MatchString(doc) {
			t.Errorf("%s is not described", k.name)
		}
	}
}
