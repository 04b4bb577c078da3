package sqltest

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// fakeTLS is what a Fake encrypts with.
type fakeTLS struct {
	config *tls.Config
	root   string // file
}

func newFakeTLS(t testing.TB) *fakeTLS {
	t.Helper()
	made, err := newCertificates()
	if err != nil {
		t.Fatalf("sqltest: fake server: make certificates: %v", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(made.key)
	if err != nil {
		t.Fatalf("sqltest: fake server: %v", err)
	}
	root := filepath.Join(t.TempDir(), rootCert)
	if err := os.WriteFile(root, pemText("CERTIFICATE", made.root), 0o600); err != nil {
		t.Fatalf("sqltest: fake server: %v", err)
	}
	return &fakeTLS{root: root, config: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{made.server}, PrivateKey: key}},
		NextProtos:   []string{"postgresql"},
	}}
}

// RootCert returns the path of the certificate of the authority that signed the fake's, "" without TLS. It fits sslrootcert
// with sslmode=verify-full and a host of localhost or 127.0.0.1.
func (f *Fake) RootCert() string {
	if f.tls == nil {
		return ""
	}
	return f.tls.root
}

// encrypt puts TLS between the client and the script.
func (c *FakeConn) encrypt(with *fakeTLS) error {
	encrypted := tls.Server(&received{c.raw, c.inbox}, with.config)
	if err := encrypted.Handshake(); err != nil {
		return err
	}
	decrypted := newInbox()
	c.conn, c.backend = encrypted, pgproto3.NewBackend(decrypted, encrypted)
	c.fake.running.Go(func() { decrypted.fill(encrypted) })
	return nil
}

// received is a connection that is read through an inbox.
type received struct {
	net.Conn
	inbox *inbox
}

func (r *received) Read(p []byte) (int, error) { return r.inbox.Read(p) }
