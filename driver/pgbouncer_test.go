package driver_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// poolerAddress is where PgBouncer listens, in front of the server of the tests. It is started on first use, and ends with
// the process. Where it is not installed, the test is skipped.
func poolerAddress(t testing.TB) string {
	t.Helper()
	cfg, err := driver.ParseConfig(sqltest.Server(t).TCP("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	path, err := findPooler()
	if err != nil {
		_, noApt := exec.LookPath("apt-get")
		if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci && noApt == nil && os.Getuid() == 0 {
			t.Fatalf("pgbouncer is not installed: %v", err) // make setup installs it
		}
		t.Skipf("pgbouncer is not installed (apt-get install pgbouncer): %v", err)
	}
	pooler.once.Do(func() { pooler.address, pooler.err = startPooler(path, cfg) })
	if pooler.err != nil {
		t.Fatalf("start %s: %v", path, pooler.err)
	}
	return pooler.address
}

var pooler struct {
	once     sync.Once
	address  string
	err      error
	lifeline io.Closer // the pipe by which PgBouncer knows that this process lives
}

// findPooler finds the program: Debian keeps it where only root's PATH leads.
func findPooler() (string, error) {
	path, err := exec.LookPath("pgbouncer")
	if err == nil {
		return path, nil
	}
	if path, err := exec.LookPath("/usr/sbin/pgbouncer"); err == nil {
		return path, nil
	}
	return "", err
}

// poolerSessions is how many sessions PgBouncer has for each database.
const poolerSessions = 10

// poolerIni is PgBouncer's configuration: any database of the server, nobody is asked for a password.
const poolerIni = `
[databases]
* = host=%s port=%d user=%s password='%s'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 2000
default_pool_size = %d
server_idle_timeout = 20
server_tls_sslmode = prefer
logfile = %s
`

// poolerShell runs the rest of its arguments until the pipe that is its input ends, which it does with this process.
const poolerShell = `dir=$1; shift; "$@" </dev/null & read -r _; kill $!; wait $!; rm -rf "$dir"`

func startPooler(path string, cfg *driver.Config) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	l.Close()
	dir, err := os.MkdirTemp("", "pooler")
	if err != nil {
		return "", err
	}
	ini, log := filepath.Join(dir, "pgbouncer.ini"), filepath.Join(dir, "log")
	text := fmt.Sprintf(poolerIni, cfg.Hosts[0].Host, cfg.Hosts[0].Port, cfg.User, strings.ReplaceAll(cfg.Password, "'", "''"),
		port, poolerSessions, log)
	if err := os.WriteFile(ini, []byte(text), 0o600); err != nil {
		return "", err
	}
	args := []string{"-c", poolerShell, "sh", dir, path}
	if os.Getuid() == 0 { // it refuses to run as root
		account, err := giveAway(dir, ini)
		if err != nil {
			return "", err
		}
		args = append(args, "-u", account)
	}
	cmd := exec.Command("sh", append(args, ini)...)
	if pooler.lifeline, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	for range 1000 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address, nil
		}
		<-time.After(10 * time.Millisecond)
	}
	said, _ := os.ReadFile(log)
	return "", fmt.Errorf("it does not listen:\n%s", said)
}

// giveAway makes an account without privileges the owner of files.
func giveAway(files ...string) (account string, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return "", err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	for _, file := range files {
		err = errors.Join(err, os.Chown(file, uid, gid))
	}
	return u.Username, err
}
