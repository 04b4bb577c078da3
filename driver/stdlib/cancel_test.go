package stdlib_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver/stdlib"
	"github.com/pycopg/pycopg/sqltest"
)

// cancelOnce lets a statement run into its deadline. The connection survives only if the cancel request arrived at the
// server.
func cancelOnce(t *testing.T, c *pgx.ConnConfig) {
	t.Helper()
	conn := one(t, closed(t, stdlib.OpenDB(*c)))
	pid := value[int](t, conn, "select pg_backend_pid()")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := conn.ExecContext(ctx, "select pg_sleep(60)")
	var pg *pgconn.PgError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &pg) || pg.Code != "57014" {
		t.Errorf("error = %v, want the deadline and SQLSTATE 57014", err)
	}
	if got := value[int](t, conn, "select pg_backend_pid()"); got != pid {
		t.Errorf("backend %d after the cancel, want %d", got, pid)
	}
}

// dialedBefore returns c with a host in front of it that refuses connections.
func dialedBefore(t *testing.T, c *pgx.ConnConfig, host string) *pgx.ConnConfig {
	t.Helper()
	c.Fallbacks = append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	c.Host, c.Port, c.TLSConfig = host, 1, nil
	return c
}

func TestCancelReachesTheServerThatWasDialed(t *testing.T) {
	t.Parallel()
	server := sqltest.Server(t)
	name := config(t).Database
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, tt := range []struct {
		name   string
		config *pgx.ConnConfig
	}{
		{"over the first transport", parse(t, server.DSN(name))},
		{"over TCP", parse(t, server.TCP(name))},
		{"of a second host", dialedBefore(t, parse(t, server.DSN(name)), nowhere)},
		{"of a second host over TCP", dialedBefore(t, parse(t, server.TCP(name)), nowhere)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cancelOnce(t, tt.config)
		})
	}
}

func TestCancelIsEncryptedLikeTheSession(t *testing.T) {
	t.Parallel()
	server, err := sqltest.Start(t.Context(), sqltest.StartOptions{TLS: true})
	if err != nil {
		t.Skipf("no server with TLS: %v", err)
	}
	t.Cleanup(func() { server.Close() })
	for _, mode := range []string{"verify-full", "require", "prefer"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := parse(t, extended(t, server.TCP(""), "sslmode="+mode))
			var plain atomic.Int32
			dial := c.DialFunc
			c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &eavesdropper{Conn: nc, plainCancels: &plain}, nil
			}
			cancelOnce(t, c)
			if n := plain.Load(); n > 0 {
				t.Errorf("%d cancel requests in plain text", n)
			}
		})
	}
}

// eavesdropper counts the cancel requests that leave in plain text.
type eavesdropper struct {
	net.Conn
	plainCancels *atomic.Int32
}

func (e *eavesdropper) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "\x00\x00\x00\x10\x04\xd2\x16\x2e") {
		e.plainCancels.Add(1)
	}
	return e.Conn.Write(p)
}

// TestCancelGoesThroughTheDialer has a dialer whose idea of an address is its own, as a tunnel's is.
func TestCancelGoesThroughTheDialer(t *testing.T) {
	t.Parallel()
	c := parse(t, sqltest.Server(t).TCP(""))
	network, address := pgconn.NetworkAddress(c.Host, c.Port)
	var dialed atomic.Int32
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = "db.invalid", 77, nil, nil
	c.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	c.DialFunc = func(ctx context.Context, _, asked string) (net.Conn, error) {
		if asked != "db.invalid:77" {
			return nil, errors.New("the tunnel does not lead to " + asked)
		}
		dialed.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	cancelOnce(t, c)
	if n := dialed.Load(); n < 2 { // a request is repeated where the server is slow
		t.Errorf("%d dials, want one to connect and one to cancel", n)
	}
}
