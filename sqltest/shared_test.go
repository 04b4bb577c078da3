package sqltest_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

func TestProcessesShareOneServerUntilTheLastOneIsKilled(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	tmp := "TMPDIR=" + privateTemp(t)
	first := start(t, subprocess(t, "", "use the shared server", tmp))
	second := start(t, subprocess(t, "", "use the shared server", tmp))
	if first.dsn != second.dsn {
		t.Fatalf("two servers: %s and %s", first.dsn, second.dsn)
	}
	first.finish(t)
	if !canConnect(second.dsn) {
		t.Error("the server ended with its first user")
	}
	second.Process.Kill()
	if !await(func() bool { return !canConnect(second.dsn) }) {
		t.Error("the server outlived its last user")
	}
}

func TestSharedServerLivesAsLongAsTheGoCommandThatRunsTheTests(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	if runtime.GOOS == "windows" {
		t.Skip("the name of a process is its file's here, which would have to be go.exe")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goCommand := start(t, subprocess(t, goProgram(t, self), "run another that uses the shared server",
		"TMPDIR="+privateTemp(t), "SQLTEST_TEST_PROGRAM="+self))
	if !canConnect(goCommand.dsn) {
		t.Error("the server ended between two packages of one go command")
	}
	goCommand.finish(t)
	if !await(func() bool { return !canConnect(goCommand.dsn) }) {
		t.Error("the server outlived the go command")
	}
}

// goProgram is a program by the name of the go command.
func goProgram(t *testing.T, self string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "go")
	if err := os.Link(self, program); err != nil {
		copyFile(t, self, program)
	}
	return program
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	syscall.ForkLock.RLock() // a child of another test that holds the file open for writing would keep it from being run
	err = os.WriteFile(to, text, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLingeringServerEndsOnSignal(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM to send")
	}
	home := privateTemp(t)
	p := start(t, subprocess(t, "", "use the shared server", "TMPDIR="+home, "PYCOPG_TEST_LINGER=1h"))
	logs, err := filepath.Glob(filepath.Join(home, "*", "*", "keeper.log"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("keepers' logs: %q, %v", logs, err)
	}
	keeper := sqltest.KeeperOf(t, filepath.Dir(logs[0]))
	p.finish(t)
	if !canConnect(p.dsn) {
		t.Error("the server did not linger")
	}
	if err := keeper.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !await(func() bool { return !canConnect(p.dsn) }) {
		t.Error("the server outlived the signal")
	}
}

func TestServerEndsAfterAPanic(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	out, err := subprocess(t, "", "panic with a database", "TMPDIR="+privateTemp(t)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: on purpose") {
		t.Fatalf("the helper did not panic: %v\n%s", err, out)
	}
	_, dsn, _ := strings.Cut(string(out), "DSN ")
	dsn, _, _ = strings.Cut(dsn, "\n")
	if !await(func() bool { return !canConnect(dsn) }) {
		t.Error("the server outlived the panic")
	}
}

func TestMissingServerSkipsOnADeskAndFailsUnderCI(t *testing.T) {
	t.Parallel()
	none := []string{"PYCOPG_TEST_DSN=", "PYCOPG_PG_BINDIR=" + filepath.Join(t.TempDir(), "nothing")}
	tests := []struct {
		ci, want string
		fails    bool
	}{{ci: "", want: "--- SKIP"}, {ci: "true", want: "--- FAIL", fails: true}}
	for _, tt := range tests {
		t.Run("CI="+tt.ci, func(t *testing.T) {
			t.Parallel()
			out, err := subprocess(t, "", "need a server", append(none, "CI="+tt.ci)...).CombinedOutput()
			if (err != nil) != tt.fails {
				t.Errorf("error = %v", err)
			}
			for _, want := range []string{tt.want, "PYCOPG_TEST_DSN", "PYCOPG_PG_BINDIR=", "apt-get", "dnf", "brew"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
		})
	}
}

func TestUnreachableServerFailsTheTest(t *testing.T) {
	t.Parallel()
	dsn := "host=127.0.0.1 port=1 password=secret connect_timeout=5"
	out, err := subprocess(t, "", "need a server", "CI=", "PYCOPG_TEST_DSN="+dsn).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "PYCOPG_TEST_DSN") || strings.Contains(string(out), "secret") {
		t.Errorf("error = %v, output:\n%s", err, out)
	}
}
