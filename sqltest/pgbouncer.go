package sqltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

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
	server  *Instance
	address string
	lock    *os.File // held as long as this process lives, and PgBouncer with it
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

// bouncerSpec is what the keeper of a PgBouncer is told.
type bouncerSpec struct{ Program, Databases string }

func startPgBouncer(path string, in *Instance, o PgBouncerOptions) (*Pooler, error) {
	server, err := pgconn.ParseConfig(in.TCP("postgres"))
	if err != nil {
		return nil, err
	}
	dir, err := newServerDir()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"listen_addr": loopback, "unix_socket_dir": "", "auth_type": "any", "pool_mode": string(o.Mode), "max_client_conn": "2000",
		"default_pool_size": "10", "server_idle_timeout": "20", "server_tls_sslmode": "prefer",
	}
	maps.Copy(settings, o.Settings)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	k, r, err := startKeeper(ctx, spec{
		Dir: dir, Settings: settings, PgBouncer: &bouncerSpec{Program: path, Databases: anyDatabase(server)},
	})
	if err != nil {
		return nil, err
	}
	k.release()
	return &Pooler{server: in, address: net.JoinHostPort(loopback, strconv.Itoa(r.Port)), lock: k.lock}, nil
}

const loopback = "127.0.0.1"

// anyDatabase is the line of PgBouncer's configuration that leads to every database of the server.
func anyDatabase(server *pgconn.Config) string {
	return fmt.Sprintf("* = host=%s port=%d user=%s password='%s'",
		server.Host, server.Port, server.User, strings.ReplaceAll(server.Password, "'", "''"))
}

// pgBouncer is the program of a keeper of a PgBouncer. It runs as the server's user, because it refuses to run as root.
func (c *cluster) pgBouncer() (cmd *exec.Cmd, ready func() bool, err error) {
	ini := c.path("pgbouncer.ini")
	if err := c.account.write(ini, c.PgBouncer.ini(c.port, c.Settings)); err != nil {
		return nil, nil, err
	}
	cmd = exec.Command(c.PgBouncer.Program, ini)
	cmd.SysProcAttr = c.account.attr(syscall.SIGKILL)
	return cmd, c.listens, nil
}

// ini is the configuration. It has a syntax of its own: nothing is quoted.
func (b *bouncerSpec) ini(port int, settings map[string]string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "[databases]\n%s\n[pgbouncer]\n", b.Databases)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = %s\n", name, settings[name])
	}
	fmt.Fprintf(&text, "listen_port = %d\n", port)
	return text.String()
}

// listens reports whether somebody listens on the port.
func (c *cluster) listens() bool {
	conn, err := net.Dial("tcp", net.JoinHostPort(loopback, strconv.Itoa(c.port)))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
