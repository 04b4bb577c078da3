package main

import (
	"math"
	"time"
)

// solarElevation returns the angle of the sun's centre above the horizon, in degrees, at a place
// given in degrees. It takes no account of refraction. Between 1950 and 2050 it is good to a few
// hundredths of a degree: the sun's orbit is a Kepler ellipse to the second order here.
func solarElevation(at time.Time, latitude, longitude float64) float64 {
	declination, subsolar := sunPosition(at)
	hourAngle := radians(longitude - subsolar)
	phi := radians(latitude)
	sine := math.Sin(phi)*math.Sin(declination) + math.Cos(phi)*math.Cos(declination)*math.Cos(hourAngle)
	return degrees(math.Asin(max(-1, min(1, sine))))
}

// sunPosition returns the sun's declination in radians and, in degrees in [-180, 180], the
// longitude over which it stands.
func sunPosition(at time.Time) (declination, subsolarLongitude float64) {
	days := daysSince2000(at)
	anomaly := radians(357.529 + 0.98560028*days)
	meanLongitude := 280.459 + 0.98564736*days
	ecliptic := radians(meanLongitude + 1.915*math.Sin(anomaly) + 0.020*math.Sin(2*anomaly))
	obliquity := radians(23.439 - 0.00000036*days)

	declination = math.Asin(math.Sin(obliquity) * math.Sin(ecliptic))
	rightAscension := math.Atan2(math.Cos(obliquity)*math.Sin(ecliptic), math.Cos(ecliptic))
	siderealAngle := 280.46061837 + 360.98564736629*days // of Greenwich
	return declination, math.Remainder(degrees(rightAscension)-siderealAngle, 360)
}

// daysSince2000 counts from noon of 1 January 2000, the epoch of the formulas above.
func daysSince2000(at time.Time) float64 {
	epoch := time.Date(2000, time.January, 1, 12, 0, 0, 0, time.UTC)
	return at.Sub(epoch).Hours() / 24
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

func degrees(radians float64) float64 { return radians * 180 / math.Pi }
