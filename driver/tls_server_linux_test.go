package driver

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tlsServer is a PostgreSQL with TLS, one user for each kind of authentication, and the files that clients need.
type tlsServer struct {
	dir, port string
	ca        *authority
}

const tlsHBA = `local all postgres trust
hostssl all tls 127.0.0.1/32 trust
hostnossl all plain 127.0.0.1/32 trust
host all scram 127.0.0.1/32 scram-sha-256
host all md5user 127.0.0.1/32 md5
host all clear 127.0.0.1/32 password
hostssl all certuser 127.0.0.1/32 cert
host all trusted 127.0.0.1/32 trust
`

const tlsRoles = `create role tls login; create role plain login; create role trusted login; create role certuser login;
create role scram login password 'secret'; create role clear login password 'secret';
set password_encryption = md5; create role md5user login password 'secret'`

// startTLSServer starts a server in a private folder and stops it at the end of the test.
func startTLSServer(t *testing.T) *tlsServer {
	t.Helper()
	bin := postgresBin(t)
	dir, err := os.MkdirTemp("", "tls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &tlsServer{dir: dir, ca: newAuthority(t, dir, "root")}
	server, _ := s.ca.issue("server", &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, DNSNames: []string{"db.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	s.ca.issue("client", &x509.Certificate{
		Subject: pkix.Name{CommonName: "certuser"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	s.ca.revoke("none.crl", time.Now().Add(time.Hour))
	s.ca.revoke("server.crl", time.Now().Add(time.Hour), server)
	s.ca.revoke("old.crl", time.Now().Add(-time.Hour))
	newAuthority(t, dir, "stranger")
	forger := &authority{t: t, dir: dir}
	forger.cert, forger.key = forger.issue("forger", &x509.Certificate{
		Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
	forger.revoke("forged.crl", time.Now().Add(time.Hour))
	s.initialise(t, bin)
	return s
}

func (s *tlsServer) initialise(t *testing.T, bin string) {
	t.Helper()
	data := filepath.Join(s.dir, "data")
	owner := serverOwner(t)
	if owner != nil {
		chown(t, owner, s.dir)
	}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = s.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
		log, err := os.CreateTemp(s.dir, "log") // a pipe would stay open with the server
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			body, _ := os.ReadFile(log.Name())
			t.Fatalf("%s: %v\n%s", name, err, body)
		}
	}
	run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N")
	for _, name := range []string{"server.crt", "server.key", "root.crt"} {
		body, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFor(t, owner, filepath.Join(data, name), body)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	ln.Close()
	writeFor(t, owner, filepath.Join(data, "pg_hba.conf"), []byte(tlsHBA))
	writeFor(t, owner, filepath.Join(data, "postgresql.auto.conf"), fmt.Appendf(nil, `listen_addresses = '127.0.0.1'
port = %s
unix_socket_directories = '%s'
ssl = on
ssl_ca_file = 'root.crt'
fsync = off
max_connections = 40
shared_buffers = 8MB
`, s.port, s.dir))
	run("pg_ctl", "-D", data, "-w", "-l", filepath.Join(s.dir, "server.log"), "start")
	t.Cleanup(func() { run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop") })

	c := DefaultConfig()
	c.Hosts, c.User = []HostSpec{{Host: s.dir, Port: s.portNumber()}}, "postgres"
	if _, err := mustConnect(t, c).px.PgConn().Exec(t.Context(), tlsRoles).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

func (s *tlsServer) portNumber() uint16 {
	n, _ := strconv.ParseUint(s.port, 10, 16)
	return uint16(n)
}

// config is a Config for the server; $DIR in the DSN is the folder of the certificates.
func (s *tlsServer) config(t *testing.T, dsn string) *Config {
	t.Helper()
	dsn = "host=db.test hostaddr=127.0.0.1 port=" + s.port + " dbname=postgres " + strings.ReplaceAll(dsn, "$DIR", s.dir)
	c, err := parseConfig(dsn, "dsn", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	c.home = ""
	return c
}

func postgresBin(t *testing.T) string {
	t.Helper()
	dirs := []string{os.Getenv("PYCOPG_PG_BINDIR")}
	if path, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	more, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(dirs, more...) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("no PostgreSQL binaries in PYCOPG_PG_BINDIR, PATH or /usr/lib/postgresql")
	return ""
}

// serverOwner is the user to run the server as: PostgreSQL refuses root.
func serverOwner(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("running as root, and there is no other user to start the server")
	return nil
}

func chown(t *testing.T, owner *syscall.Credential, path string) {
	t.Helper()
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
}

func writeFor(t *testing.T, owner *syscall.Credential, path string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if owner != nil {
		chown(t, owner, path)
	}
}
