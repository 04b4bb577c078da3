package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// settings are those of a connection, for a program to connect with.
type settings struct {
	connector *driver.Connector
	cfg       *driver.Config
	host      driver.HostSpec // of the server, with the address in HostAddr where Host is a name
	attempt   driver.Attempt  // after BeforeConnect
	server    int             // the major version, 0 where it is not known
}

// settingsOf asks the handle how it connects, and where to. other, when it is not nil, says how instead: it is tried.
func settingsOf(ctx context.Context, q ext.Querier, other *driver.Config) (*settings, error) {
	s := &settings{}
	var info driver.Info
	var err error
	if other == nil {
		_, err = driver.Do(ctx, q, "backup", func(_ context.Context, c *driver.Conn) (int64, error) {
			info, s.connector = c.Info(), c.Connector()
			return 0, nil
		})
	} else {
		s.connector = driver.NewConnector(other)
		var c *driver.Conn
		if c, err = s.connector.Dial(ctx); err == nil {
			info = c.Info()
			err = c.Close()
		}
	}
	switch {
	case err != nil:
		return nil, err
	case s.connector == nil:
		return nil, errors.New("the handle is a mock: there is no server to connect to")
	}
	s.cfg, s.host, s.server = s.connector.Config(), hostOf(info), info.VersionNum/10000
	s.attempt = driver.Attempt{
		Host: s.host.Host, HostAddr: s.host.HostAddr, Port: s.host.Port, Address: info.Address,
		User: s.cfg.User, Database: cmp.Or(s.cfg.Database, s.cfg.User), Password: s.cfg.Password,
		RuntimeParams: maps.Clone(s.cfg.RuntimeParams),
	}
	return s, s.prepare(ctx)
}

// hostOf is the server that a connection leads to.
func hostOf(info driver.Info) driver.HostSpec {
	h := driver.HostSpec{Host: info.Host, Port: info.Port}
	host, port, err := net.SplitHostPort(info.Address)
	if err != nil { // the path of a unix socket
		return h
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		h.Port = uint16(n)
	}
	if host != h.Host {
		h.HostAddr = host
	}
	return h
}

// prepare lets BeforeConnect have its say, and refuses what a program cannot do.
func (s *settings) prepare(ctx context.Context) error {
	if s.cfg.BeforeConnect != nil {
		if err := s.cfg.BeforeConnect(ctx, &s.attempt); err != nil {
			return fmt.Errorf("BeforeConnect: %w", err)
		}
	}
	refuse := func(what string) error {
		return fmt.Errorf("%s, which PostgreSQL's programs cannot use: set Options.Config to settings that they can", what)
	}
	switch {
	case s.cfg.Dial != nil:
		return refuse("connections are made by Config.Dial")
	case s.cfg.TLSConfig != nil:
		return refuse("TLS is configured by Config.TLSConfig")
	case s.attempt.Token != "":
		return refuse("BeforeConnect gives an OAuth token")
	case strings.ContainsAny(s.attempt.Password, "\r\n\x00"):
		return errors.New("the password has a line break, which a password file cannot hold")
	}
	return nil
}

// variable is a setting in libpq's environment. One that a version before since would ignore is an error there when it must hold.
type variable struct {
	name, value string
	since       int
	must        bool
}

// variables is the environment, but for what needs files.
func (s *settings) variables(application string) []variable {
	c := s.cfg
	sslmode := c.SSLMode
	if sslmode == "" && c.Compat == driver.CompatPq {
		sslmode = "require"
	}
	sni := ""
	if !c.SSLSNI {
		sni = "0"
	}
	return []variable{
		{name: "PGHOST", value: s.host.Host},
		{name: "PGHOSTADDR", value: s.host.HostAddr},
		{name: "PGPORT", value: strconv.Itoa(int(s.host.Port))},
		{name: "PGUSER", value: s.attempt.User},
		{name: "PGDATABASE", value: s.attempt.Database},
		{name: "PGAPPNAME", value: application},
		{name: "PGOPTIONS", value: s.options()},
		{name: "PGCONNECT_TIMEOUT", value: seconds(c.ConnectTimeout)},
		{name: "PGSSLMODE", value: sslmode},
		{name: "PGSSLNEGOTIATION", value: c.SSLNegotiation, since: 17, must: c.SSLNegotiation == "direct"},
		{name: "PGSSLCERTMODE", value: c.SSLCertMode, since: 16, must: true},
		{name: "PGSSLCRL", value: c.SSLCRL},
		{name: "PGSSLCRLDIR", value: c.SSLCRLDir, since: 14, must: true},
		{name: "PGSSLSNI", value: sni, since: 14},
		{name: "PGSSLMINPROTOCOLVERSION", value: c.SSLMinProtocolVersion, since: 13, must: true},
		{name: "PGSSLMAXPROTOCOLVERSION", value: c.SSLMaxProtocolVersion, since: 13, must: true},
		{name: "PGREQUIREPEER", value: c.RequirePeer},
		{name: "PGREQUIREAUTH", value: c.RequireAuth, since: 16, must: true},
		{name: "PGCHANNELBINDING", value: c.ChannelBinding, since: 13, must: c.ChannelBinding == "require"},
		{name: "PGMINPROTOCOLVERSION", value: c.MinProtocolVersion, since: 18, must: c.MinProtocolVersion != "3.0"},
		{name: "PGMAXPROTOCOLVERSION", value: c.MaxProtocolVersion, since: 18},
		{name: "PGGSSENCMODE", value: "disable"},
	}
}

// options is PGOPTIONS: the Config's, and its run-time parameters.
func (s *settings) options() string {
	options := s.cfg.Options
	for _, name := range slices.Sorted(maps.Keys(s.attempt.RuntimeParams)) {
		switch strings.ToLower(name) {
		case "client_encoding", "application_name": // the program's own
			continue
		}
		value := strings.NewReplacer(`\`, `\\`, " ", `\ `, "\t", "\\\t", "\n", "\\\n").Replace(s.attempt.RuntimeParams[name])
		options += " -c " + name + "=" + value
	}
	return strings.TrimSpace(options)
}

// seconds is a duration in whole seconds, "" for none.
func seconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// service are the settings that have no variable, for a service file.
func (s *settings) service() []string {
	c := s.cfg
	var lines []string
	add := func(key, value string) {
		if value != "" {
			lines = append(lines, key+"="+value)
		}
	}
	if !c.KeepAlives {
		add("keepalives", "0")
	}
	add("keepalives_idle", seconds(c.KeepAlivesIdle))
	add("keepalives_interval", seconds(c.KeepAlivesInterval))
	if c.KeepAlivesCount > 0 {
		add("keepalives_count", strconv.Itoa(c.KeepAlivesCount))
	}
	if ms := c.TCPUserTimeout.Milliseconds(); ms > 0 {
		add("tcp_user_timeout", strconv.FormatInt(ms, 10))
	}
	add("sslpassword", c.SSLPassword)
	return lines
}

// environment is the whole environment of a program of a version. What must not be seen goes into files of dir.
func (s *settings) environment(dir, application string, tool Tool) ([]string, error) {
	env := append(cleanEnv(os.Environ()), "LC_ALL=C")
	for _, v := range s.variables(application) {
		switch {
		case v.value == "":
			continue
		case strings.ContainsRune(v.value, 0):
			return nil, fmt.Errorf("%s: a NUL byte", v.name)
		case v.must && tool.Major < v.since:
			return nil, fmt.Errorf("%w: %s %s does not know the setting that %s=%s stands for: PostgreSQL %d does", ErrToolVersion, tool.Name, tool.Version, v.name, v.value, v.since)
		}
		env = append(env, v.name+"="+v.value)
	}
	files, err := s.files(dir)
	return append(env, files...), err
}

// files writes the files that only this user can read, and returns the variables that name them.
func (s *settings) files(dir string) (env []string, err error) {
	write := func(variable, name, text string) {
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		env = append(env, variable+"="+path)
	}
	c := s.cfg
	switch {
	case s.attempt.Password != "":
		write("PGPASSFILE", "passwords", "*:*:*:*:"+strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(s.attempt.Password)+"\n")
	case c.PassFile != "":
		env = append(env, "PGPASSFILE="+c.PassFile)
	}
	for _, f := range []struct{ variable, name, value string }{
		{"PGSSLCERT", "client.crt", c.SSLCert}, {"PGSSLKEY", "client.key", c.SSLKey}, {"PGSSLROOTCERT", "root.crt", c.SSLRootCert},
	} {
		switch {
		case f.value == "":
		case c.SSLInline && f.value != "system":
			write(f.variable, f.name, f.value)
		default:
			env = append(env, f.variable+"="+f.value)
		}
	}
	if lines := s.service(); len(lines) > 0 {
		for _, line := range lines {
			if strings.ContainsAny(line, "\r\n") || strings.TrimSpace(line) != line {
				return nil, errors.New("sslpassword has blanks at its end or a line break, which a service file cannot hold")
			}
		}
		write("PGSERVICEFILE", "services", "[pycopg]\n"+strings.Join(lines, "\n")+"\n")
		env = append(env, "PGSERVICE=pycopg")
	}
	return env, err
}

// secrets are what must not appear in an error.
func (s *settings) secrets() []string {
	return slices.DeleteFunc([]string{s.attempt.Password, s.cfg.SSLPassword}, func(s string) bool { return s == "" })
}

// cleanEnv leaves out what would change how a program connects or speaks.
func cleanEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		name = strings.ToUpper(name)
		return strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "PSQL") || strings.HasPrefix(name, "LC_") || name == "LANG" || name == "LANGUAGE"
	})
}
