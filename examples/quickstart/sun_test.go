package main

import (
	"math"
	"testing"
	"time"
)

func TestSunPosition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                   string
		at                     time.Time
		declination, longitude float64 // degrees
	}{
		// The equation of time moves the sun a degree for every four minutes.
		{"June solstice", time.Date(2026, 6, 21, 12, 0, 0, 0, time.UTC), 23.44, 1.8 / 4},
		{"December solstice", time.Date(2026, 12, 21, 12, 0, 0, 0, time.UTC), -23.44, -2.1 / 4},
		{"March equinox", time.Date(2026, 3, 20, 14, 46, 0, 0, time.UTC), 0, 7.4/4 - 166.0/4},
		{"the sun at its latest", time.Date(2026, 2, 11, 12, 0, 0, 0, time.UTC), -14.0, 14.2 / 4},
		{"the sun at its earliest", time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC), -15.0, -16.4 / 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			declination, longitude := sunPosition(tt.at)
			if got := degrees(declination); math.Abs(got-tt.declination) > 0.2 {
				t.Errorf("declination = %.3f, want %.2f", got, tt.declination)
			}
			if math.Abs(longitude-tt.longitude) > 0.1 {
				t.Errorf("the sun stands over longitude %.3f, want %.2f", longitude, tt.longitude)
			}
		})
	}
}

func TestSolarElevation(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 6, 21, 12, 0, 0, 0, time.UTC)
	declination, longitude := sunPosition(noon)
	tests := []struct {
		name                string
		at                  time.Time
		latitude, longitude float64
		want                float64
	}{
		{"where the sun stands overhead", noon, degrees(declination), longitude, 90},
		{"on the other side of the earth", noon, -degrees(declination), longitude + 180, -90},
		{"north pole", noon, 90, 0, 23.44},
		{"south pole", noon, -90, 0, -23.44},
		// Almanacs take the upper limb and refraction into account: -0.83 degrees.
		{"sunrise in London", time.Date(2026, 6, 21, 3, 43, 0, 0, time.UTC), 51.5, -0.12, -0.83},
		{"sunset in London", time.Date(2026, 6, 21, 20, 21, 30, 0, time.UTC), 51.5, -0.12, -0.83},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := solarElevation(tt.at, tt.latitude, tt.longitude); math.Abs(got-tt.want) > 0.1 {
				t.Errorf("elevation = %.3f, want %.2f", got, tt.want)
			}
		})
	}
}
