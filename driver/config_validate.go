package driver

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// seal returns a checked copy whose words are in their normal form, for a connector to keep.
func (c *Config) seal() (*Config, error) {
	if !c.made {
		return nil, errUnmadeConfig
	}
	n := c.Clone()
	if err := n.validate(); err != nil {
		return nil, sourced(err, "Config")
	}
	n.sealed = true
	return n, nil
}

// validate checks a Config as a whole and brings each value into its normal form, as if its own DSN were read again.
func (c *Config) validate() error {
	d := &draft{Config: c, given: map[string]setting{"prepare_threshold": {}}}
	for _, k := range keywords {
		if k.get == nil {
			continue
		}
		v := k.get(c)
		if strings.IndexByte(v, 0) >= 0 {
			return &ParseError{Key: k.name, Reason: "a NUL byte is not allowed"}
		}
		if v == "" {
			continue
		}
		if err := k.set(d, v); err != nil {
			return &ParseError{Key: k.name, Reason: err.Error()}
		}
	}
	for _, check := range []func(*Config) error{checkHosts, checkTLS, checkVersions, checkRuntimeParams, checkPooler} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func checkHosts(c *Config) error {
	if len(c.Hosts) == 0 {
		return &ParseError{Key: "host", Reason: "no host is given"}
	}
	for _, h := range c.Hosts {
		switch {
		case h.Port == 0:
			return &ParseError{Key: "port", Reason: "not a number from 1 to 65535"}
		case h.Host == "" && h.HostAddr == "":
			return &ParseError{Key: "host", Reason: "empty"}
		case h.HostAddr != "" && net.ParseIP(strings.SplitN(h.HostAddr, "%", 2)[0]) == nil:
			return &ParseError{Key: "hostaddr", Reason: fmt.Sprintf("%q is not an IP address", h.HostAddr)}
		}
	}
	return nil
}

func checkTLS(c *Config) error {
	mode := c.sslMode()
	strong := strings.HasPrefix(mode, customMode) || slices.Contains([]string{"require", "verify-ca", "verify-full"}, mode)
	switch {
	case c.SSLNegotiation == "direct" && !strong:
		return &ParseError{Key: "sslnegotiation", Reason: "direct needs sslmode require, verify-ca or verify-full, not " + mode}
	case c.SSLRootCert == "system" && mode != "verify-full":
		return &ParseError{Key: "sslrootcert", Reason: "system needs sslmode verify-full, not " + mode}
	case (c.SSLCRL != "" || c.SSLCRLDir != "") && mode != "disable" && !c.verifies():
		key := "sslcrl"
		if c.SSLCRL == "" {
			key = "sslcrldir"
		}
		return &ParseError{Key: key, Reason: "revocation is checked with sslmode verify-ca or verify-full, not with " + mode}
	}
	lo, hi := slices.Index(tlsVersionNames, c.SSLMinProtocolVersion), slices.Index(tlsVersionNames, c.SSLMaxProtocolVersion)
	if c.SSLMinProtocolVersion == "" {
		lo = slices.Index(tlsVersionNames, "TLSv1.2")
	}
	if hi >= 0 && lo > hi {
		return &ParseError{Key: "ssl_max_protocol_version", Reason: "lower than ssl_min_protocol_version (default TLSv1.2)"}
	}
	return nil
}

func checkVersions(c *Config) error {
	if c.MinProtocolVersion != "" && c.MinProtocolVersion != "3.0" && c.MaxProtocolVersion == "3.0" {
		return &ParseError{Key: "max_protocol_version", Reason: "lower than min_protocol_version"}
	}
	return nil
}

// checkPooler refuses what would act on a session that is another client's the next moment.
func checkPooler(c *Config) error {
	if c.Pooler == PoolerTransaction && (c.Reset == ResetSession || c.Reset == ResetDiscard) {
		return &ParseError{Key: "reset", Reason: c.Reset.String() + " needs a session of its own, which pooler=transaction does not give"}
	}
	return nil
}

// checkRuntimeParams refuses names that mean something else in a startup packet.
func checkRuntimeParams(c *Config) error {
	for name, value := range c.RuntimeParams {
		lower := strings.ToLower(name)
		k := keywordIndex[lower]
		switch {
		case strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0:
			return &ParseError{Key: strings.ReplaceAll(name, "\x00", `\0`), Reason: "a NUL byte is not allowed"}
		case lower == "client_encoding":
			if err := acceptUTF8(nil, value); err != nil {
				return &ParseError{Key: lower, Reason: err.Error()}
			}
		case name == "" || k != nil || lower == "database" || strings.HasPrefix(lower, "_pq_."):
			return &ParseError{Key: name, Reason: "not a run-time parameter"}
		}
	}
	return nil
}
