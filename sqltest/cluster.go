package sqltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Names inside a server's folder.
const (
	dataDir   = "data"
	socketDir = "s" // short: a socket's path may have about 100 bytes
	logFile   = "log"
)

// cluster is a PostgreSQL server, or a PgBouncer, as its keeper sees it.
type cluster struct {
	spec
	account *account
	port    int
	version int // major

	cmd  *exec.Cmd     // nil before the first start and while it is stopped
	done chan struct{} // closed when cmd has ended
}

// create starts the server, on a new data folder or a copy.
func (c *cluster) create(ctx context.Context) error {
	var err error
	if c.account, err = serverAccount(); err != nil {
		return err
	}
	if c.PgBouncer == nil {
		if err := c.createData(ctx); err != nil {
			return err
		}
	}
	return c.startOnFreePort(ctx)
}

// createData makes the data folder, unless there is a copy.
func (c *cluster) createData(ctx context.Context) error {
	for _, name := range []string{dataDir, socketDir} {
		if name == dataDir && c.Copied {
			continue
		}
		if err := os.Mkdir(c.path(name), 0o700); err != nil {
			return err
		}
		if err := c.account.own(c.path(name)); err != nil {
			return err
		}
	}
	if !c.Copied {
		if err := c.initdb(ctx); err != nil {
			return err
		}
		if err := c.configure(); err != nil {
			return err
		}
	}
	return c.readVersion()
}

func (c *cluster) readVersion() error {
	version, err := os.ReadFile(c.path(dataDir, "PG_VERSION"))
	if err != nil {
		return err
	}
	if c.version, err = strconv.Atoi(strings.TrimSpace(string(version))); err != nil {
		return fmt.Errorf("PG_VERSION: %w", err)
	}
	return nil
}

func (c *cluster) path(names ...string) string {
	return filepath.Join(slices.Concat([]string{c.Dir}, names)...)
}

// initdb fills the data folder. Texts sort by bytes everywhere; letters are Unicode's where the system knows how.
func (c *cluster) initdb(ctx context.Context) error {
	password := c.path(socketDir, "password")
	defer os.Remove(password)
	if err := c.account.write(password, c.Password); err != nil {
		return err
	}
	args := []string{
		"--pgdata", c.path(dataDir), "--username", superuser, "--pwfile", password, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--no-sync", "--no-instructions", "--locale", "C",
	}
	if c.run(ctx, "initdb", append(args, "--lc-ctype", "C.UTF-8")...) != nil {
		return c.run(ctx, "initdb", args...)
	}
	return nil
}

// run executes one of PostgreSQL's programs to its end.
func (c *cluster) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.BinDir, program), args...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = serverEnv(), c.Dir, c.account.attr(syscall.SIGQUIT)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	who := ""
	if c.account != nil {
		who = " as user " + c.account.name
	}
	return fmt.Errorf("%s%s: %w\n%s", cmd.Path, who, err, bytes.TrimSpace(out))
}

// serverEnv is the environment without what would change a server's or its tools' behaviour.
func serverEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "PG") || strings.HasPrefix(entry, "LC_") || strings.HasPrefix(entry, "LANG")
	})
	return append(env, "LC_ALL=C")
}

// startOnFreePort starts the server on a port that was free just now, and tries again where somebody
// was quicker.
func (c *cluster) startOnFreePort(ctx context.Context) error {
	const attempts = 5
	var err error
	for range attempts {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.start(ctx); err == nil || !portTaken.MatchString(err.Error()) {
			return err
		}
	}
	return err
}

// portPatience is how long startAgain waits for a port.
const portPatience = 30 * time.Second

// startAgain starts the server on the port that it had, which its DSNs name. While it was stopped the system may have given the
// port to somebody else, most likely for a moment: to an outgoing connection.
func (c *cluster) startAgain(ctx context.Context) error {
	return retryPort(ctx, c.port, portPatience, c.start)
}

// retryPort calls start until the port is free for it, for patience at most.
func retryPort(ctx context.Context, port int, patience time.Duration, start func(context.Context) error) error {
	const poll = 50 * time.Millisecond
	for end := time.Now().Add(patience); ; {
		err := start(ctx)
		if err == nil || !portTaken.MatchString(err.Error()) {
			return err
		}
		if !time.Now().Before(end) {
			return fmt.Errorf("port %d was taken while the server was stopped, and is not free after %v: %w", port, patience, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(poll):
		}
	}
}

// portTaken matches what postgres and PgBouncer say of a port where somebody else listens.
var portTaken = regexp.MustCompile(`could not create any TCP/IP sockets|nowhere to listen on`)

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// program is what start runs, and what tells that it accepts connections.
func (c *cluster) program() (cmd *exec.Cmd, ready func() bool, err error) {
	if c.PgBouncer != nil {
		return c.pgBouncer()
	}
	cmd = exec.Command(filepath.Join(c.BinDir, "postgres"), "-D", c.path(dataDir), "-p", strconv.Itoa(c.port))
	cmd.SysProcAttr = c.account.attr(syscall.SIGQUIT) // an immediate shutdown
	return cmd, c.isReady, nil
}

// start runs the server and waits until it accepts connections.
func (c *cluster) start(ctx context.Context) error {
	if c.cmd != nil {
		return errors.New("the server runs already")
	}
	log, err := os.OpenFile(c.path(logFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	before, err := log.Stat()
	if err != nil {
		return err
	}
	cmd, ready, err := c.program()
	if err != nil {
		return err
	}
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = serverEnv(), c.Dir, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait() //nolint:errcheck // the log says how it ended
		close(done)
	}()
	c.cmd, c.done = cmd, done
	if err := c.awaitReady(ctx, ready); err != nil {
		c.stop(context.WithoutCancel(ctx), StopImmediate)
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, tail(c.path(logFile), before.Size()))
	}
	return nil
}

// awaitReady waits until the server is ready, or has ended.
func (c *cluster) awaitReady(ctx context.Context, ready func() bool) error {
	const poll = 5 * time.Millisecond
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		if ready() {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.done:
			return errors.New("the server ended while it started")
		case <-ticker.C:
		}
	}
}

// isReady reports whether postgres has written "ready" to its pid file.
func (c *cluster) isReady() bool {
	const statusLine = 7 // of postmaster.pid, counted from 0
	file, err := os.ReadFile(c.path(dataDir, "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(file), "\n")
	return len(lines) > statusLine && strings.TrimSpace(lines[statusLine]) == "ready" && lines[0] == strconv.Itoa(c.cmd.Process.Pid)
}

// stop ends the server and waits for it; it does nothing while that does not run. PgBouncer, which has nothing to lose, is killed.
// When ctx ends first the server goes on stopping.
func (c *cluster) stop(ctx context.Context, mode StopMode) error {
	if c.cmd == nil {
		return nil
	}
	select {
	case <-c.done: // it ended by itself
	default:
		signal := func() error { return c.signal(mode) }
		if c.PgBouncer != nil {
			signal = c.cmd.Process.Kill
		}
		if err := signal(); err != nil {
			return fmt.Errorf("stop the server: %w", err)
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c.cmd = nil
	return nil
}

// obey carries out an order of the owner.
func (c *cluster) obey(ctx context.Context, order command) error {
	switch order.Op {
	case "stop":
		return c.stop(ctx, order.Mode)
	case "start":
		return c.startAgain(ctx)
	default:
		return fmt.Errorf("unknown order %q", order.Op)
	}
}

// remove stops the server and deletes all that it had.
func (c *cluster) remove() {
	forgetState(c.State, c.Dir)
	if err := c.stop(context.Background(), StopImmediate); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := os.RemoveAll(c.Dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	removeHome(c.State, filepath.Dir(c.Dir))
}

// tail returns what path holds from offset on, its last 4 KiB at most.
func tail(path string, offset int64) string {
	const most = 4096
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	b = b[min(offset, int64(len(b))):]
	return string(bytes.TrimSpace(b[max(0, len(b)-most):]))
}
