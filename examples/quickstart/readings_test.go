package main

import (
	"slices"
	"testing"
)

func TestReadingsVisitEveryZoneEveryHour(t *testing.T) {
	t.Parallel()
	zones := []zone{{Name: "a"}, {Name: "b"}}
	var got []string
	for r, err := range readings(zones, 5) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.At.Format("15:04 ")+r.Zone)
	}
	want := []string{"00:00 a", "00:00 b", "01:00 a", "01:00 b", "02:00 a"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
