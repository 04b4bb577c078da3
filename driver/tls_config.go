package driver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
)

var tlsVersionNames = []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}

var tlsVersions = map[string]uint16{
	"":        tls.VersionTLS12,
	"TLSv1":   tls.VersionTLS10,
	"TLSv1.1": tls.VersionTLS11,
	"TLSv1.2": tls.VersionTLS12,
	"TLSv1.3": tls.VersionTLS13,
}

// sslMode is SSLMode with its default, which depends on other settings.
func (c *Config) sslMode() string {
	switch {
	case c.SSLMode != "":
		return c.SSLMode
	case c.SSLRootCert == "system":
		return "verify-full"
	case c.Compat == CompatPq || c.SSLNegotiation == "direct":
		return "require"
	}
	return "prefer"
}

// verifies reports whether the server's certificate is checked. As in libpq, a root certificate turns require into
// verify-ca.
func (c *Config) verifies() bool {
	switch c.sslMode() {
	case "verify-ca", "verify-full":
		return true
	case "require":
		return c.rootFile() != ""
	}
	return false
}

// rootFile is the file (or inline text) of root certificates, "" where there is none and "system" as it is.
func (c *Config) rootFile() string {
	return orDefault(c.SSLRootCert, c.existing(".postgresql/root.crt", "root.crt"))
}

// existing is a default file if it is there.
func (c *Config) existing(unix, windows string) string {
	path := c.userFile(unix, windows)
	if path == "" {
		return ""
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

// tlsConfig makes the TLS configuration for one host, reading the files anew so that renewed certificates count.
func (c *Config) tlsConfig(h HostSpec) (*tls.Config, error) {
	if strings.HasPrefix(c.SSLMode, customMode) {
		return c.customTLSConfig(h)
	}
	t := &tls.Config{
		MinVersion: tlsVersions[c.SSLMinProtocolVersion],
		MaxVersion: tls.VersionTLS13,
	}
	if c.SSLMaxProtocolVersion != "" {
		t.MaxVersion = tlsVersions[c.SSLMaxProtocolVersion]
	}
	if c.SSLNegotiation == "direct" {
		t.NextProtos = []string{"postgresql"}
	}
	if c.SSLSNI && net.ParseIP(h.Host) == nil {
		t.ServerName = h.Host
	}
	if err := c.addVerification(t, h); err != nil {
		return nil, err
	}
	return t, c.addClientCertificate(t)
}

// addVerification sets how the server's certificate is checked. crypto/tls ties the check to the name that it sends, so
// verify-ca and connections without SNI check in VerifyConnection instead.
func (c *Config) addVerification(t *tls.Config, h HostSpec) error {
	t.InsecureSkipVerify = true
	if !c.verifies() {
		return nil
	}
	var err error
	if t.RootCAs, err = c.rootPool(); err != nil {
		return err
	}
	opts := x509.VerifyOptions{Roots: t.RootCAs}
	if c.sslMode() == "verify-full" {
		if h.Host == "" {
			return errors.New("sslmode=verify-full needs a host beside hostaddr")
		}
		opts.DNSName = h.Host
		if c.SSLSNI {
			t.ServerName, t.InsecureSkipVerify = h.Host, false
		}
	}
	crls, err := c.revocations()
	if err != nil {
		return err
	}
	t.VerifyConnection = func(state tls.ConnectionState) error { return verifyServer(state, opts, crls) }
	return nil
}

func (c *Config) rootPool() (*x509.CertPool, error) {
	root := c.rootFile()
	if root == "" || root == "system" {
		return nil, nil // the system's
	}
	body, err := c.material("sslrootcert", root)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(body) {
		return nil, errors.New("sslrootcert holds no certificate in PEM form")
	}
	return pool, nil
}

// material reads a file, or takes the setting itself with sslinline.
func (c *Config) material(key, value string) ([]byte, error) {
	if c.SSLInline {
		return []byte(value), nil
	}
	body, err := os.ReadFile(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return body, nil
}

func verifyServer(state tls.ConnectionState, opts x509.VerifyOptions, crls []*x509.RevocationList) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	opts.Intermediates = x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	chains, err := state.PeerCertificates[0].Verify(opts)
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	if crls == nil {
		return nil
	}
	return checkRevocation(chains, crls)
}

// checkRevocation wants one chain of which no certificate is revoked.
func checkRevocation(chains [][]*x509.Certificate, crls []*x509.RevocationList) error {
	err := errors.New("sslcrl: no chain to check")
	for _, chain := range chains {
		if err = chainRevoked(chain, crls); err == nil {
			return nil
		}
	}
	return err
}
