package sqltest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/sqltest"
)

// helperEnv names what TestInSubprocess does when a test starts this program once more.
const helperEnv = "SQLTEST_TEST_HELPER"

var helpers = map[string]func(t *testing.T){
	"use the shared server": func(t *testing.T) {
		in := sqltest.Server(t)
		fmt.Println("DSN", in.DSN(""))
		io.Copy(io.Discard, os.Stdin)
	},
	"start a private server": func(t *testing.T) {
		in, err := sqltest.Start(t.Context(), sqltest.StartOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("DSN", in.DSN(""))
		io.Copy(io.Discard, os.Stdin)
	},
	"start a TLS server and a PgBouncer": func(t *testing.T) {
		in, err := sqltest.Start(t.Context(), sqltest.StartOptions{TLS: true})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("DSN", in.TCP(""), sqltest.PgBouncer(t, sqltest.PgBouncerOptions{}).DSN("postgres"))
		io.Copy(io.Discard, os.Stdin)
	},
	"start servers of all kinds": func(t *testing.T) {
		dsns := []string{sqltest.DSN(t, sqltest.Options{})}
		pair := sqltest.Replica(t, sqltest.ReplicaOptions{})
		for _, in := range []*sqltest.Instance{pair.Primary(), pair.Standby()} {
			dsns = append(dsns, in.DSN(""))
		}
		fmt.Println("DSN", strings.Join(append(dsns, sqltest.PgBouncer(t, sqltest.PgBouncerOptions{}).DSN("postgres")), " "))
		io.Copy(io.Discard, os.Stdin)
	},
	"run another that uses the shared server": func(t *testing.T) {
		out, err := subprocess(t, os.Getenv("SQLTEST_TEST_PROGRAM"), "use the shared server").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		os.Stdout.Write(out)
		io.Copy(io.Discard, os.Stdin)
	},
	"fail with a database": func(t *testing.T) {
		sqltest.DB(t, sqltest.Options{})
		t.Error("on purpose")
	},
	"need a server": func(t *testing.T) { sqltest.Server(t) },
	"panic with a database": func(t *testing.T) {
		fmt.Println("DSN", sqltest.DSN(t, sqltest.Options{}))
		panic("on purpose")
	},
}

func TestInSubprocess(t *testing.T) {
	if help := helpers[os.Getenv(helperEnv)]; help != nil {
		help(t)
	}
}

// needPrograms skips a test that starts servers where there is nothing to start.
func needPrograms(t *testing.T) {
	t.Helper()
	if _, err := sqltest.FindBinaries(); err != nil {
		t.Skip(err)
	}
}

// subprocess prepares program, "" being this one, to run a helper.
func subprocess(t *testing.T, program, helper string, env ...string) *exec.Cmd {
	t.Helper()
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		program = self
	}
	cmd := exec.Command(program, "-test.run=^TestInSubprocess$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), "PYCOPG_TEST_DSN=", helperEnv+"="+helper)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// process is a helper that waits until its standard input ends.
type process struct {
	*exec.Cmd
	stdin io.Closer
	dsn   string
}

// start runs cmd and waits for its line "DSN …".
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var seen strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if dsn, ok := strings.CutPrefix(lines.Text(), "DSN "); ok {
			go io.Copy(io.Discard, stdout)
			return &process{Cmd: cmd, stdin: stdin, dsn: dsn}
		}
		seen.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("the helper ended without a DSN:\n%s", &seen)
	return nil
}

// finish lets the helper end in order.
func (p *process) finish(t *testing.T) {
	t.Helper()
	p.stdin.Close()
	if err := p.Wait(); err != nil {
		t.Fatalf("helper: %v", err)
	}
}

// privateTemp makes a folder for temporary files that the server's user can get into, and checks at
// the end that nothing is left in it.
func privateTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		awaitEmpty(t, dir)
		os.RemoveAll(dir)
	})
	return dir
}

func awaitEmpty(t *testing.T, dir string) {
	t.Helper()
	if !await(func() bool { return len(filesIn(dir)) == 0 }) {
		t.Errorf("left in %s: %q", dir, filesIn(dir))
	}
}

func filesIn(dir string) []string {
	var all []string
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if path != dir {
			all = append(all, path)
		}
		return nil
	})
	return all
}

// await polls until done, for two minutes at most.
func await(done func() bool) bool {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(2 * time.Minute); ; {
		if done() {
			return true
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
}

// canConnect reports whether a server lets somebody in at dsn.
func canConnect(dsn string) bool {
	conn, err := pgconn.Connect(context.Background(), dsn)
	if err != nil {
		return false
	}
	conn.Close(context.Background())
	return true
}

// listens reports whether somebody listens at a TCP address.
func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func connect(t *testing.T, dsn string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// recorder is a test that may fail: it keeps what is reported to it.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// end runs the cleanups and returns all that was reported.
func (r *recorder) end() string {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		f := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		f()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.errors, "\n")
}
