package main

import (
	"fmt"
	"strconv"
)

// latitudeLength maps the length of both coordinates to that of the first.
var latitudeLength = map[int]int{
	len("+DDMM+DDDMM"):     len("+DDMM"),
	len("+DDMMSS+DDDMMSS"): len("+DDMMSS"),
}

// parseCoordinates reads a latitude and a longitude written as ISO 6709 does without separators,
// ±DDMM±DDDMM or ±DDMMSS±DDDMMSS, into degrees.
func parseCoordinates(s string) (latitude, longitude float64, err error) {
	middle, ok := latitudeLength[len(s)]
	if !ok {
		return 0, 0, fmt.Errorf("coordinates %q: want ±DDMM±DDDMM or ±DDMMSS±DDDMMSS", s)
	}
	if latitude, err = parseAngle(s[:middle], 2, 90); err != nil {
		return 0, 0, fmt.Errorf("coordinates %q: latitude: %w", s, err)
	}
	if longitude, err = parseAngle(s[middle:], 3, 180); err != nil {
		return 0, 0, fmt.Errorf("coordinates %q: longitude: %w", s, err)
	}
	return latitude, longitude, nil
}

// parseAngle reads a sign, degrees of the given number of digits, then minutes and perhaps
// seconds of two digits each. The result lies in [-limit, limit].
func parseAngle(s string, degreeDigits int, limit float64) (float64, error) {
	sign, digits := s[0], s[1:]
	if sign != '+' && sign != '-' {
		return 0, fmt.Errorf("%q has no sign", s)
	}
	angle, err := parseDigits(digits[:degreeDigits])
	if err != nil {
		return 0, err
	}
	unit := 1.0
	for rest := digits[degreeDigits:]; rest != ""; rest = rest[2:] {
		sixtieths, err := parseDigits(rest[:2])
		if err != nil {
			return 0, err
		}
		if sixtieths >= 60 {
			return 0, fmt.Errorf("%q has 60 or more minutes or seconds", s)
		}
		unit /= 60
		angle += sixtieths * unit
	}
	if angle > limit {
		return 0, fmt.Errorf("%q is beyond %v degrees", s, limit)
	}
	if sign == '-' {
		angle = -angle
	}
	return angle, nil
}

// parseDigits reads decimal digits and nothing else, neither a sign nor a space.
func parseDigits(s string) (float64, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return float64(n), nil
}
