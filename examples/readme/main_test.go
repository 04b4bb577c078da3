package main

import (
	"bytes"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

func TestReadmeShowsThisProgram(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "\npackage main\n")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "\n```go\npackage main\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("README.md has no block of Go code that starts with package main")
	}
	if block != code {
		t.Errorf("README.md shows\n%s\nwant what main.go says:\n%s", block, code)
	}
}

// It changes the environment and the log, so it runs alone.
func TestProgramPrintsTheServerVersion(t *testing.T) {
	t.Setenv("DATABASE_URL", sqltest.DSN(t, sqltest.Options{}))
	var out bytes.Buffer
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	main()
	if got := out.String(); !strings.Contains(got, "PostgreSQL ") || !strings.HasSuffix(got, " <nil>\n") {
		t.Errorf("printed %q, want the version and no error", got)
	}
}
