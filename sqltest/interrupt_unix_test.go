//go:build unix

package sqltest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

func TestNothingIsLeftAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	for name, prepare := range map[string]func(t *testing.T) *exec.Cmd{
		"of a test with servers of all kinds": func(t *testing.T) *exec.Cmd {
			sqltest.PgBouncer(t, sqltest.PgBouncerOptions{}) // skips without it
			return subprocess(t, "", "start servers of all kinds")
		},
		"of go test": func(t *testing.T) *exec.Cmd {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			return subprocess(t, goProgram(t, self), "run another that uses the shared server", "SQLTEST_TEST_PROGRAM="+self)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := prepare(t)
			home := privateTemp(t) // it has to be empty at the end
			cmd.Env = append(cmd.Env, "TMPDIR="+home)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			p := start(t, cmd)
			dsns := strings.Fields(p.dsn)
			for _, dsn := range dsns {
				if !canConnect(dsn) {
					t.Errorf("no server at %s", dsn)
				}
			}
			if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil { // as a terminal does: to all of its job
				t.Fatal(err)
			}
			p.Wait()
			for _, dsn := range dsns {
				if !await(func() bool { return !canConnect(dsn) }) {
					t.Errorf("the server of %s outlived the interrupt", dsn)
				}
			}
			if !await(func() bool { return len(processesIn(home)) == 0 }) {
				t.Errorf("processes left: %q", processesIn(home))
			}
		})
	}
}

// processesIn are the command lines of processes that name a folder, on systems with /proc.
func processesIn(dir string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
