package ext

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// Date is a value of type date: any that PostgreSQL has, from 4713 BC to 5874897, infinite ones too. The zero value is no date:
// [DateOf] and literals make one. NULL needs a *Date or a sql.Null.
type Date struct {
	Year     int // 0 is 1 BC, -1 is 2 BC
	Month    time.Month
	Day      int
	Infinity pgtype.InfinityModifier // pgtype.Infinity, pgtype.NegativeInfinity; nothing else counts then
}

// DateOf is the date that t shows, in its own location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

// In is the beginning of the day in a location; ok is false for an infinite date.
func (d Date) In(loc *time.Location) (t time.Time, ok bool) {
	if d.Infinity != pgtype.Finite {
		return t, false
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc), true
}

// String is the date as the server writes it: 2024-02-29, 0044-03-15 BC, infinity.
func (d Date) String() string {
	switch {
	case d.Infinity != pgtype.Finite:
		return infinityText(d.Infinity)
	case d.Year <= 0:
		return fmt.Sprintf("%04d-%02d-%02d BC", 1-d.Year, int(d.Month), d.Day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

func infinityText(i pgtype.InfinityModifier) string {
	if i == pgtype.NegativeInfinity {
		return "-infinity"
	}
	return "infinity"
}

// infinityOf reads infinity and -infinity.
func infinityOf(text string) (i pgtype.InfinityModifier, ok bool) {
	switch text {
	case "infinity":
		return pgtype.Infinity, true
	case "-infinity":
		return pgtype.NegativeInfinity, true
	}
	return pgtype.Finite, false
}

// Scan implements [database/sql.Scanner]. Text must be of DateStyle ISO, which this driver's sessions have.
func (d *Date) Scan(src any) error {
	if t, ok := src.(time.Time); ok {
		*d = DateOf(t)
		return nil
	}
	text, err := notNull("date", src)
	if err != nil {
		return err
	}
	parsed, err := parseDate(text)
	if err != nil {
		return fmt.Errorf("ext: date %q: %w", text, err)
	}
	*d = parsed
	return nil
}

// Value implements [sqldriver.Valuer]. A day that the calendar does not have is an error.
func (d Date) Value() (sqldriver.Value, error) {
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("ext: date: %w", err)
	}
	return d.String(), nil
}

func (d Date) check() error {
	if d.Infinity != pgtype.Finite {
		return nil
	}
	if t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC); d.Month < 1 || d.Month > 12 || d.Day < 1 || t.Day() != d.Day {
		return fmt.Errorf("the calendar has no %s", d)
	}
	return nil
}

var errDate = errors.New("not a date of the form 2006-01-02")

func parseDate(text string) (d Date, err error) {
	if i, ok := infinityOf(text); ok {
		return Date{Infinity: i}, nil
	}
	text, beforeChrist := strings.CutSuffix(text, " BC")
	parts := strings.Split(text, "-")
	if len(parts) != 3 || len(parts[0]) < 4 || len(parts[0]) > 7 || len(parts[1]) != 2 || len(parts[2]) != 2 {
		return d, errDate
	}
	var numbers [3]int
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return d, errDate
		}
		numbers[i] = int(n)
	}
	d = Date{Year: numbers[0], Month: time.Month(numbers[1]), Day: numbers[2]}
	if d.Year == 0 {
		return d, errDate
	}
	if beforeChrist {
		d.Year = 1 - d.Year
	}
	return d, d.check()
}
