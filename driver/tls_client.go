package driver

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// addClientCertificate loads the client's certificate as sslcertmode allows.
func (c *Config) addClientCertificate(t *tls.Config) error {
	if c.SSLCertMode == "disable" {
		return nil
	}
	cert, key := c.SSLCert, c.SSLKey
	if cert == "" && key == "" {
		cert, key = c.existing(".postgresql/postgresql.crt", "postgresql.crt"), c.existing(".postgresql/postgresql.key", "postgresql.key")
		if cert == "" || key == "" {
			return nil
		}
	}
	if key == "" {
		key = c.userFile(".postgresql/postgresql.key", "postgresql.key")
	}
	if cert == "" {
		cert = c.userFile(".postgresql/postgresql.crt", "postgresql.crt")
	}
	if cert == "" || key == "" {
		return errors.New("sslcert and sslkey belong together, one is missing")
	}
	certPEM, err := c.material("sslcert", cert)
	if err != nil {
		return err
	}
	keyPEM, err := c.privateKey(key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("sslcert and sslkey: %w", err)
	}
	t.Certificates = []tls.Certificate{pair}
	return nil
}

// privateKey reads and decrypts the key; its file must be closed to others.
func (c *Config) privateKey(path string) ([]byte, error) {
	if !c.SSLInline {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("sslkey: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("sslkey: %q is not a plain file", path)
		}
		if keyOpenToOthers(info) {
			return nil, fmt.Errorf("sslkey: %q is open to others, it needs mode 0600, or 0640 if root owns it", path)
		}
	}
	body, err := c.material("sslkey", path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return nil, errors.New("sslkey holds no key in PEM form")
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		der, err := decryptPKCS8(block.Bytes, []byte(c.SSLPassword))
		if err != nil {
			return nil, fmt.Errorf("sslkey: %w", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	//lint:ignore SA1019 libpq takes keys of this old form
	if !x509.IsEncryptedPEMBlock(block) {
		return pem.EncodeToMemory(block), nil
	}
	//lint:ignore SA1019 as above
	der, err := x509.DecryptPEMBlock(block, []byte(c.SSLPassword))
	if err != nil {
		return nil, errors.New("sslkey is encrypted and sslpassword does not open it")
	}
	return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
}

// requireCertificate makes sslcertmode=require hold: the returned function fails after the handshake unless the server
// asked for a certificate and got one.
func requireCertificate(t *tls.Config) func() error {
	asked, sent := false, false
	choose := t.GetClientCertificate
	t.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = true
		cert, err := &tls.Certificate{}, error(nil)
		if choose != nil {
			cert, err = choose(info)
		} else {
			for i := range t.Certificates {
				if info.SupportsCertificate(&t.Certificates[i]) == nil {
					cert = &t.Certificates[i]
					break
				}
			}
		}
		sent = err == nil && cert != nil && len(cert.Certificate) > 0
		return cert, err
	}
	return func() error {
		switch {
		case !asked:
			return errors.New("sslcertmode=require: the server did not ask for a certificate")
		case !sent:
			return errors.New("sslcertmode=require: there is no certificate that the server would take")
		}
		return nil
	}
}
