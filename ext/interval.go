package ext

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Interval is a value of type interval, whose three parts do not convert into each other: a month has no fixed number of days, nor a
// day of hours. NULL needs a *Interval or a sql.Null.
type Interval struct {
	Months, Days int32
	Micros       int64 // microseconds
}

// The infinite intervals, which PostgreSQL 17 and later have.
var (
	InfiniteInterval    = Interval{Months: math.MaxInt32, Days: math.MaxInt32, Micros: math.MaxInt64}
	NegInfiniteInterval = Interval{Months: math.MinInt32, Days: math.MinInt32, Micros: math.MinInt64}
)

// IntervalOf is a duration as an interval without months and days, in whole microseconds.
func IntervalOf(d time.Duration) Interval { return Interval{Micros: d.Microseconds()} }

// Duration is the length of an interval without months, days of 24 hours. An error says why there is none.
func (i Interval) Duration() (time.Duration, error) {
	const day, most = 24 * time.Hour, math.MaxInt64 / int64(time.Microsecond)
	if i.Months != 0 {
		return 0, fmt.Errorf("ext: interval %s: months have no fixed length", i)
	}
	if i.Micros > most || i.Micros < -most {
		return 0, fmt.Errorf("ext: interval %s does not fit a time.Duration", i)
	}
	whole, rest := time.Duration(i.Days)*day, time.Duration(i.Micros)*time.Microsecond
	if whole/day != time.Duration(i.Days) || (whole+rest > whole) != (rest > 0) {
		return 0, fmt.Errorf("ext: interval %s does not fit a time.Duration", i)
	}
	return whole + rest, nil
}

// String is the interval as the server writes it with IntervalStyle iso_8601: P1Y2M3DT4H5M6.7S.
func (i Interval) String() string {
	switch i {
	case InfiniteInterval:
		return "infinity"
	case NegInfiniteInterval:
		return "-infinity"
	case Interval{}:
		return "PT0S"
	}
	var b strings.Builder
	part := func(n int64, unit byte) {
		if n != 0 {
			fmt.Fprintf(&b, "%d%c", n, unit)
		}
	}
	b.WriteByte('P')
	part(int64(i.Months/12), 'Y')
	part(int64(i.Months%12), 'M')
	part(int64(i.Days), 'D')
	if i.Micros == 0 {
		return b.String()
	}
	b.WriteByte('T')
	const second, minute, hour = 1e6, 60e6, 3600e6
	part(i.Micros/hour, 'H')
	part(i.Micros%hour/minute, 'M')
	if rest := i.Micros % minute; rest != 0 {
		sign := ""
		if rest < 0 {
			sign, rest = "-", -rest
		}
		text := fmt.Sprintf("%s%d.%06d", sign, rest/second, rest%second)
		b.WriteString(strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "S")
	}
	return b.String()
}

// Scan implements [database/sql.Scanner]. It reads all styles that IntervalStyle has.
func (i *Interval) Scan(src any) error {
	text, err := notNull("interval", src)
	if err != nil {
		return err
	}
	*i, err = ParseInterval(text)
	return err
}

// Value implements [sqldriver.Valuer].
func (i Interval) Value() (sqldriver.Value, error) {
	switch i {
	case InfiniteInterval:
		return "infinity", nil
	case NegInfiniteInterval:
		return "-infinity", nil
	}
	if i.Micros == math.MinInt64 { // whose digits alone the server cannot read
		return nil, fmt.Errorf("ext: interval of %d microseconds: out of range", i.Micros)
	}
	sign, micros := "", i.Micros
	if micros < 0 {
		sign, micros = "-", -micros
	}
	return fmt.Sprintf("%d mons %d days %s%d:%02d:%02d.%06d", i.Months, i.Days, sign,
		micros/3600e6, micros%3600e6/60e6, micros%60e6/1e6, micros%1e6), nil
}

var errInterval = errors.New("not an interval")

// ParseInterval reads an interval as the server writes it, in any IntervalStyle: postgres, postgres_verbose, sql_standard and
// iso_8601.
func ParseInterval(text string) (Interval, error) {
	i, err := parseInterval(strings.TrimSpace(text))
	if err != nil {
		return Interval{}, fmt.Errorf("ext: interval %q: %w", text, err)
	}
	return i, nil
}

func parseInterval(text string) (Interval, error) {
	switch {
	case text == "infinity":
		return InfiniteInterval, nil
	case text == "-infinity":
		return NegInfiniteInterval, nil
	case strings.HasPrefix(text, "P"):
		return parseISOInterval(text[1:])
	}
	var sum intervalSum
	text, verbose := strings.CutPrefix(text, "@")
	text, ago := strings.CutSuffix(text, " ago")
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return Interval{}, errInterval
	}
	standard := !strings.ContainsAny(text, "abcdefghijklmnopqrstuvwxyz")
	if standard && len(fields) > 1 && signsAll(fields) {
		fields[0], ago = fields[0][1:], true
	}
	for n := 0; n < len(fields); n++ {
		f := fields[n]
		var ok bool
		switch {
		case strings.Contains(f, ":"):
			ok = sum.clock(f)
		case standard && strings.ContainsRune(f[1:], '-'):
			ok = sum.yearsMonths(f)
		case standard && f == "0" && len(fields) == 1, verbose && f == "0" && len(fields) == 1:
			ok = true
		case standard: // days, ahead of the time
			ok = n == len(fields)-2 && strings.Contains(fields[n+1], ":") && sum.add(f, "day")
		case n+1 < len(fields):
			ok = sum.add(f, fields[n+1])
			n++
		}
		if !ok {
			return Interval{}, errInterval
		}
	}
	return sum.interval(ago)
}

// signsAll reports whether a minus ahead of an interval of style sql_standard is that of all its parts: no other has a sign.
func signsAll(fields []string) bool {
	for i, f := range fields {
		if (f[0] == '-') != (i == 0) || f[0] == '+' {
			return false
		}
	}
	return len(fields[0]) > 1
}

func parseISOInterval(text string) (Interval, error) {
	var sum intervalSum
	date, clock, hasClock := strings.Cut(text, "T")
	if hasClock && clock == "" || date == "" && !hasClock {
		return Interval{}, errInterval
	}
	for _, part := range []struct {
		text  string
		units map[byte]string
	}{
		{date, map[byte]string{'Y': "year", 'M': "mon", 'W': "week", 'D': "day"}},
		{clock, map[byte]string{'H': "hour", 'M': "min", 'S': "sec"}},
	} {
		for rest := part.text; rest != ""; {
			n := strings.IndexFunc(rest, func(r rune) bool { return r >= 'A' && r <= 'Z' })
			if n < 1 || !sum.add(rest[:n], part.units[rest[n]]) {
				return Interval{}, errInterval
			}
			rest = rest[n+1:]
		}
	}
	return sum.interval(false)
}
