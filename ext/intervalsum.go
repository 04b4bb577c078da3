package ext

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// intervalSum is an interval that is read part by part.
type intervalSum struct {
	months, days, micros int64
	overflow             bool
}

// intervalUnits are the units by the beginning of their names; each is a number of months, days or microseconds.
var intervalUnits = []struct {
	name                 string
	months, days, micros int64
}{
	{"microsec", 0, 0, 1},
	{"millisec", 0, 0, 1000},
	{"sec", 0, 0, 1e6},
	{"min", 0, 0, 60e6},
	{"hour", 0, 0, 3600e6},
	{"day", 0, 1, 0},
	{"week", 0, 7, 0},
	{"mon", 1, 0, 0},
	{"year", 12, 0, 0},
}

// add adds so many of a unit. ok is false for what is no number or no unit; only times may have a fraction.
func (s *intervalSum) add(number, unit string) (ok bool) {
	for _, u := range intervalUnits {
		if !strings.HasPrefix(unit, u.name) {
			continue
		}
		if strings.Contains(number, ".") {
			return u.micros > 0 && s.fraction(number, u.micros)
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return false
		}
		s.plus(&s.months, n, u.months)
		s.plus(&s.days, n, u.days)
		s.plus(&s.micros, n, u.micros)
		return true
	}
	return false
}

// plus adds n times unit.
func (s *intervalSum) plus(to *int64, n, unit int64) {
	hi, lo := bits.Mul64(uint64(max(n, -n)), uint64(unit))
	product := int64(lo)
	if n < 0 {
		product = -product
	}
	sum := *to + product
	if hi != 0 || lo > math.MaxInt64 && !(n < 0 && lo == 1<<63) || (sum > *to) != (product > 0) && product != 0 {
		s.overflow = true
	}
	*to = sum
}

// fraction adds a number with a fraction, of a unit of time, to the microsecond.
func (s *intervalSum) fraction(number string, unit int64) bool {
	digits, negative := strings.CutPrefix(number, "-")
	digits = strings.TrimPrefix(digits, "+")
	whole, part, _ := strings.Cut(digits, ".")
	if whole == "" {
		whole = "0"
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || part == "" || len(part) > 9 || whole[0] < '0' {
		return false
	}
	f, err := strconv.ParseUint(part, 10, 64)
	if err != nil {
		return false
	}
	micros := int64(math.Round(float64(f) / math.Pow10(len(part)) * float64(unit)))
	if negative {
		n, micros = -n, -micros
	}
	s.plus(&s.micros, n, unit)
	s.plus(&s.micros, micros, 1)
	return true
}

// clock adds 04:05:06.789, with a sign or without.
func (s *intervalSum) clock(text string) bool {
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "-", rest
	}
	parts := strings.Split(strings.TrimPrefix(text, "+"), ":")
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	for i, unit := range []string{"hour", "min", "sec"}[:len(parts)] {
		if parts[i] == "" || parts[i][0] < '0' || parts[i][0] > '9' || i < 2 && strings.Contains(parts[i], ".") || !s.add(sign+parts[i], unit) {
			return false
		}
	}
	return true
}

// yearsMonths adds 1-2 of style sql_standard, with a sign for both or without.
func (s *intervalSum) yearsMonths(text string) bool {
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "-", rest
	}
	years, months, _ := strings.Cut(strings.TrimPrefix(text, "+"), "-")
	return years != "" && months != "" && years[0] != '-' && months[0] != '-' && s.add(sign+years, "year") && s.add(sign+months, "mon")
}

var errIntervalRange = errors.New("out of range")

// interval is the sum, of the opposite sign with ago.
func (s *intervalSum) interval(ago bool) (Interval, error) {
	if ago {
		if s.days != math.MinInt32 { // which servers before PostgreSQL 15 fail to negate where they write ago
			s.days = -s.days
		}
		s.months, s.micros = -s.months, -s.micros
	}
	i := Interval{Months: int32(s.months), Days: int32(s.days), Micros: s.micros}
	if s.overflow || int64(i.Months) != s.months || int64(i.Days) != s.days {
		return Interval{}, errIntervalRange
	}
	return i, nil
}
