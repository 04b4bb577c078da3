package driver

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tlsServer is a PostgreSQL with TLS, one user for each kind of authentication, and the files that clients need.
type tlsServer struct {
	dir, port string
	ca        *authority
}

var tlsHBA = []string{
	"local all postgres trust",
	"hostssl all tls 127.0.0.1/32 trust",
	"hostnossl all plain 127.0.0.1/32 trust",
	"host all scram 127.0.0.1/32 scram-sha-256",
	"host all md5user 127.0.0.1/32 md5",
	"host all clear 127.0.0.1/32 password",
	"hostssl all certuser 127.0.0.1/32 cert",
	"host all trusted 127.0.0.1/32 trust",
}

const tlsRoles = `create role tls login; create role plain login; create role trusted login; create role certuser login;
create role scram login password 'secret'; create role clear login password 'secret';
set password_encryption = md5; create role md5user login password 'secret'`

// startTLSServer starts a server, which ends with the test, and makes the files.
func startTLSServer(t *testing.T) *tlsServer {
	t.Helper()
	dir := t.TempDir()
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
	s.start(t)
	return s
}

// start starts the server, whose own certificate the authority has issued.
func (s *tlsServer) start(t *testing.T) {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"server.crt", "server.key", "root.crt"} {
		body, err := os.ReadFile(filepath.Join(s.dir, name))
		s.ca.check(err)
		files[name] = string(body)
	}
	dsn := PrivateServerDSN(t, tlsHBA, map[string]string{"ssl": "on", "ssl_ca_file": "root.crt"}, files)
	c, err := ParseConfig(dsn)
	s.ca.check(err)
	s.port = strconv.Itoa(int(c.Hosts[0].Port))
	_, err = mustConnect(t, c).px.PgConn().Exec(t.Context(), tlsRoles).ReadAll()
	s.ca.check(err)
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
