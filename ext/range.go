package ext

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/internal/pgtext"
)

// Range is a value of a range type, built-in or of the database's own: Range[int] of int4range and int8range, Range[time.Time] of
// tsrange and tstzrange, [Range] of [Date] of daterange, of [Numeric] of numrange. The server writes the ranges of whole
// numbers and dates with an inclusive lower and an exclusive upper bound, whatever they were written with.
//
// The zero value is no useful range: [NewRange] makes one. NULL needs a *Range or a sql.Null.
type Range[T any] struct {
	Lower, Upper       T
	LowerInc, UpperInc bool // the bound itself is in the range
	LowerInf, UpperInf bool // there is no bound; Lower or Upper does not count
	Empty              bool // it holds no value; nothing else counts
}

// NewRange returns a range with bounds "[]", "[)", "(]" or "()"; it panics at other ones.
func NewRange[T any](lower, upper T, bounds string) Range[T] {
	switch bounds {
	case "[]", "[)", "(]", "()":
		return Range[T]{Lower: lower, Upper: upper, LowerInc: bounds[0] == '[', UpperInc: bounds[1] == ']'}
	}
	panic(fmt.Sprintf("ext: range: bounds %q", bounds))
}

// Contains reports whether v lies in the range. compare orders values as cmp.Compare and time.Time.Compare do.
func (r Range[T]) Contains(v T, compare func(a, b T) int) bool {
	if r.Empty {
		return false
	}
	if !r.LowerInf {
		if c := compare(v, r.Lower); c < 0 || c == 0 && !r.LowerInc {
			return false
		}
	}
	if !r.UpperInf {
		if c := compare(v, r.Upper); c > 0 || c == 0 && !r.UpperInc {
			return false
		}
	}
	return true
}

// Overlaps reports whether the ranges have a value in common, as far as their bounds tell: (1,2) and (1,2) do, also of whole
// numbers.
func (r Range[T]) Overlaps(o Range[T], compare func(a, b T) int) bool {
	return !r.isEmpty(compare) && !o.isEmpty(compare) && r.beginsBeforeEndOf(o, compare) && o.beginsBeforeEndOf(r, compare)
}

func (r Range[T]) isEmpty(compare func(a, b T) int) bool {
	return r.Empty || !r.beginsBeforeEndOf(r, compare)
}

func (r Range[T]) beginsBeforeEndOf(o Range[T], compare func(a, b T) int) bool {
	if r.LowerInf || o.UpperInf {
		return true
	}
	c := compare(r.Lower, o.Upper)
	return c < 0 || c == 0 && r.LowerInc && o.UpperInc
}

// String is the range as PostgreSQL writes it.
func (r Range[T]) String() string {
	text, err := r.text()
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(pgtext.AppendRange(nil, text))
}

// Scan implements [database/sql.Scanner].
func (r *Range[T]) Scan(src any) error {
	text, err := notNull("range", src)
	if err != nil {
		return err
	}
	parsed, err := pgtext.ParseRange(text)
	if err == nil {
		err = r.set(parsed)
	}
	if err != nil {
		return fmt.Errorf("ext: range: %w", err)
	}
	return nil
}

func (r *Range[T]) set(p pgtext.Range) error {
	*r = Range[T]{LowerInc: p.LowerInc, UpperInc: p.UpperInc, LowerInf: p.Lower.Null && !p.Empty, UpperInf: p.Upper.Null && !p.Empty, Empty: p.Empty}
	for _, b := range []struct {
		dest *T
		item pgtext.Item
	}{{&r.Lower, p.Lower}, {&r.Upper, p.Upper}} {
		if p.Empty || b.item.Null {
			continue
		}
		if err := scanItem(b.dest, b.item); err != nil {
			return fmt.Errorf("bound %q: %w", b.item.Text, err)
		}
	}
	return nil
}

var errNullBound = errors.New("a bound is NULL: LowerInf and UpperInf leave it out")

func (r Range[T]) text() (p pgtext.Range, err error) {
	if r.Empty {
		return pgtext.Range{Empty: true}, nil
	}
	p = pgtext.Range{LowerInc: r.LowerInc && !r.LowerInf, UpperInc: r.UpperInc && !r.UpperInf, Lower: pgtext.Item{Null: true}, Upper: pgtext.Item{Null: true}}
	for _, b := range []struct {
		value    T
		infinite bool
		item     *pgtext.Item
	}{{r.Lower, r.LowerInf, &p.Lower}, {r.Upper, r.UpperInf, &p.Upper}} {
		if b.infinite {
			continue
		}
		if *b.item, err = itemOf(b.value); err == nil && b.item.Null {
			err = errNullBound
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// Value implements [sqldriver.Valuer].
func (r Range[T]) Value() (sqldriver.Value, error) {
	text, err := r.text()
	if err != nil {
		return nil, fmt.Errorf("ext: range: %w", err)
	}
	return string(pgtext.AppendRange(nil, text)), nil
}

// Multirange is a value of a multirange type. nil is NULL.
type Multirange[T any] []Range[T]

// Scan implements [database/sql.Scanner].
func (m *Multirange[T]) Scan(src any) error {
	*m = nil
	text, null, err := scanned("multirange", src)
	if err != nil || null {
		return err
	}
	parsed, err := pgtext.ParseMultirange(text)
	if err != nil {
		return fmt.Errorf("ext: multirange: %w", err)
	}
	all := make(Multirange[T], len(parsed))
	for i, p := range parsed {
		if err := all[i].set(p); err != nil {
			return fmt.Errorf("ext: multirange: range %d: %w", i, err)
		}
	}
	*m = all
	return nil
}

// Value implements [sqldriver.Valuer].
func (m Multirange[T]) Value() (sqldriver.Value, error) {
	if m == nil {
		return nil, nil
	}
	texts := make([]pgtext.Range, len(m))
	for i, r := range m {
		var err error
		if texts[i], err = r.text(); err != nil {
			return nil, fmt.Errorf("ext: multirange: range %d: %w", i, err)
		}
	}
	return string(pgtext.AppendMultirange(nil, texts)), nil
}
