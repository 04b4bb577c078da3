package driver

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parseConfig reads a connection string, then the service it names, then the environment, each filling what the one
// before left open.
func parseConfig(dsn, source string, lookup lookupFunc) (*Config, error) {
	var given map[string]string
	var err error
	if rest, ok := cutScheme(dsn); ok {
		given, err = parseURL(rest)
	} else {
		given, err = parseKeyValue(dsn)
	}
	if err != nil {
		return nil, sourced(err, source)
	}
	return buildConfig(given, source, lookup)
}

// buildConfig makes a Config from the settings of a connection string.
func buildConfig(given map[string]string, source string, lookup lookupFunc) (*Config, error) {
	d := &draft{Config: newConfig(lookup), given: map[string]setting{}}
	d.fill(given, func(string) string { return source })
	env := environmentSettings(lookup)
	if err := d.fillService(env, lookup); err != nil {
		return nil, err
	}
	d.fill(env, func(key string) string { return keywordIndex[key].env })
	if err := d.apply(); err != nil {
		return nil, err
	}
	for _, v := range environment {
		if value := lookup.value(v.name); value != "" {
			if err := v.set(d, value); err != nil {
				return nil, &ParseError{Source: v.name, Reason: err.Error()}
			}
		}
	}
	if err := d.finish(); err != nil {
		return nil, err
	}
	return d.Config, nil
}

// addSetting stores a setting under its libpq name.
func addSetting(out map[string]string, key, value string) {
	switch key {
	case "database":
		key = "dbname"
	case "ssl": // JDBC's ssl=true, asyncpg's ssl=require
		if key = "sslmode"; value == "true" {
			value = "require"
		}
	}
	out[key] = value
}

func (d *draft) fill(from map[string]string, source func(key string) string) {
	for key, value := range from {
		if _, ok := d.given[key]; !ok {
			d.given[key] = setting{value, source(key)}
		}
	}
}

// apply sets each field from the given settings; what is no key of ours becomes a run-time parameter.
func (d *draft) apply() error {
	for _, key := range slices.Sorted(maps.Keys(d.given)) {
		s := d.given[key]
		fail := func(reason string) error { return &ParseError{Key: key, Source: s.source, Reason: reason} }
		if strings.IndexByte(key, 0) >= 0 || strings.IndexByte(s.value, 0) >= 0 {
			return fail("a NUL byte is not allowed")
		}
		if k := keywordIndex[key]; k != nil {
			if err := k.set(d, s.value); err != nil {
				return fail(err.Error())
			}
			continue
		}
		if near := misspelt(key); near != "" {
			return fail("unknown, perhaps " + near + " is meant")
		}
		d.RuntimeParams[key] = s.value
	}
	return nil
}

// finish assembles what depends on several settings and checks them together.
func (d *draft) finish() error {
	if err := d.buildHosts(); err != nil {
		return err
	}
	if d.User == "" {
		d.User = osUser()
	}
	if s, ok := d.given["statement_cache_capacity"]; ok && d.StatementCacheCapacity == 0 && s.value != "" {
		d.aliasThreshold()
	}
	if err := d.validate(); err != nil {
		var e *ParseError
		if errors.As(err, &e) {
			return sourced(e, d.given[e.Key].source)
		}
		return err
	}
	return nil
}

// buildHosts joins the lists of hosts, addresses and ports, which must be of equal length; one port serves all hosts.
func (d *draft) buildHosts() error {
	host, addr, port := d.given["host"], d.given["hostaddr"], d.given["port"]
	hosts, addrs, ports := strings.Split(host.value, ","), strings.Split(addr.value, ","), strings.Split(port.value, ",")
	n := len(hosts)
	if host.value == "" && addr.value != "" {
		n = len(addrs)
	}
	at := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}
	if addr.value != "" && len(addrs) != n {
		return &ParseError{Key: "hostaddr", Source: addr.source, Reason: countReason(len(addrs), "addresses", n)}
	}
	if len(ports) > 1 && len(ports) != n {
		return &ParseError{Key: "port", Source: port.source, Reason: countReason(len(ports), "ports", n)}
	}
	for i := range n {
		p, err := parsePort(at(ports, min(i, len(ports)-1)))
		if err != nil {
			return &ParseError{Key: "port", Source: port.source, Reason: err.Error()}
		}
		h := HostSpec{Host: at(hosts, i), HostAddr: at(addrs, i), Port: p}
		if h.Host == "" && h.HostAddr == "" {
			h.Host = defaultHost()
		}
		d.Hosts = append(d.Hosts, h)
	}
	return nil
}

func countReason(n int, what string, hosts int) string {
	return strconv.Itoa(n) + " " + what + " for " + strconv.Itoa(hosts) + " hosts"
}

// parsePort does not show what it refuses: in a mistyped URL a piece of the password stands where the port belongs.
func parsePort(s string) (uint16, error) {
	if s = strings.Trim(s, dsnSpace); s == "" {
		return defaultPort, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("not a number from 1 to 65535")
	}
	return uint16(n), nil
}

// sourced adds where a value came from to an error that does not say.
func sourced(err error, source string) error {
	var e *ParseError
	if errors.As(err, &e) && e.Source == "" {
		e.Source = source
	}
	return err
}
