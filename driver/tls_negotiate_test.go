package driver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// tlsFake is a server that speaks TLS in one way or another, and then as fakeServer.
type tlsFake struct {
	fakeServer
	cert   tls.Certificate
	direct bool
	alpn   []string
	answer string // to an SSLRequest
	names  []string
}

func newTLSFake(t *testing.T) *tlsFake {
	t.Helper()
	dir := t.TempDir()
	a := newAuthority(t, dir, "root")
	a.issue("server", &x509.Certificate{DNSNames: []string{"db.test"}})
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"))
	a.check(err)
	return &tlsFake{cert: cert, answer: "S"}
}

func (f *tlsFake) dial(_ context.Context, _, address string) (net.Conn, error) {
	f.dials = append(f.dials, address)
	client, server := net.Pipe()
	go f.serveTLS(address, server)
	return client, nil
}

func (f *tlsFake) serveTLS(address string, nc net.Conn) {
	defer nc.Close()
	if !f.direct {
		if _, err := io.ReadFull(nc, make([]byte, 8)); err != nil {
			return
		}
		if _, err := io.WriteString(nc, f.answer); err != nil || f.answer != "S" {
			return
		}
	}
	tc := tls.Server(nc, &tls.Config{
		Certificates: []tls.Certificate{f.cert}, NextProtos: f.alpn,
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			f.names = append(f.names, h.ServerName)
			return nil, nil
		},
	})
	if tc.Handshake() == nil {
		f.serve(address, abruptConn{tc, nc})
	}
}

// abruptConn closes without TLS's farewell, for which a pipe's other end would have to read.
type abruptConn struct {
	*tls.Conn
	pipe net.Conn
}

func (c abruptConn) Close() error { return c.pipe.Close() }

func TestServerNameIndication(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"host=db.test sslmode=require":          "db.test",
		"host=db.test sslmode=require sslsni=0": "",
		"host=127.0.0.1 sslmode=require":        "",
	} {
		f := newTLSFake(t)
		c := fakeConfig(t, dsn, &f.fakeServer)
		c.Dial = f.dial
		closeQuietly(t.Context(), mustConnect(t, c).px)
		if len(f.names) != 1 || f.names[0] != want {
			t.Errorf("%s: the server saw %q, want %q", dsn, f.names, want)
		}
	}
}

func TestDirectNegotiation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		alpn []string
		want string
	}{{[]string{"postgresql"}, ""}, {nil, "postgresql"}, {[]string{"http/1.1"}, "TLS"}} {
		f := newTLSFake(t)
		f.direct, f.alpn = true, tt.alpn
		c := fakeConfig(t, "host=db.test sslnegotiation=direct", &f.fakeServer)
		c.Dial = f.dial
		l, err := c.connect(t.Context(), nil)
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("server with ALPN %v: %v", tt.alpn, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		nc, err := l.redial(t.Context())
		if err != nil {
			t.Fatalf("redial: %v", err)
		}
		nc.Close()
		closeQuietly(t.Context(), l.px)
	}
}

func TestServersWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode, want string
		dials      int
	}{
		{"prefer", "", 1}, // on the same socket
		{"allow", "", 1},
		{"require", "does not offer TLS", 1},
		{"verify-full", "does not offer TLS", 1},
	} {
		var f fakeServer
		_, err := fakeConfig(t, "host=a sslmode="+tt.mode, &f).connect(t.Context(), nil)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || len(f.dialled()) != tt.dials {
			t.Errorf("%s: %v, dialled %v", tt.mode, err, f.dialled())
		}
	}
}

// TestPlainTextIsNotTriedAgainAfterAnAnswer: the second attempt could only repeat the first.
func TestPlainTextIsNotTriedAgainAfterAnAnswer(t *testing.T) {
	t.Parallel()
	f := fakeServer{login: func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error { return refuse(b, "28000", "no") }}
	if _, err := fakeConfig(t, "host=a sslmode=prefer", &f).connect(t.Context(), nil); err == nil || len(f.dialled()) != 1 {
		t.Errorf("a server without TLS refused: %v, dialled %v", err, f.dialled())
	}
	f = fakeServer{login: func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
		return ready(b, map[string]string{"in_hot_standby": "on"})
	}}
	if _, err := fakeConfig(t, "host=a sslmode=allow target_session_attrs=primary", &f).connect(t.Context(), nil); err == nil || len(f.dialled()) != 1 {
		t.Errorf("a standby: %v, dialled %v", err, f.dialled())
	}
}

func TestOnlyPreferFallsBackToPlainText(t *testing.T) {
	t.Parallel()
	for mode, dials := range map[string]int{"prefer": 2, "require": 1, "verify-ca": 1, "verify-full": 1} {
		f := newTLSFake(t)
		f.answer = "E" // an error message
		c := fakeConfig(t, "host=a sslmode="+mode, &f.fakeServer)
		c.Dial = f.dial
		if _, err := c.connect(t.Context(), nil); err == nil || len(f.dials) != dials {
			t.Errorf("%s: %v, dialled %v", mode, err, f.dials)
		}
	}
}
