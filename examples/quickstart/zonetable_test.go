package main

import (
	"strings"
	"testing"
)

func TestParseZonesReadsTheShippedTable(t *testing.T) {
	t.Parallel()
	zones, err := parseZones(zoneTable)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(zones), 312; got != want {
		t.Errorf("%d zones, want %d", got, want)
	}
	byName := make(map[string]zone, len(zones))
	for _, z := range zones {
		byName[z.Name] = z
	}
	if got := strings.Join(byName["Asia/Dubai"].Countries, " "); got != "AE OM RE SC TF" {
		t.Errorf("countries of Asia/Dubai = %q", got)
	}
	if got := byName["Asia/Dubai"].Comment; got != "Crozet" {
		t.Errorf("comment of Asia/Dubai = %q", got)
	}
	if got := byName["Europe/Andorra"].Comment; got != "" {
		t.Errorf("comment of Europe/Andorra = %q, want none", got)
	}
}

func TestParseZonesSkipsCommentsAndEmptyLines(t *testing.T) {
	t.Parallel()
	zones, err := parseZones("# comment\r\n\r\nCH\t+4723+00832\tEurope/Zurich\r\n\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(zones) != 1 || zones[0].Name != "Europe/Zurich" || zones[0].Comment != "" {
		t.Errorf("got %+v, want Europe/Zurich alone", zones)
	}
}

func TestParseZonesNamesTheLineItRefuses(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"too few columns":  "CH\t+4723+00832",
		"too many columns": "CH\t+4723+00832\tEurope/Zurich\tcomment\tmore",
		"bad coordinates":  "CH\t+4760+00832\tEurope/Zurich",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseZones("# a comment\n" + line + "\n")
			if err == nil || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("error = %v, want one that names line 2", err)
			}
		})
	}
}

// FuzzParseZone puts a parsed line together again.
func FuzzParseZone(f *testing.F) {
	f.Add("CH\t+4723+00832\tEurope/Zurich")
	f.Add("AE,OM\t+2518+05518\tAsia/Dubai\tCrozet")
	f.Add("\t\t")
	f.Fuzz(func(t *testing.T, line string) {
		z, err := parseZone(line)
		if err != nil {
			return
		}
		coordinates := strings.Split(line, "\t")[1]
		got := strings.Join([]string{strings.Join(z.Countries, ","), coordinates, z.Name, z.Comment}, "\t")
		if got != line && got != line+"\t" {
			t.Errorf("%q became %q", line, got)
		}
	})
}
