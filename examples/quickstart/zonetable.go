package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// zoneTable is zone1970.tab of the tz database, which is in the public domain, as its header says.
//
//go:embed zone1970.tab
var zoneTable string

// zone is a region where clocks have agreed since 1970, and the place that gives it its name.
type zone struct {
	Name      string   `ddl:"primarykey"`
	Countries []string `ddl:"notnull"` // ISO 3166 codes, the most populous place's country first
	Latitude  float64  // degrees, north positive
	Longitude float64  // degrees, east positive
	Comment   string   `ddl:"null"` // may be empty
}

// parseZones reads the tz database's zone table: a line for each zone, its columns separated by tabs.
func parseZones(table string) ([]zone, error) {
	var zones []zone
	number := 0
	for line := range strings.Lines(table) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		z, err := parseZone(line)
		if err != nil {
			return nil, fmt.Errorf("zone table: line %d: %w", number, err)
		}
		zones = append(zones, z)
	}
	return zones, nil
}

// parseZone reads one line: country codes, coordinates, name and, in some lines, a comment.
func parseZone(line string) (zone, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 3 || len(fields) > 4 {
		return zone{}, fmt.Errorf("%q has %d columns, want 3 or 4", line, len(fields))
	}
	latitude, longitude, err := parseCoordinates(fields[1])
	if err != nil {
		return zone{}, err
	}
	z := zone{
		Name:      fields[2],
		Countries: strings.Split(fields[0], ","),
		Latitude:  latitude,
		Longitude: longitude,
	}
	if len(fields) == 4 {
		z.Comment = fields[3]
	}
	return z, nil
}
