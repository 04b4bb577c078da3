package driver

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// fakeServer answers log-ins on pipes, as the Dial hook of a Config.
type fakeServer struct {
	// login handles a connection after its start-up message; nil sends what a primary server sends.
	login func(address string, b *pgproto3.Backend, start *pgproto3.StartupMessage) error

	mu    sync.Mutex
	dials []string
}

func (f *fakeServer) dialled() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.dials...)
}

func (f *fakeServer) dial(_ context.Context, _, address string) (net.Conn, error) {
	f.mu.Lock()
	f.dials = append(f.dials, address)
	f.mu.Unlock()
	client, server := net.Pipe()
	go f.serve(address, server)
	return client, nil
}

func (f *fakeServer) serve(address string, nc net.Conn) {
	defer nc.Close()
	b := pgproto3.NewBackend(nc, nc)
	for {
		msg, err := b.ReceiveStartupMessage()
		if err != nil {
			return
		}
		switch msg := msg.(type) {
		case *pgproto3.SSLRequest:
			if _, err := nc.Write([]byte("N")); err != nil {
				return
			}
			continue
		case *pgproto3.StartupMessage:
			login := f.login
			if login == nil {
				login = func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error { return ready(b, nil) }
			}
			if login(address, b, msg) != nil {
				return
			}
			for {
				msg, err := b.Receive()
				if err != nil {
					return
				}
				if _, ok := msg.(*pgproto3.Terminate); ok {
					return
				}
			}
		}
		return
	}
}

// ready ends a log-in.
func ready(b *pgproto3.Backend, params map[string]string) error {
	b.Send(&pgproto3.AuthenticationOk{})
	for name, value := range params {
		b.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	b.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	return b.Flush()
}

func refuse(b *pgproto3.Backend, code, message string) error {
	b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message})
	return b.Flush()
}

// fakeConfig is a Config whose connections go to f; names resolve to themselves.
func fakeConfig(t *testing.T, dsn string, f *fakeServer) *Config {
	t.Helper()
	c, err := parseConfig(dsn, "dsn", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	c.home = ""
	c.Dial = f.dial
	c.Lookup = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	return c
}
