package driver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const client = " sslcert=$DIR/client.crt sslkey=$DIR/client.key "

// tlsCases: want is "TLS", "plain", or a part of the error.
var tlsCases = []struct{ dsn, want string }{
	{"user=trusted sslmode=disable", "plain"},
	{"user=trusted sslmode=allow", "plain"},
	{"user=trusted sslmode=prefer", "TLS"},
	{"user=trusted", "TLS"},
	{"user=trusted compat=pq", "TLS"},
	{"user=trusted sslmode=require", "TLS"},
	{"user=tls sslmode=disable", "no encryption"},
	{"user=tls sslmode=allow", "TLS"},
	{"user=plain sslmode=prefer", "plain"},
	{"user=plain sslmode=require", "SSL encryption"},
	{"user=plain compat=pq", "SSL encryption"},
	{"user=tls sslmode=require sslrootcert=$DIR/root.crt", "TLS"},
	{"user=tls sslmode=require sslrootcert=$DIR/stranger.crt", "unknown authority"},
	{"user=tls sslmode=verify-ca sslrootcert=$DIR/root.crt", "TLS"},
	{"user=tls sslmode=verify-ca sslrootcert=$DIR/root.crt host=other.test", "TLS"},
	{"user=tls sslmode=verify-ca sslrootcert=$DIR/stranger.crt", "unknown authority"},
	{"user=tls sslmode=verify-ca", "unknown authority"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt", "TLS"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslsni=0", "TLS"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt host=other.test", "other.test"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt host=other.test sslsni=0", "other.test"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt host=127.0.0.1", "TLS"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt host=''", "needs a host"},
	{"user=tls sslrootcert=system", "unknown authority"},
	{"user=tls sslmode=verify-ca sslrootcert=$DIR/absent.crt", "sslrootcert"},
	{"user=trusted sslmode=prefer sslcert=$DIR/absent sslkey=$DIR/absent", "sslcert"}, // and no plain text after that

	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrl=$DIR/none.crl", "TLS"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrl=$DIR/server.crl", "revoked"},
	{"user=tls sslmode=verify-ca sslrootcert=$DIR/root.crt sslcrl=$DIR/server.crl", "revoked"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrl=$DIR/old.crl", "no valid revocation list"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrl=$DIR/forged.crl", "no valid revocation list"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrl=$DIR/absent.crl", "sslcrl"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrldir=$DIR/crls", "revoked"},
	{"user=tls sslmode=verify-full sslrootcert=$DIR/root.crt sslcrldir=$DIR/absent", "sslcrldir"},

	{"user=certuser sslmode=require" + client, "TLS"},
	{"user=certuser sslmode=require", "certificate"},
	{"user=certuser sslmode=require sslcertmode=disable" + client, "certificate"},
	{"user=tls sslmode=require sslcertmode=require" + client, "TLS"},
	{"user=tls sslmode=require sslcertmode=require", "sslcertmode"},
	{"user=certuser sslmode=require sslcert=$DIR/client.crt sslkey=$DIR/open.key", "0600"},
	{"user=certuser sslmode=require sslcert=$DIR/client.crt sslkey=$DIR/server.key", "sslkey"},
	{"user=certuser sslmode=require sslcert=$DIR/client.crt sslkey=$DIR/old.key sslpassword=opensesame", "TLS"},
	{"user=certuser sslmode=require sslcert=$DIR/client.crt sslkey=$DIR/old.key sslpassword=wrong", "sslpassword"},
	{"user=certuser sslmode=require sslcert=$DIR/client.crt", "one is missing"},

	{"user=tls sslmode=require ssl_max_protocol_version=TLSv1.2", "TLSv1.2"},
	{"user=tls sslmode=require ssl_min_protocol_version=tlsv1.3", "TLSv1.3"},
	{"user=tls sslmode=require ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.1", "protocol version"},

	{"user=scram password=secret channel_binding=require", "TLS"},
	{"user=scram password=secret channel_binding=require sslmode=disable", "channel binding"},
	{"user=scram password=secret channel_binding=disable", "TLS"},
	{"user=md5user password=secret channel_binding=require", "channel binding"},
	{"user=trusted channel_binding=require", "channel binding"},
	{"user=scram password=wrong", "28P01"},
	{"user=scram", "no password was given"},
	{"user=scram passfile=$DIR/pass", "TLS"},
	{"user=scram passfile=$DIR/openpass", "0600"},
	{"user=scram password=secret require_auth=scram-sha-256", "TLS"},
	{"user=scram password=secret require_auth=md5,password", "scram-sha-256"},
	{"user=md5user password=secret require_auth=md5", "TLS"},
	{"user=md5user password=secret require_auth=!md5", "md5"},
	{"user=clear password=secret require_auth=scram-sha-256,md5", "password authentication"},
	{"user=clear password=secret require_auth=password", "TLS"},
	{"user=trusted require_auth=none", "TLS"},
	{"user=trusted require_auth=!none", "did not complete authentication"},
	{"user=trusted min_protocol_version=3.2", "protocol version"},
	{"user=trusted max_protocol_version=latest", "TLS"},
	{"user=trusted sslmode=require sslnegotiation=direct", "TLS"}, // see the test
}

// TestAgainstATLSServer starts one server for all that needs TLS or passwords.
func TestAgainstATLSServer(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	s.extraFiles(t)
	t.Run("cases", func(t *testing.T) {
		version := show(t, mustConnect(t, s.config(t, "user=trusted")), "show server_version_num")
		for _, tt := range tlsCases {
			switch {
			case strings.Contains(tt.dsn, "direct") && version < "170000":
				tt.want = "TLS:" // the server hangs up
			case strings.Contains(tt.dsn, "min_protocol_version=3.2") && version >= "180000":
				tt.want = "TLS"
			}
			t.Run(tt.dsn, func(t *testing.T) {
				t.Parallel()
				s.tryCase(t, tt.dsn, tt.want)
			})
		}
	})
	for name, test := range map[string]func(*testing.T, *tlsServer){
		"cancel over TLS": testCancelOverTLS, "key log": testKeyLog, "inline": testInline, "TLSConfig hook": testTLSHook,
		"registered": testRegisteredTLS, "PKCS8": testEncryptedPKCS8, "default files": testDefaultFiles,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func (s *tlsServer) tryCase(t *testing.T, dsn, want string) {
	t.Helper()
	l, err := s.config(t, dsn).connect(t.Context(), nil)
	if err != nil {
		if want == "TLS" || want == "plain" || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want %q", err, want)
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("the error shows the password: %v", err)
		}
		return
	}
	defer closeQuietly(t.Context(), l.px)
	got := show(t, l, "select coalesce(version, 'plain') from pg_stat_ssl where pid = pg_backend_pid()")
	if (got == "plain") != (l.tls == nil) {
		t.Errorf("the server says %s, the link %v", got, l.tls != nil)
	}
	if !strings.HasPrefix(got, want) {
		t.Errorf("connected with %s, want %q", got, want)
	}
}

// extraFiles adds keys and password files in forms that the cases need.
func (s *tlsServer) extraFiles(t *testing.T) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(s.dir, "client.key"))
	s.ca.check(err)
	block, _ := pem.Decode(key)
	//lint:ignore SA1019 the old form is what is tested
	old, err := x509.EncryptPEMBlock(zeroReader{}, "PRIVATE KEY", block.Bytes, []byte("opensesame"), x509.PEMCipherAES256)
	s.ca.check(err)
	crl, err := os.ReadFile(filepath.Join(s.dir, "server.crl"))
	s.ca.check(err)
	s.ca.check(os.Mkdir(filepath.Join(s.dir, "crls"), 0o755))
	for _, f := range []struct {
		name string
		body []byte
		mode os.FileMode
	}{
		{"open.key", key, 0o644},
		{"old.key", pem.EncodeToMemory(old), 0o600},
		{"crls/a.r0", crl, 0o644},
		{"pass", []byte("db.test:*:*:scram:secret\n"), 0o600},
		{"openpass", []byte("db.test:*:*:scram:secret\n"), 0o644},
	} {
		s.ca.check(os.WriteFile(filepath.Join(s.dir, f.name), f.body, f.mode))
	}
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) { return len(b), nil }

func testCancelOverTLS(t *testing.T, s *tlsServer) {
	l := mustConnect(t, s.config(t, "user=certuser sslmode=verify-full sslrootcert=$DIR/root.crt"+client))
	if err := cancelThrough(t, l); err != nil {
		t.Error(err)
	}
	nc, err := l.redial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if tc, ok := nc.(*tls.Conn); !ok || !tc.ConnectionState().HandshakeComplete {
		t.Errorf("redialled as %T", nc)
	}
}

func testKeyLog(t *testing.T, s *tlsServer) {
	mustConnect(t, s.config(t, "user=tls sslmode=require sslkeylogfile=$DIR/keys"))
	path := filepath.Join(s.dir, "keys")
	body, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || !strings.Contains(string(body), "CLIENT_TRAFFIC_SECRET_0 ") || info.Mode().Perm() != 0o600 {
		t.Errorf("key log: %v, %v, %d bytes", err, info, len(body))
	}
}

func testInline(t *testing.T, s *tlsServer) {
	c := s.config(t, "user=certuser sslmode=verify-full sslinline=true")
	for name, field := range map[string]*string{"root.crt": &c.SSLRootCert, "client.crt": &c.SSLCert, "client.key": &c.SSLKey} {
		body, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		*field = string(body)
	}
	if strings.Contains(c.String(), "PRIVATE") {
		t.Error("String shows the private key")
	}
	mustConnect(t, c)
}

func testTLSHook(t *testing.T, s *tlsServer) {
	c := s.config(t, "user=trusted sslmode=prefer")
	c.TLSConfig = func(_ context.Context, h HostSpec, base *tls.Config) (*tls.Config, error) {
		if h.Host != "db.test" {
			t.Errorf("host = %v", h)
		}
		base.MaxVersion = tls.VersionTLS12
		return base, nil
	}
	if got := show(t, mustConnect(t, c), "select version from pg_stat_ssl where pid = pg_backend_pid()"); got != "TLSv1.2" {
		t.Errorf("version = %s", got)
	}
	mine := errors.New("mine")
	for _, err := range []error{mine, nil} {
		c.TLSConfig = func(context.Context, HostSpec, *tls.Config) (*tls.Config, error) { return nil, err }
		var ce *ConnectError
		if _, got := c.connect(t.Context(), nil); !errors.As(got, &ce) || len(ce.Attempts) != 1 || err != nil && !errors.Is(got, mine) {
			t.Errorf("hook that fails with %v: %v", err, got)
		}
	}
}

// testRegisteredTLS connects by name with configurations of the program's own, as with lib/pq.
func testRegisteredTLS(t *testing.T, s *tlsServer) {
	root, err := os.ReadFile(filepath.Join(s.dir, "root.crt"))
	s.ca.check(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatal("no root")
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(s.dir, "client.crt"), filepath.Join(s.dir, "client.key"))
	s.ca.check(err)
	for key, config := range map[string]*tls.Config{
		"rooted": {RootCAs: roots}, "pqgo-client": {RootCAs: roots, Certificates: []tls.Certificate{pair}},
		"rootless": {}, "blind": {InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12},
	} {
		s.ca.check(RegisterTLSConfig(key, config))
		t.Cleanup(func() { RegisterTLSConfig(key, nil) })
	}
	for _, tt := range []struct{ dsn, want string }{
		{"user=tls sslmode=pqgo-rooted", "TLS"},
		{"user=tls sslmode=pqgo-rooted host=other.test", "other.test"},
		{"user=certuser sslmode=pqgo-client", "TLS"},
		{"user=certuser sslmode=pqgo-rooted" + client, "TLS"},
		{"user=certuser sslmode=pqgo-rooted", "certificate"},
		{"user=tls sslmode=pqgo-rootless", "unknown authority"},
		{"user=tls sslmode=pqgo-rootless sslrootcert=$DIR/root.crt", "TLS"},
		{"user=tls sslmode=pqgo-blind host=other.test", "TLSv1.2"},
		{"user=plain sslmode=pqgo-blind", "SSL encryption"},
		{"user=tls sslmode=pqgo-blind ssl_min_protocol_version=TLSv1.3", "no supported versions"},
		{"user=scram password=secret sslmode=pqgo-rooted channel_binding=require", "TLS"},
	} {
		s.tryCase(t, tt.dsn, tt.want)
	}
	c := s.config(t, "user=tls sslmode=pqgo-rooted")
	RegisterTLSConfig("rooted", nil)
	for _, err := range []error{second(ParseConfig("sslmode=pqgo-rooted")), second(c.connect(t.Context(), nil))} {
		if err == nil || !strings.Contains(err.Error(), `"pqgo-rooted"`) || !strings.Contains(err.Error(), "driver.RegisterTLSConfig") {
			t.Errorf("a name that is not registered: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func testEncryptedPKCS8(t *testing.T, s *tlsServer) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl to encrypt the key with")
	}
	for _, kind := range [][]string{{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256"}, {"-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"}} {
		out := filepath.Join(s.dir, "new.key")
		args := append([]string{"pkcs8", "-topk8", "-in", filepath.Join(s.dir, "client.key"), "-out", out, "-passout", "pass:opensesame"}, kind...)
		if b, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl: %v %s", err, b)
		}
		s.ca.check(os.Chmod(out, 0o600))
		dsn := "user=certuser sslmode=require sslcert=$DIR/client.crt sslkey=$DIR/new.key sslpassword="
		s.tryCase(t, dsn+"opensesame", "TLS")
		s.tryCase(t, dsn+"wrong", "sslpassword")
	}
}

// testDefaultFiles puts certificates where libpq looks for them.
func testDefaultFiles(t *testing.T, s *tlsServer) {
	home := t.TempDir()
	s.ca.check(os.Mkdir(filepath.Join(home, ".postgresql"), 0o755))
	for from, to := range map[string]string{"root.crt": "root.crt", "client.crt": "postgresql.crt", "client.key": "postgresql.key", "none.crl": "root.crl"} {
		body, err := os.ReadFile(filepath.Join(s.dir, from))
		s.ca.check(err)
		s.ca.check(os.WriteFile(filepath.Join(home, ".postgresql", to), body, 0o600))
	}
	c := s.config(t, "user=certuser sslmode=verify-full")
	c.home = home
	mustConnect(t, c)
	body, err := os.ReadFile(filepath.Join(s.dir, "server.crl"))
	s.ca.check(err)
	s.ca.check(os.WriteFile(filepath.Join(home, ".postgresql", "root.crl"), body, 0o600))
	if _, err := c.connect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("with the server revoked: %v", err)
	}
}
