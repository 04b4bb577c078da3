package ext_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestWrongUseDoesNotCompile compiles a program whose lines say in comments which error they want.
func TestWrongUseDoesNotCompile(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	const file = "testdata/outsidetx/main.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "build", "-o", os.DevNull, "./testdata/outsidetx").CombinedOutput()
	if err == nil {
		t.Fatal("it compiles")
	}
	errors := make(map[string]string) // by line number
	for line := range strings.Lines(string(out)) {
		if parts := strings.SplitN(line, ":", 4); len(parts) == 4 {
			errors[parts[1]] += parts[3]
		}
	}
	wanted := 0
	for i, line := range strings.Split(string(source), "\n") {
		number := strconv.Itoa(i + 1)
		_, want, expected := strings.Cut(line, "// error: ")
		switch got := errors[number]; {
		case expected && !strings.Contains(got, want):
			t.Errorf("%s:%s: error %q, want %q", file, number, got, want)
		case !expected && got != "":
			t.Errorf("%s:%s: error %q, want none", file, number, got)
		case expected:
			wanted++
		}
	}
	if wanted < 6 {
		t.Errorf("%d errors, want 6", wanted)
	}
}
