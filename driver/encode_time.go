package driver

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// The range of timestamp and timestamptz in microseconds since 2000, the last one excluded.
const (
	minTimestamp = -211813488000000000
	endTimestamp = 9223371331200000000
)

// The range of date in days since 2000, both ends excluded.
const (
	minDate = -2451545 - 1
	endDate = 2145031949
)

// maxOffset is the largest offset from UTC, in seconds, that the server reads.
const maxOffset = 15*3600 + 59*60 + 59

// pgMicros is t in microseconds since 2000-01-01 UTC, halves rounded to even. ok is false outside the range of timestamps.
func pgMicros(t time.Time) (micros int64, ok bool) {
	seconds := t.Unix() - pgEpoch
	if seconds < minTimestamp/1e6-1 || seconds > endTimestamp/1e6 {
		return 0, false
	}
	micros = seconds*1e6 + roundMicros(int64(t.Nanosecond()))
	return micros, micros >= minTimestamp && micros < endTimestamp
}

// roundMicros is nanoseconds in microseconds, halves rounded to even.
func roundMicros(nanos int64) int64 {
	micros, rest := nanos/1000, nanos%1000
	switch {
	case rest > 500 || rest == 500 && micros%2 != 0:
		return micros + 1
	case rest < -500 || rest == -500 && micros%2 != 0:
		return micros - 1
	}
	return micros
}

// roundTime is t with whole microseconds.
func roundTime(t time.Time) time.Time {
	nanos := int64(t.Nanosecond())
	return t.Add(time.Duration(roundMicros(nanos)*1000 - nanos))
}

// wallClock is the instant at which a clock in UTC shows what t shows.
func wallClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// clamped is the text of a time that stands for an infinite one with infinity=clamp, else "".
func (c *codecs) clamped(t, last time.Time) string {
	switch {
	case c.infinity != InfinityClamp:
		return ""
	case !t.After(firstTime):
		return "-infinity"
	case !t.Before(last):
		return "infinity"
	}
	return ""
}

// appendBinaryTime appends a time for a type whose binary value is the one of its text: the instant for timestamptz, the clock
// on the wall for timestamp and date. ok is false for other types and outside their range.
func (c *codecs) appendBinaryTime(dst []byte, oid uint32, t time.Time) (_ []byte, ok bool) {
	switch oid {
	case pgtype.TimestampOID:
		t = wallClock(t)
	case pgtype.DateOID:
		t = wallClock(roundTime(t))
		days := (t.Unix() - pgEpoch - daySeconds(t)) / 86400
		if c.clamped(t, lastDate) != "" || days <= minDate || days >= endDate {
			return dst, false
		}
		return binary.BigEndian.AppendUint32(dst, uint32(int32(days))), true
	case pgtype.TimestamptzOID:
	default:
		return dst, false
	}
	micros, ok := pgMicros(t)
	if !ok || c.clamped(t, lastTimestamp) != "" {
		return dst, false
	}
	return binary.BigEndian.AppendUint64(dst, uint64(micros)), true
}

// appendTimeText appends a time for the type oid, 0 when it is not known.
func (c *codecs) appendTimeText(dst []byte, oid uint32, t time.Time) []byte {
	last, shown := lastTimestamp, t
	switch oid {
	case pgtype.DateOID:
		last, shown = lastDate, wallClock(t)
	case pgtype.TimestampOID:
		shown = wallClock(t)
	}
	if text := c.clamped(shown, last); text != "" {
		return append(dst, text...)
	}
	return appendTimestamp(dst, t)
}

// daySeconds is how many seconds of its day t has passed on its own clock.
func daySeconds(t time.Time) int64 {
	hours, minutes, seconds := t.Clock()
	return int64(hours)*3600 + int64(minutes)*60 + int64(seconds)
}

// appendTimestamp appends t as ISO text with its offset, in whole microseconds, which every date and time type reads.
// An offset that the server would refuse is replaced by UTC.
func appendTimestamp(dst []byte, t time.Time) []byte {
	t = roundTime(t)
	if _, offset := t.Zone(); offset > maxOffset || offset < -maxOffset {
		t = t.UTC()
	}
	year, month, day := t.Date()
	beforeChrist := year <= 0
	if beforeChrist {
		year = 1 - year
	}
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(append(dst, '-'), int(month), 2)
	dst = appendPadded(append(dst, '-'), day, 2)
	dst = appendClock(append(dst, ' '), time.Duration(daySeconds(t))*time.Second+time.Duration(t.Nanosecond()))
	dst = appendOffset(dst, t)
	if beforeChrist {
		dst = append(dst, " BC"...)
	}
	return dst
}

func appendOffset(dst []byte, t time.Time) []byte {
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = appendPadded(append(dst, sign), offset/3600, 2)
	dst = appendPadded(append(dst, ':'), offset/60%60, 2)
	if seconds := offset % 60; seconds != 0 {
		dst = appendPadded(append(dst, ':'), seconds, 2)
	}
	return dst
}

// appendClock appends hours:minutes:seconds and the microseconds, if any, of a duration that is not negative.
func appendClock(dst []byte, d time.Duration) []byte {
	micros := roundMicros(int64(d))
	dst = appendPadded(dst, int(micros/3600e6), 2)
	dst = appendPadded(append(dst, ':'), int(micros/60e6%60), 2)
	dst = appendPadded(append(dst, ':'), int(micros/1e6%60), 2)
	if fraction := micros % 1e6; fraction != 0 {
		dst = appendPadded(append(dst, '.'), int(fraction), 6)
	}
	return dst
}

// appendPadded appends n, which is not negative, with at least width digits.
func appendPadded(dst []byte, n, width int) []byte {
	for limit := pow10(width - 1); width > 1 && n < limit; limit /= 10 {
		dst = append(dst, '0')
		width--
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// appendBinaryDuration appends a duration for interval or time. ok is false for other types, and for what is no time of day.
func appendBinaryDuration(dst []byte, oid uint32, d time.Duration) (_ []byte, ok bool) {
	switch {
	case oid == pgtype.IntervalOID:
		dst = binary.BigEndian.AppendUint64(dst, uint64(roundMicros(int64(d))))
		return append(dst, 0, 0, 0, 0, 0, 0, 0, 0), true // no days, no months
	case oid == pgtype.TimeOID && d >= 0 && d <= 24*time.Hour:
		return binary.BigEndian.AppendUint64(dst, uint64(roundMicros(int64(d)))), true
	}
	return dst, false
}

// appendDurationText appends nanoseconds for numbers, Go's text for strings, and a clock for what else there is.
func appendDurationText(dst []byte, oid uint32, d time.Duration) []byte {
	switch {
	case isNumber(oid) || isJSON(oid):
		return strconv.AppendInt(dst, int64(d), 10)
	case isStringType(oid):
		return append(dst, d.String()...)
	case d < 0:
		return appendClock(append(dst, '-'), -d)
	}
	return appendClock(dst, d)
}
