package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// sslRequest asks the server whether it speaks TLS.
var sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// errTLSRefused means that the server speaks no TLS; the connection may go on in plain text if the settings allow it.
var errTLSRefused = errors.New("the server does not offer TLS")

// secure turns a fresh connection into a TLS one. With errTLSRefused the connection is still usable.
func (c *Config) secure(ctx context.Context, nc net.Conn, t *tls.Config) (net.Conn, error) {
	if c.SSLNegotiation != "direct" {
		if err := askTLS(ctx, nc); err != nil {
			return nil, err
		}
	}
	t = t.Clone()
	check := func() error { return nil }
	switch c.SSLCertMode {
	case "require":
		check = requireCertificate(t)
	case "disable":
		t.Certificates = nil
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	}
	if c.SSLKeyLogFile != "" {
		log, err := os.OpenFile(c.SSLKeyLogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("sslkeylogfile: %w", err)
		}
		defer log.Close()
		t.KeyLogWriter = log
	}
	tc := tls.Client(nc, t)
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	if c.SSLNegotiation == "direct" && tc.ConnectionState().NegotiatedProtocol != "postgresql" {
		return nil, errors.New("TLS: the server did not agree to the protocol postgresql")
	}
	return tc, check()
}

// askTLS sends the request and reads the answer, one byte, so that nothing sent ahead in plain text is taken for TLS.
func askTLS(ctx context.Context, nc net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	answer := make([]byte, 1)
	if _, err := nc.Write(sslRequest); err != nil {
		return contextOr(ctx, fmt.Errorf("TLS request: %w", err))
	}
	if _, err := io.ReadFull(nc, answer); err != nil {
		return contextOr(ctx, fmt.Errorf("TLS request: %w", err))
	}
	switch {
	case answer[0] == 'N':
		return errTLSRefused
	case answer[0] != 'S':
		return errors.New("the server answered the TLS request with an error") // whose text nobody vouches for
	case !stop():
		return ctx.Err()
	}
	return nil
}

// contextOr prefers the reason why the context ended.
func contextOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && isTimeout(err) && !time.Now().Before(deadline) {
		<-ctx.Done() // its timer is about to fire: the socket's was quicker
		return context.Cause(ctx)
	}
	return err
}
