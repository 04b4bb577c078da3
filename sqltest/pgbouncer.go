package sqltest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// PoolMode is PgBouncer's setting pool_mode. The zero PoolMode is PoolTransaction.
type PoolMode string

// The modes.
const (
	PoolTransaction PoolMode = "transaction"
	PoolSession     PoolMode = "session"
	PoolStatement   PoolMode = "statement"
)

// PgBouncerOptions say what a PgBouncer is like. The zero value pools transactions on 10 sessions for each database.
type PgBouncerOptions struct {
	Mode     PoolMode
	Settings map[string]string // of the section [pgbouncer], above the defaults of this package
}

// Pooler is a PgBouncer in front of the server of [Server]. It asks nobody for a password.
type Pooler struct {
	server   *Instance
	address  string
	lifeline io.Closer // the pipe by which PgBouncer's shell knows that this process lives
}

// Addr is where PgBouncer listens.
func (p *Pooler) Addr() string { return p.address }

// DSN returns a connection string through PgBouncer, for the superuser of the server in database dbname. A program that pools
// transactions adds pooler=transaction to it.
func (p *Pooler) DSN(dbname string) string {
	host, port, _ := net.SplitHostPort(p.address) // it was made by net
	return withAddress(p.server.TCP(dbname), host, port)
}

// PgBouncer returns a PgBouncer in front of the server of [Server]. Tests of a process that ask for the same options share one,
// which ends with the process, however that ends. Where PgBouncer is not installed the test is skipped, or fails if CI=true and
// it could have been installed: as root on Debian.
func PgBouncer(t testing.TB, o PgBouncerOptions) *Pooler {
	t.Helper()
	in := Server(t)
	path, err := findPgBouncer()
	if err != nil {
		_, noApt := exec.LookPath("apt-get")
		if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci && noApt == nil && os.Getuid() == 0 {
			t.Fatalf("sqltest: %v", err)
		}
		t.Skipf("sqltest: %v", err)
	}
	if o.Mode == "" {
		o.Mode = PoolTransaction
	}
	poolers.Lock()
	defer poolers.Unlock()
	key := fmt.Sprint(o)
	if p := poolers.running[key]; p != nil {
		return p
	}
	p, err := startPgBouncer(path, in, o)
	if err != nil {
		t.Fatalf("sqltest: start %s: %v", path, err)
	}
	if poolers.running == nil {
		poolers.running = map[string]*Pooler{}
	}
	poolers.running[key] = p
	return p
}

var poolers struct {
	sync.Mutex
	running map[string]*Pooler
}

// findPgBouncer finds the program: Debian keeps it where only root's PATH leads.
func findPgBouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New(`pgbouncer is not installed: install it with "apt-get install pgbouncer", "dnf install pgbouncer" or "brew install pgbouncer"`)
}

// pgBouncerShell runs the rest of its arguments until the pipe that is its input ends, which it does with this process.
const pgBouncerShell = `dir=$1; shift; "$@" </dev/null & read -r _; kill $!; wait $!; rm -rf "$dir"`

func startPgBouncer(path string, in *Instance, o PgBouncerOptions) (*Pooler, error) {
	cfg, err := pgconn.ParseConfig(in.TCP("postgres"))
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(tempDir(), "pgbouncer")
	if err != nil {
		return nil, err
	}
	ini := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(ini, []byte(pgBouncerIni(cfg, port, dir, o)), 0o600); err != nil {
		return nil, err
	}
	args := []string{"-c", pgBouncerShell, "sh", dir, path}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	if account != nil { // it refuses to run as root
		args = append(args, "-u", account.name)
	}
	for _, file := range []string{dir, ini} {
		if err := account.own(file); err != nil {
			return nil, err
		}
	}
	p := &Pooler{server: in, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	cmd := exec.Command("sh", append(args, ini)...)
	cmd.SysProcAttr = detached() // Ctrl-C reaches the tests, and ends PgBouncer by the pipe
	if p.lifeline, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return p, awaitListener(p.address, filepath.Join(dir, "log"))
}

// pgBouncerIni is the configuration: any database of the server.
func pgBouncerIni(server *pgconn.Config, port int, dir string, o PgBouncerOptions) string {
	settings := map[string]string{
		"listen_addr": "127.0.0.1", "listen_port": strconv.Itoa(port), "unix_socket_dir": "", "auth_type": "any",
		"pool_mode": string(o.Mode), "max_client_conn": "2000", "default_pool_size": "10", "server_idle_timeout": "20",
		"server_tls_sslmode": "prefer", "logfile": filepath.Join(dir, "log"),
	}
	maps.Copy(settings, o.Settings)
	var b strings.Builder
	fmt.Fprintf(&b, "[databases]\n* = host=%s port=%d user=%s password='%s'\n[pgbouncer]\n",
		server.Host, server.Port, server.User, strings.ReplaceAll(server.Password, "'", "''"))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = %s\n", name, settings[name])
	}
	return b.String()
}

// awaitListener waits until somebody listens at address.
func awaitListener(address, log string) error {
	const poll, attempts = 10 * time.Millisecond, 1000
	for range attempts {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return nil
		}
		time.Sleep(poll)
	}
	said, _ := os.ReadFile(log)
	return fmt.Errorf("it does not listen:\n%s", said)
}
