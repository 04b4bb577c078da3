package driver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// The functions here serve one row each of the table keywords.

func (c *Config) hostList(part func(HostSpec) string) string {
	list := make([]string, len(c.Hosts))
	for i, h := range c.Hosts {
		list[i] = part(h)
	}
	if s := strings.Join(list, ","); strings.Trim(s, ",") != "" {
		return s
	}
	return ""
}

func (c *Config) portList() string {
	return c.hostList(func(h HostSpec) string { return strconv.Itoa(int(h.Port)) })
}

// acceptUTF8 knows only the encoding that the driver speaks; auto is libpq's word for the program's own.
func acceptUTF8(_ *draft, v string) error {
	switch strings.ToLower(v) {
	case "", "auto", "utf8", "utf-8", "unicode":
		return nil
	}
	return fmt.Errorf("%q is refused: the driver speaks UTF8 only", v)
}

func anyBoolean(_ *draft, v string) error {
	_, err := parseBool(v, false)
	return err
}

func tlsVersion(name, env string, field func(*Config) *string) keyword {
	k := text(name, env, field)
	k.set = func(d *draft, v string) error {
		for _, known := range tlsVersionNames {
			if strings.EqualFold(v, known) {
				*field(d.Config) = known
				return nil
			}
		}
		if v != "" {
			return fmt.Errorf("%q is none of %s", v, strings.Join(tlsVersionNames, ", "))
		}
		*field(d.Config) = ""
		return nil
	}
	return k
}

var authMethods = []string{"password", "md5", "gss", "sspi", "scram-sha-256", "oauth", "none"}

// setRequireAuth takes a list of methods, all or none of them negated with "!".
func setRequireAuth(d *draft, v string) error {
	d.RequireAuth = v
	if v == "" {
		return nil
	}
	var seen []string
	negated := strings.HasPrefix(strings.Trim(v, dsnSpace), "!")
	for part := range strings.SplitSeq(v, ",") {
		name, neg := strings.CutPrefix(strings.Trim(part, dsnSpace), "!")
		switch {
		case !slices.Contains(authMethods, name):
			return fmt.Errorf("%q is none of %s", name, strings.Join(authMethods, ", "))
		case neg != negated:
			return errors.New("methods with and without ! cannot be mixed")
		case slices.Contains(seen, name):
			return fmt.Errorf("%q is named twice", name)
		}
		seen = append(seen, name)
	}
	return nil
}

func setKeepAlivesCount(d *draft, v string) error {
	n, err := parseCount(orDefault(v, "0"))
	if d.KeepAlivesCount = n; v != "" && n == 0 {
		d.KeepAlivesCount = -1
	}
	return err
}

func getKeepAlivesCount(c *Config) string {
	switch {
	case c.KeepAlivesCount == 0:
		return ""
	case c.KeepAlivesCount < 0:
		return "0"
	}
	return strconv.Itoa(c.KeepAlivesCount)
}

var execModes = []struct {
	name string
	mode pgx.QueryExecMode
}{
	{"", 0},
	{"cache_statement", pgx.QueryExecModeCacheStatement},
	{"cache_describe", pgx.QueryExecModeCacheDescribe},
	{"describe_exec", pgx.QueryExecModeDescribeExec},
	{"exec", pgx.QueryExecModeExec},
	{"simple_protocol", pgx.QueryExecModeSimpleProtocol},
}

// setExecMode takes pgx's modes. All but the first prepare nothing, and so does the driver then.
func setExecMode(d *draft, v string) error {
	for _, m := range execModes {
		if m.name == v {
			d.DefaultQueryExecMode = m.mode
			if m.mode > pgx.QueryExecModeCacheStatement {
				d.aliasThreshold()
			}
			return nil
		}
	}
	return fmt.Errorf("%q is none of cache_statement, cache_describe, describe_exec, exec, simple_protocol", v)
}

// aliasThreshold prepares nothing, unless our own setting says otherwise.
func (d *draft) aliasThreshold() {
	if _, ok := d.given["prepare_threshold"]; !ok {
		d.PrepareThreshold = -1
	}
}

func getExecMode(c *Config) string {
	for _, m := range execModes {
		if m.mode == c.DefaultQueryExecMode {
			return m.name
		}
	}
	return "unknown"
}

func setTimezoneScan(d *draft, v string) error {
	d.TimezoneScan = v
	switch v {
	case "", "session", "local", "utc":
		return nil
	}
	if _, err := time.LoadLocation(v); err != nil {
		return fmt.Errorf("%q is none of session, local, utc and no time zone that this system knows", v)
	}
	return nil
}

func setStartupOptional(d *draft, v string) error {
	d.StartupOptional = nil
	for name := range strings.SplitSeq(v, ",") {
		if name = strings.Trim(name, dsnSpace); name != "" {
			d.StartupOptional = append(d.StartupOptional, name)
		}
	}
	return nil
}

func getStartupOptional(c *Config) string { return strings.Join(c.StartupOptional, ",") }

// runtimeParam sets a run-time parameter that the connection string does not set itself.
func runtimeParam(name string) func(*draft, string) error {
	return func(d *draft, v string) error {
		for given := range d.RuntimeParams {
			if strings.EqualFold(given, name) {
				return nil
			}
		}
		d.RuntimeParams[name] = v
		return nil
	}
}

// setRequireSSL is an old variable: 1 means sslmode=require where nothing gives sslmode.
func setRequireSSL(d *draft, v string) error {
	if v == "1" && d.SSLMode == "" {
		d.SSLMode = "require"
	}
	return nil
}
