package driver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions here make the rows of the table keywords.

// accept takes any value: it is used elsewhere, or asks for nothing.
func accept(*draft, string) error { return nil }

// refused refuses every value but those that ask for nothing.
func refused(reason string, harmless ...string) func(*draft, string) error {
	return func(_ *draft, v string) error {
		if slices.Contains(harmless, strings.ToLower(v)) {
			return nil
		}
		return errors.New("refused: " + reason)
	}
}

func text(name, env string, field func(*Config) *string) keyword {
	return keyword{
		name: name, env: env,
		set: func(d *draft, v string) error { *field(d.Config) = v; return nil },
		get: func(c *Config) string { return *field(c) },
	}
}

func hidden(k keyword) keyword {
	k.secret = true
	return k
}

// unseen keeps a key out of String, where it would be read a second time.
func unseen(k keyword) keyword {
	k.get = nil
	return k
}

// inlineKey hides the value while it holds the private key itself.
func inlineKey(k keyword) keyword {
	get := k.get
	k.get = func(c *Config) string {
		if c.SSLInline {
			return ""
		}
		return get(c)
	}
	return k
}

// onlyWhere refuses a key that asks for something on a platform that lacks it.
func onlyWhere(has bool, k keyword) keyword {
	set := k.set
	k.set = func(d *draft, v string) error {
		if !has && v != "" && v != "0" {
			return errors.New("refused: this platform does not offer it")
		}
		return set(d, v)
	}
	return k
}

// choice is one of some words. Where the first is "", the field's zero value has a word of its own, which its String
// method knows; "" itself always means the default.
func choice[T ~string](name, env string, field func(*Config) *T, words ...T) keyword {
	known := make([]string, len(words))
	for i, w := range words {
		known[i] = string(w)
		if s, ok := any(w).(fmt.Stringer); ok {
			known[i] = s.String()
		}
	}
	return keyword{
		name: name, env: env,
		set: func(d *draft, v string) error {
			i := slices.Index(known, v)
			switch {
			case v == "":
				*field(d.Config) = ""
			case i >= 0:
				*field(d.Config) = words[i]
			default:
				return fmt.Errorf("%q is none of %s", v, strings.Join(known, ", "))
			}
			return nil
		},
		get: func(c *Config) string { return string(*field(c)) },
	}
}

func boolean(name, env string, def bool, field func(*Config) *bool) keyword {
	return keyword{
		name: name, env: env,
		set: func(d *draft, v string) (err error) {
			*field(d.Config), err = parseBool(v, def)
			return err
		},
		get: func(c *Config) string {
			switch v := *field(c); {
			case v == def:
				return ""
			case v:
				return "1"
			}
			return "0"
		},
	}
}

// duration is a whole number of units, or a Go duration such as 1m30s.
func duration(name, env string, unit, def time.Duration, field func(*Config) *time.Duration) keyword {
	return keyword{
		name: name, env: env,
		set: func(d *draft, v string) (err error) {
			if v == "" {
				*field(d.Config) = def
				return nil
			}
			*field(d.Config), err = parseUnits(v, unit)
			return err
		},
		get: func(c *Config) string {
			if v := *field(c); v != def {
				return formatDuration(v, unit)
			}
			return ""
		},
	}
}

// probes is a duration of the keepalive group: libpq's 0 is the system's value, which Go spells as a negative one.
func probes(name string, field func(*Config) *time.Duration) keyword {
	k := duration(name, "", time.Second, 0, field)
	set, get := k.set, k.get
	k.set = func(d *draft, v string) error {
		err := set(d, v)
		if err == nil && v != "" && *field(d.Config) <= 0 {
			*field(d.Config) = -1
		}
		return err
	}
	k.get = func(c *Config) string {
		if *field(c) < 0 {
			return "0"
		}
		return get(c)
	}
	return k
}

// orNone is a number, or "none" for -1.
func orNone(name string, def int, field func(*Config) *int) keyword {
	return keyword{
		name: name,
		set: func(d *draft, v string) (err error) {
			switch v {
			case "":
				*field(d.Config) = def
			case "none":
				*field(d.Config) = -1
			default:
				*field(d.Config), err = parseCount(v)
			}
			return err
		},
		get: func(c *Config) string {
			switch v := *field(c); {
			case v == def:
				return ""
			case v < 0:
				return "none"
			default:
				return strconv.Itoa(v)
			}
		},
	}
}

func capacity(name string, field func(*Config) *int) keyword {
	return keyword{
		name: name,
		set: func(d *draft, v string) (err error) {
			*field(d.Config), err = parseCount(orDefault(v, "0"))
			return err
		},
		get: func(c *Config) string {
			if *field(c) == 0 {
				return ""
			}
			return strconv.Itoa(*field(c))
		},
	}
}

func parseBool(v string, def bool) (bool, error) {
	switch strings.ToLower(v) {
	case "":
		return def, nil
	case "1", "on", "true", "yes":
		return true, nil
	case "0", "off", "false", "no":
		return false, nil
	}
	return def, fmt.Errorf("%q is none of on, off, true, false, yes, no, 1, 0", v)
}

func parseCount(v string) (int, error) {
	n, err := strconv.ParseInt(strings.Trim(v, dsnSpace), 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number from 0 on", v)
	}
	return int(n), nil
}

func parseUnits(v string, unit time.Duration) (time.Duration, error) {
	v = strings.Trim(v, dsnSpace)
	if n, err := strconv.ParseInt(v, 10, 32); err == nil {
		return time.Duration(n) * unit, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a whole number nor a duration such as 1m30s", v)
	}
	return d, nil
}

func formatDuration(d, unit time.Duration) string {
	if d%unit == 0 && d/unit == time.Duration(int32(d/unit)) {
		return strconv.FormatInt(int64(d/unit), 10)
	}
	return d.String()
}
