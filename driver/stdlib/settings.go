package stdlib

import (
	"context"
	"crypto/tls"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// ownSettings are the driver's settings that may stand among pgx's run-time parameters.
var ownSettings = map[string]bool{
	"begin": true, "cancel_timeout": true, "column_scanner": true, "compat": true, "infinity": true, "ping_after": true,
	"placeholder": true, "pooler": true, "prepare_threshold": true, "prepared_max": true, "reset": true, "rows_close": true,
	"timezone_scan": true,
}

// settingsOf is what the driver needs to know beside the pgx configuration. With an error it returns usable settings too.
func settingsOf(pc *pgx.ConnConfig) (*driver.Config, error) {
	var own []string
	for name, value := range pc.RuntimeParams {
		if ownSettings[name] {
			own = append(own, name+"="+quote(value))
		}
	}
	settings, err := driver.DefaultConfig(), error(nil)
	if len(own) > 0 {
		slices.Sort(own)
		var parsed *driver.Config
		if parsed, err = driver.ParseConfig(strings.Join(own, " ")); err == nil {
			settings = parsed
		}
	}
	if _, given := pc.RuntimeParams["prepared_max"]; !given {
		settings.PreparedMax = max(pc.StatementCacheCapacity, 0)
	}
	return hostSettings(settings, pc), err
}

var quoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func quote(value string) string { return "'" + quoter.Replace(value) + "'" }

// hostSettings says in the driver's terms where and how pc connects, for those who read Connector.Config: a connector
// made of them reaches the same servers.
func hostSettings(c *driver.Config, pc *pgx.ConnConfig) *driver.Config {
	entries := entriesOf(pc)
	hosts := make([]driver.HostSpec, 0, len(entries))
	for _, e := range entries {
		h := driver.HostSpec{Host: e.Host, Port: e.Port}
		if e.Host != "" && e.Port != 0 && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) > 0 {
		c.Hosts = hosts
	}
	c.User, c.Database, c.Password = pc.User, pc.Database, pc.Password
	c.ConnectTimeout = pc.ConnectTimeout
	c.ApplicationName, c.Options = pc.RuntimeParams["application_name"], pc.RuntimeParams["options"]
	c.Dial, c.Lookup = pc.DialFunc, pc.LookupFunc
	c.OAuthToken = pc.OAuthTokenProvider
	c.TargetSessionAttrs = sessionAttrs(pc.ValidateConnect)
	tlsSettings(c, pc, entries)
	return c
}

// validators are the functions that pgx.ParseConfig sets for target_session_attrs.
var validators = map[string]pgconn.ValidateConnectFunc{
	"read-write":     pgconn.ValidateConnectTargetSessionAttrsReadWrite,
	"read-only":      pgconn.ValidateConnectTargetSessionAttrsReadOnly,
	"primary":        pgconn.ValidateConnectTargetSessionAttrsPrimary,
	"standby":        pgconn.ValidateConnectTargetSessionAttrsStandby,
	"prefer-standby": pgconn.ValidateConnectTargetSessionAttrsPreferStandby,
}

// sessionAttrs is the target_session_attrs that validate stands for, "" where it is something else: a connection that was
// chosen as the primary's is given up when its server has become a standby.
func sessionAttrs(validate pgconn.ValidateConnectFunc) string {
	for word, v := range validators {
		if reflect.ValueOf(v).Pointer() == reflect.ValueOf(validate).Pointer() {
			return word
		}
	}
	return ""
}

// entriesOf lists all attempts that pc describes, its own first.
func entriesOf(pc *pgx.ConnConfig) []*pgconn.FallbackConfig {
	first := &pgconn.FallbackConfig{Host: pc.Host, Port: pc.Port, TLSConfig: pc.TLSConfig}
	return append([]*pgconn.FallbackConfig{first}, pc.Fallbacks...)
}

// tlsSettings turns the attempts at a host, with and without TLS, into sslmode and a TLS configuration for each host.
func tlsSettings(c *driver.Config, pc *pgx.ConnConfig, entries []*pgconn.FallbackConfig) {
	kinds := ""
	for _, e := range entries {
		switch {
		case e.TLSConfig == nil && !strings.Contains(kinds, "p"):
			kinds += "p"
		case e.TLSConfig != nil && !strings.Contains(kinds, "t"):
			kinds += "t"
		}
	}
	c.SSLMode = map[string]string{"p": "disable", "t": "require", "pt": "allow", "tp": "prefer"}[kinds]
	if c.SSLMode == "require" {
		c.SSLNegotiation = pc.SSLNegotiation
	}
	c.SSLCertMode = pc.SSLCertMode
	c.TLSConfig = func(_ context.Context, h driver.HostSpec, base *tls.Config) (*tls.Config, error) {
		for _, e := range entries {
			if e.TLSConfig != nil && e.Host == h.Host && e.Port == h.Port {
				return e.TLSConfig.Clone(), nil
			}
		}
		return base, nil
	}
}
