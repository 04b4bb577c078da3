package driver

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// scanLocation returns where timestamptz values are shown: as timezone_scan says, by default as the compat driver does.
// zone reports the session's TimeZone, which may change; a zone that Go does not know is shown as UTC, unless it is an
// offset.
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
	switch {
	case name == "" || name == "Local":
		return time.UTC
	case err == nil:
		return l
	}
	if offset, ok := zoneOffset(name); ok {
		return time.FixedZone("", offset)
	}
	return time.UTC
}

// zoneOffset is the seconds east of Greenwich of a zone as POSIX writes it, without daylight saving time: a name, letters or
// anything in angle brackets, and hours, minutes and seconds to the west.
func zoneOffset(zone string) (seconds int, ok bool) {
	west := strings.TrimLeft(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if strings.HasPrefix(zone, "<") {
		_, west, _ = strings.Cut(zone, ">")
	}
	sign := -1
	switch {
	case strings.HasPrefix(west, "-"):
		sign, west = 1, west[1:]
	case strings.HasPrefix(west, "+"):
		west = west[1:]
	}
	parts := strings.Split(west, ":")
	for i, unit := range []int{3600, 60, 1} {
		if i == len(parts) {
			break
		}
		n, err := strconv.ParseUint(parts[i], 10, 8)
		if err != nil {
			return 0, false
		}
		seconds += int(n) * unit
	}
	return sign * seconds, len(parts) <= 3
}
