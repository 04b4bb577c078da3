package driver

import (
	"fmt"
	"time"
)

// scanLocation returns where timestamptz values are shown: as timezone_scan says, by default as the compat driver does.
// zone reports the session's TimeZone, which may change; a zone that Go does not know is shown as UTC.
func scanLocation(setting string, compat Compat, zone func() string) (func() *time.Location, error) {
	if setting == "" {
		setting = "local"
		if compat == CompatPq {
			setting = "session"
		}
	}
	switch setting {
	case "local":
		return func() *time.Location { return time.Local }, nil
	case "utc":
		return func() *time.Location { return time.UTC }, nil
	case "session":
		return sessionLocation(zone), nil
	}
	l, err := time.LoadLocation(setting)
	if err != nil {
		return nil, fmt.Errorf("driver: timezone_scan: %w", err)
	}
	return func() *time.Location { return l }, nil
}

// sessionLocation follows the session's TimeZone, loading each name once.
func sessionLocation(zone func() string) func() *time.Location {
	var name string
	var at *time.Location
	return func() *time.Location {
		if now := zone(); at == nil || now != name {
			name, at = now, loadZone(now)
		}
		return at
	}
}

// loadZone returns the names of UTC as [time.UTC], as lib/pq does: programs compare times by ==.
func loadZone(name string) *time.Location {
	switch name {
	case "UTC", "Etc/UTC", "Etc/Universal", "Etc/Zulu", "Etc/UCT":
		return time.UTC
	}
	l, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return time.UTC
	}
	return l
}
