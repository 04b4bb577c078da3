package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestParseCoordinates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in                  string
		latitude, longitude float64
	}{
		{"+4723+00832", 47 + 23/60.0, 8 + 32/60.0},
		{"-3352+15113", -(33 + 52/60.0), 151 + 13/60.0},
		{"+404251-0740023", 40 + 42/60.0 + 51/3600.0, -(74 + 0/60.0 + 23/3600.0)},
		{"+0000+00000", 0, 0},
		{"-900000+1800000", -90, 180},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			latitude, longitude, err := parseCoordinates(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(latitude-tt.latitude) > 1e-9 || math.Abs(longitude-tt.longitude) > 1e-9 {
				t.Errorf("got %v, %v, want %v, %v", latitude, longitude, tt.latitude, tt.longitude)
			}
		})
	}
}

func TestParseCoordinatesNamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"",
		"+4723",
		"+4723+0832",
		"+472300+00832",
		"4723+00832 ",
		"+47 3+00832",
		"+4723+-0832",
		"+4760+00832",
		"+472360+0083200",
		"+9001+00000",
		"+0000-18001",
		"+4723+0083²",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			latitude, longitude, err := parseCoordinates(in)
			if err == nil {
				t.Fatalf("got %v, %v, want an error", latitude, longitude)
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("%q", in)) {
				t.Errorf("the error %q does not name the input", err)
			}
		})
	}
}

// FuzzParseCoordinates writes what was parsed in the long form again, which must give the same text.
func FuzzParseCoordinates(f *testing.F) {
	for _, seed := range []string{"+4723+00832", "-0000-00000", "+404251-0740023", "-900000+1800000", "", "+5+5", "±DDMM±DDDMM"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		latitude, longitude, err := parseCoordinates(in)
		if err != nil {
			return
		}
		want := in
		if len(in) == len("+DDMM+DDDMM") {
			want = in[:5] + "00" + in[5:] + "00"
		}
		if got := formatAngle(latitude, 2) + formatAngle(longitude, 3); got != want {
			t.Errorf("%q became %v, %v, which is %q", in, latitude, longitude, got)
		}
	})
}

func formatAngle(angle float64, degreeDigits int) string {
	sign := "+"
	if math.Signbit(angle) {
		sign = "-"
	}
	seconds := int(math.Round(math.Abs(angle) * 3600))
	return fmt.Sprintf("%s%0*d%02d%02d", sign, degreeDigits, seconds/3600, seconds/60%60, seconds%60)
}
