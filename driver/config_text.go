package driver

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
)

// settings calls yield with each key that differs from its default, secrets left out.
func (c *Config) settings(yield func(key, value string)) {
	for _, k := range keywords {
		if k.get == nil || k.secret {
			continue
		}
		if v := k.get(c); v != "" {
			yield(k.name, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.RuntimeParams)) {
		yield(name, c.RuntimeParams[name])
	}
}

// String is a DSN of the key=value form without secrets: no password, no pass phrase, no inline private key.
func (c Config) String() string {
	var b []byte
	c.settings(func(key, value string) { b = appendSetting(b, key, value) })
	return string(b)
}

// GoString is String inside driver.Config{}.
func (c Config) GoString() string { return "driver.Config{" + c.String() + "}" }

// Format prints String for every verb; %#v prints GoString and %q quotes.
func (c Config) Format(f fmt.State, verb rune) { formatSafe(f, verb, c.String(), c.GoString()) }

// MarshalJSON is an object with the settings of String.
func (c Config) MarshalJSON() ([]byte, error) {
	object := map[string]string{}
	c.settings(func(key, value string) { object[key] = value })
	return json.Marshal(object)
}

// LogValue is a group with the settings of String.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	c.settings(func(key, value string) { attrs = append(attrs, slog.String(key, value)) })
	return slog.GroupValue(attrs...)
}

// formatSafe prints a text in place of a struct that holds secrets.
func formatSafe(f fmt.State, verb rune, text, goText string) {
	switch {
	case verb == 'v' && f.Flag('#'):
		text = goText
	case verb == 'q':
		text = fmt.Sprintf("%q", text)
	}
	_, _ = io.WriteString(f, text)
}
