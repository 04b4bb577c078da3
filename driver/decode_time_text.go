package driver

import (
	"bytes"
	"time"
)

// textParser reads the ISO forms of dates and times from left to right. Nothing is kept of src.
type textParser struct{ src []byte }

func (p *textParser) done() bool { return len(p.src) == 0 }

// take consumes b if it comes next.
func (p *textParser) take(b byte) bool {
	if len(p.src) == 0 || p.src[0] != b {
		return false
	}
	p.src = p.src[1:]
	return true
}

// number reads between least and most digits.
func (p *textParser) number(least, most int) (n int, ok bool) {
	digits := 0
	for digits < most && digits < len(p.src) && p.src[digits] >= '0' && p.src[digits] <= '9' {
		n = n*10 + int(p.src[digits]-'0')
		digits++
	}
	p.src = p.src[digits:]
	return n, digits >= least
}

// part reads a separator and two digits not above limit.
func (p *textParser) part(separator byte, limit int) (n int, ok bool) {
	if !p.take(separator) {
		return 0, false
	}
	n, ok = p.number(2, 2)
	return n, ok && n <= limit
}

// clock reads 15:04:05.999999, up to 24:00:00.
func (p *textParser) clock() (time.Duration, bool) {
	hours, ok1 := p.number(2, 2)
	minutes, ok2 := p.part(':', 59)
	seconds, ok3 := p.part(':', 60)
	if !ok1 || !ok2 || !ok3 || hours > 24 {
		return 0, false
	}
	total := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
	if p.take('.') {
		before := len(p.src)
		fraction, ok := p.number(1, 9)
		if !ok {
			return 0, false
		}
		for i := before - len(p.src); i < 9; i++ {
			fraction *= 10
		}
		total += time.Duration(fraction)
	}
	return total, true
}

// offset reads +02, -05:30 or +00:19:32, in seconds east of UTC.
func (p *textParser) offset() (seconds int, ok bool) {
	sign := 1
	if p.take('-') {
		sign = -1
	} else if !p.take('+') {
		return 0, false
	}
	hours, ok := p.number(2, 2)
	if !ok {
		return 0, false
	}
	seconds = hours * 3600
	for _, unit := range [...]int{60, 1} {
		if p.done() || p.src[0] != ':' {
			break
		}
		n, ok := p.part(':', 59)
		if !ok {
			return 0, false
		}
		seconds += n * unit
	}
	return sign * seconds, true
}

// parseTimestamp reads what the server writes with DateStyle ISO: a date, perhaps a time, an offset, and " BC".
// Without an offset the result is in UTC.
func parseTimestamp(src []byte) (t time.Time, ok bool) {
	src, beforeChrist := bytes.CutSuffix(src, []byte(" BC"))
	p := textParser{src: src}
	year, ok1 := p.number(4, 7)
	month, ok2 := p.part('-', 12)
	day, ok3 := p.part('-', 31)
	if !ok1 || !ok2 || !ok3 || year == 0 || month == 0 || day == 0 {
		return t, false
	}
	if beforeChrist {
		year = 1 - year
	}
	var clock time.Duration
	var offset int
	if p.take(' ') {
		if clock, ok = p.clock(); !ok {
			return t, false
		}
		if !p.done() {
			if offset, ok = p.offset(); !ok {
				return t, false
			}
		}
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !p.done() || midnight.Day() != day {
		return t, false
	}
	return midnight.Add(clock - time.Duration(offset)*time.Second), true
}
