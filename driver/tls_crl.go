package driver

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// revocations reads the lists of sslcrl and sslcrldir; nil where none is configured. A named file must exist, the default
// file need not.
func (c *Config) revocations() ([]*x509.RevocationList, error) {
	var files []string
	if path := orDefault(c.SSLCRL, c.existing(".postgresql/root.crl", "root.crl")); path != "" {
		files = append(files, path)
	}
	if c.SSLCRLDir != "" {
		entries, err := os.ReadDir(c.SSLCRLDir)
		if err != nil {
			return nil, fmt.Errorf("sslcrldir: %w", err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				files = append(files, filepath.Join(c.SSLCRLDir, e.Name()))
			}
		}
		if len(files) == 0 {
			return nil, errors.New("sslcrldir holds no file")
		}
	}
	var lists []*x509.RevocationList
	for _, path := range files {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("sslcrl: %w", err)
		}
		found, err := parseCRLs(body)
		if err != nil {
			return nil, fmt.Errorf("sslcrl: %s: %w", path, err)
		}
		lists = append(lists, found...)
	}
	return lists, nil
}

// parseCRLs reads the lists in a file, in PEM or DER form.
func parseCRLs(body []byte) ([]*x509.RevocationList, error) {
	if !bytes.Contains(body, []byte("-----BEGIN")) {
		list, err := x509.ParseRevocationList(body)
		return []*x509.RevocationList{list}, err
	}
	var lists []*x509.RevocationList
	for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			continue
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	if len(lists) == 0 {
		return nil, errors.New("no revocation list found")
	}
	return lists, nil
}

// chainRevoked checks each certificate against its issuer's list. As in OpenSSL, an issuer without a list that is
// valid now is an error.
func chainRevoked(chain []*x509.Certificate, crls []*x509.RevocationList) error {
	for i, cert := range chain {
		issuer := chain[min(i+1, len(chain)-1)]
		list := currentList(issuer, crls, time.Now())
		if list == nil {
			return fmt.Errorf("sslcrl: no valid revocation list of %q", issuer.Subject)
		}
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
				return fmt.Errorf("sslcrl: the certificate of %q is revoked", cert.Subject)
			}
		}
	}
	return nil
}

// currentList is the newest valid list that the issuer signed.
func currentList(issuer *x509.Certificate, crls []*x509.RevocationList, now time.Time) *x509.RevocationList {
	var newest *x509.RevocationList
	for _, list := range crls {
		if !bytes.Equal(list.RawIssuer, issuer.RawSubject) || now.Before(list.ThisUpdate) ||
			!list.NextUpdate.IsZero() && now.After(list.NextUpdate) || list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		if newest == nil || list.ThisUpdate.After(newest.ThisUpdate) {
			newest = list
		}
	}
	return newest
}
