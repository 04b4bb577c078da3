package driver

import (
	sqldriver "database/sql/driver"
	"encoding/binary"
	"math"
	"time"
)

// pgEpoch is 2000-01-01 in Unix seconds.
const pgEpoch = 946684800

// The first and last values that PostgreSQL stores: what infinity=clamp makes of the infinite ones.
var (
	firstTime     = time.Date(-4713, time.November, 24, 0, 0, 0, 0, time.UTC)
	lastTimestamp = time.Date(294276, time.December, 31, 23, 59, 59, 999999000, time.UTC)
	lastDate      = time.Date(5874897, time.December, 31, 0, 0, 0, 0, time.UTC)
)

// noZone is the location that lib/pq gives to values without a time zone.
var noZone = time.FixedZone("", 0)

// zoneless is where a date or a timestamp without time zone is shown.
func (c *codecs) zoneless() *time.Location {
	if c.isPq() {
		return noZone
	}
	return time.UTC
}

// infinite is the value of "infinity" or "-infinity".
func (c *codecs) infinite(text string, last time.Time, loc *time.Location) sqldriver.Value {
	switch {
	case c.infinity == InfinityClamp && text[0] == '-':
		return firstTime.In(loc)
	case c.infinity == InfinityClamp:
		return last.In(loc)
	case c.isPq():
		return []byte(text)
	}
	return text
}

func decodeDateBinary(c *codecs, src []byte) (sqldriver.Value, error) {
	if len(src) != 4 {
		return nil, malformed("binary date", src)
	}
	days := int32(binary.BigEndian.Uint32(src))
	switch days {
	case math.MaxInt32:
		return c.infinite("infinity", lastDate, c.zoneless()), nil
	case math.MinInt32:
		return c.infinite("-infinity", lastDate, c.zoneless()), nil
	}
	return c.box.time(dateAt(days).In(c.zoneless())), nil
}

// dateAt is the day so many days after 2000-01-01.
func dateAt(days int32) time.Time { return time.Unix(pgEpoch+int64(days)*86400, 0) }

func decodeTimestampBinary(c *codecs, src []byte) (sqldriver.Value, error) {
	return c.timestampBinary(src, c.zoneless())
}

func decodeTimestamptzBinary(c *codecs, src []byte) (sqldriver.Value, error) {
	return c.timestampBinary(src, c.location())
}

func (c *codecs) timestampBinary(src []byte, loc *time.Location) (sqldriver.Value, error) {
	if len(src) != 8 {
		return nil, malformed("binary timestamp", src)
	}
	micros := int64(binary.BigEndian.Uint64(src))
	switch micros {
	case math.MaxInt64:
		return c.infinite("infinity", lastTimestamp, loc), nil
	case math.MinInt64:
		return c.infinite("-infinity", lastTimestamp, loc), nil
	}
	return c.box.time(timestampAt(micros).In(loc)), nil
}

// timestampAt is the instant so many microseconds after 2000-01-01 UTC.
func timestampAt(micros int64) time.Time {
	return time.Unix(pgEpoch+micros/1e6, micros%1e6*1000)
}

func decodeDateText(c *codecs, src []byte) (sqldriver.Value, error) {
	return c.timestampText(src, "date", lastDate, c.zoneless())
}

func decodeTimestampText(c *codecs, src []byte) (sqldriver.Value, error) {
	return c.timestampText(src, "timestamp", lastTimestamp, c.zoneless())
}

func decodeTimestamptzText(c *codecs, src []byte) (sqldriver.Value, error) {
	return c.timestampText(src, "timestamptz", lastTimestamp, c.location())
}

func (c *codecs) timestampText(src []byte, what string, last time.Time, loc *time.Location) (sqldriver.Value, error) {
	if text := borrowed(src); text == "infinity" || text == "-infinity" {
		return c.infinite(string(src), last, loc), nil
	}
	t, ok := parseTimestamp(src)
	if !ok {
		return nil, malformed(what, src)
	}
	return c.box.time(t.In(loc)), nil
}

// decodeTimeOfDay gives time and timetz as lib/pq does: on the first day of year 0, 24:00 on the second.
func decodeTimeOfDay(_ *codecs, src []byte) (sqldriver.Value, error) {
	t, ok := parseTimeOfDay(src)
	if !ok {
		return nil, malformed("time", src)
	}
	return t, nil
}

func parseTimeOfDay(src []byte) (t time.Time, ok bool) {
	p := textParser{src: src}
	clock, ok := p.clock()
	if !ok {
		return t, false
	}
	loc := time.UTC
	if !p.done() {
		offset, ok := p.offset()
		if !ok || !p.done() {
			return t, false
		}
		if loc = noZone; offset != 0 {
			loc = time.FixedZone("", offset)
		}
	}
	return time.Date(0, 1, 1, 0, 0, 0, 0, loc).Add(clock), true
}
