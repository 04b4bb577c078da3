package driver

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
)

// customMode is how sslmode begins where it names a registered configuration, as in lib/pq.
const customMode = "pqgo-"

var customTLS struct {
	sync.RWMutex
	configs map[string]*tls.Config
}

// RegisterTLSConfig names a TLS configuration: a connection string with sslmode=pqgo-KEY connects with it, as with lib/pq's
// function of this name. It is for programs that have nothing but a connection string; others set [Config].TLSConfig, which
// needs no name. Connections are never made in plain text then, and config decides how the server is verified. The host is the
// server's name unless sslsni=0; sslrootcert, sslcert and the protocol versions are taken from the connection string where it
// has them.
//
// A nil config removes the name. config is copied for each connection and must not be changed any more. The error is nil.
func RegisterTLSConfig(key string, config *tls.Config) error {
	customTLS.Lock()
	defer customTLS.Unlock()
	key = strings.TrimPrefix(key, customMode)
	if config == nil {
		delete(customTLS.configs, key)
		return nil
	}
	if customTLS.configs == nil {
		customTLS.configs = make(map[string]*tls.Config)
	}
	customTLS.configs[key] = config
	return nil
}

// registeredTLS is a copy of the configuration that a mode of sslmode names.
func registeredTLS(mode string) (*tls.Config, error) {
	customTLS.RLock()
	defer customTLS.RUnlock()
	if config := customTLS.configs[strings.TrimPrefix(mode, customMode)]; config != nil {
		return config.Clone(), nil
	}
	return nil, fmt.Errorf("%q names no TLS configuration: give it to driver.RegisterTLSConfig (lib/pq's own is another), or set driver.Config.TLSConfig", mode)
}

// acceptCustomMode makes the keyword sslmode take the names of registered configurations.
func acceptCustomMode(k keyword) keyword {
	words := k.set
	k.set = func(d *draft, v string) error {
		if !strings.HasPrefix(v, customMode) {
			return words(d, v)
		}
		_, err := registeredTLS(v)
		d.SSLMode = v
		return err
	}
	return k
}

// customTLSConfig is the registered configuration with the settings of the connection string.
func (c *Config) customTLSConfig(h HostSpec) (*tls.Config, error) {
	t, err := registeredTLS(c.SSLMode)
	if err != nil {
		return nil, err
	}
	if c.SSLMinProtocolVersion != "" || t.MinVersion == 0 {
		t.MinVersion = tlsVersions[c.SSLMinProtocolVersion]
	}
	if c.SSLMaxProtocolVersion != "" {
		t.MaxVersion = tlsVersions[c.SSLMaxProtocolVersion]
	}
	if c.SSLNegotiation == "direct" {
		t.NextProtos = []string{"postgresql"}
	}
	if c.SSLSNI && h.Host != "" {
		t.ServerName = h.Host // an address is verified, but not sent
	}
	if root := c.rootFile(); root != "" && root != "system" {
		if t.RootCAs, err = c.rootPool(); err != nil {
			return nil, err
		}
	}
	return t, c.addClientCertificate(t)
}
