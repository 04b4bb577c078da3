package ext

import (
	sqldriver "database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// TimeTZ is a value of type timetz: a time of day, up to 24:00, and an offset from UTC. NULL needs a *TimeTZ or a sql.Null. For
// time without an offset there is time.Duration.
type TimeTZ struct {
	Clock  time.Duration // since midnight, in whole microseconds
	Offset int           // seconds east of UTC
}

// String is the time as the server writes it: 15:04:05.999+02:30.
func (t TimeTZ) String() string {
	micros := t.Clock.Microseconds()
	text := fmt.Sprintf("%02d:%02d:%02d", micros/3600e6, micros%3600e6/60e6, micros%60e6/1e6)
	if fraction := micros % 1e6; fraction != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%06d", fraction), "0")
	}
	sign, offset := "+", t.Offset
	if offset < 0 {
		sign, offset = "-", -offset
	}
	text += fmt.Sprintf("%s%02d", sign, offset/3600)
	if offset%3600 != 0 {
		text += fmt.Sprintf(":%02d", offset%3600/60)
	}
	if offset%60 != 0 {
		text += fmt.Sprintf(":%02d", offset%60)
	}
	return text
}

// Scan implements [database/sql.Scanner].
func (t *TimeTZ) Scan(src any) error {
	if at, ok := src.(time.Time); ok { // of compat=pq: in the year 0, 24:00 on its second day
		_, t.Offset = at.Zone()
		hour, minute, second := at.Clock()
		t.Clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(at.Nanosecond())
		if at.YearDay() > 1 {
			t.Clock += 24 * time.Hour
		}
		return nil
	}
	text, err := notNull("timetz", src)
	if err != nil {
		return err
	}
	at := strings.LastIndexAny(text, "+-")
	if at < 0 {
		return fmt.Errorf("ext: timetz %q: it has no offset", text)
	}
	var parsed TimeTZ
	if err := driver.ScanText(&parsed.Clock, text[:at], nil, nil); err != nil || parsed.Clock < 0 || parsed.Clock > 24*time.Hour {
		return fmt.Errorf("ext: timetz %q: not a time of day", text)
	}
	for i, part := range strings.Split(text[at+1:], ":") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || i > 2 || len(part) != 2 || n > 59 {
			return fmt.Errorf("ext: timetz %q: not an offset", text)
		}
		parsed.Offset += int(n) * []int{3600, 60, 1}[i]
	}
	if text[at] == '-' {
		parsed.Offset = -parsed.Offset
	}
	*t = parsed
	return nil
}

// Value implements [sqldriver.Valuer].
func (t TimeTZ) Value() (sqldriver.Value, error) {
	if t.Clock < 0 || t.Clock > 24*time.Hour {
		return nil, fmt.Errorf("ext: timetz: %v is no time of day", t.Clock)
	}
	return t.String(), nil
}

// InfTime is a value of type timestamptz or timestamp that may be infinite. NULL needs a *InfTime or a sql.Null.
type InfTime struct {
	Time     time.Time
	Infinity pgtype.InfinityModifier // pgtype.Infinity, pgtype.NegativeInfinity; Time does not count then
}

// String is infinity, -infinity, or the time as RFC 3339 has it.
func (t InfTime) String() string {
	if t.Infinity != pgtype.Finite {
		return infinityText(t.Infinity)
	}
	return t.Time.Format(time.RFC3339Nano)
}

// Scan implements [database/sql.Scanner].
func (t *InfTime) Scan(src any) error {
	if at, ok := src.(time.Time); ok {
		*t = InfTime{Time: at}
		return nil
	}
	text, err := notNull("timestamp", src)
	if err != nil {
		return err
	}
	if i, ok := infinityOf(text); ok {
		*t = InfTime{Infinity: i}
		return nil
	}
	var at time.Time
	if err := driver.ScanText(&at, text, nil, nil); err != nil {
		return fmt.Errorf("ext: timestamp %q: %w", text, err)
	}
	*t = InfTime{Time: at}
	return nil
}

// Value implements [sqldriver.Valuer].
func (t InfTime) Value() (sqldriver.Value, error) {
	if t.Infinity != pgtype.Finite {
		return infinityText(t.Infinity), nil
	}
	return t.Time, nil
}
