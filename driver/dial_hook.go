package driver

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strconv"
)

// Attempt is what BeforeConnect sees of one attempt to connect, and may change of it. Printing it shows no secret.
type Attempt struct {
	// Host, HostAddr, Port and Address say what will be dialled. Changes have no effect.
	Host, HostAddr string
	Port           uint16
	Address        string // of the socket: IP address and port, or a unix socket's path

	// What the server is told. Password is that of the Config or the password file; Token is empty, and when it is set
	// it takes the place of Config.OAuthToken.
	User, Database string
	Password       string
	Token          string
	RuntimeParams  map[string]string // the attempt's own copy
}

// String is the attempt without its secrets.
func (a Attempt) String() string {
	var b []byte
	b = appendSetting(b, "host", a.Host)
	b = appendSetting(b, "port", strconv.Itoa(int(a.Port)))
	b = appendSetting(b, "user", a.User)
	return string(appendSetting(b, "dbname", a.Database))
}

// GoString is String inside driver.Attempt{}.
func (a Attempt) GoString() string { return "driver.Attempt{" + a.String() + "}" }

// Format prints String for every verb; %#v prints GoString and %q quotes.
func (a Attempt) Format(f fmt.State, verb rune) { formatSafe(f, verb, a.String(), a.GoString()) }

// MarshalJSON is the text of String.
func (a Attempt) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// LogValue is the text of String.
func (a Attempt) LogValue() slog.Value { return slog.StringValue(a.String()) }

// target is one address of a host.
type target struct {
	host    HostSpec
	network string
	address string
}

// port is that of the address, which a Lookup hook may have chosen.
func (t target) port() uint16 {
	if t.network == "tcp" {
		if _, port, err := net.SplitHostPort(t.address); err == nil {
			if n, err := parsePort(port); err == nil {
				return n
			}
		}
	}
	return t.host.Port
}
