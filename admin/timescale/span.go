package timescale

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Span is a distance on a hypertable's time axis: made by [Every], [Interval] or [Integer]. The zero value is no distance.
type Span struct {
	cast string
	arg  any
	err  error
}

// Every is a span of a duration, which must be at least a microsecond: PostgreSQL's intervals know nothing shorter.
func Every(d time.Duration) Span {
	s := Span{cast: "interval", arg: fmt.Sprintf("%d microseconds", d.Microseconds())}
	if d < time.Microsecond {
		s.err = fmt.Errorf("a span of %v: it takes at least a microsecond", d)
	}
	return s
}

// Interval is a span as PostgreSQL writes intervals: "1 day", "3 months 2 hours", "P1W".
func Interval(text string) Span {
	s := Span{cast: "interval", arg: text}
	if strings.TrimSpace(text) == "" || strings.ContainsRune(text, 0) {
		s.err = fmt.Errorf("an interval %q", text)
	}
	return s
}

// Integer is a span on an axis of integers.
func Integer(n int64) Span {
	s := Span{cast: "bigint", arg: n}
	if n <= 0 {
		s.err = fmt.Errorf("a span of %d: it must be positive", n)
	}
	return s
}

// IsZero reports whether the span was not given.
func (s Span) IsZero() bool { return s.cast == "" }

// required is the error of a span that must be given.
func (s Span) required(what string) error {
	if s.IsZero() {
		return errors.New(what + " is not given")
	}
	return s.err
}

// Bound is a place on a hypertable's time axis: made by [At], [AtInteger] or [Ago]. The zero value is no bound.
type Bound struct {
	cast string // the type of the argument; "" for a point in time, which takes the type of the axis
	arg  any
	err  error
}

// At is a point in time.
func At(t time.Time) Bound { return Bound{arg: t} }

// AtInteger is a place on an axis of integers.
func AtInteger(n int64) Bound { return Bound{cast: "bigint", arg: n} }

// Ago is the place that lies a span before now. It takes no span of an axis of integers, which has no now.
func Ago(s Span) Bound {
	if s.cast == "bigint" {
		return Bound{cast: s.cast, arg: s.arg, err: errors.New("an axis of integers has no now to go back from: use AtInteger")}
	}
	return Bound{cast: s.cast, arg: s.arg, err: s.required("the span of Ago")}
}

// IsZero reports whether the bound was not given.
func (b Bound) IsZero() bool { return b.arg == nil && b.err == nil }
