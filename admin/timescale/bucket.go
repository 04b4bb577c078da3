package timescale

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// Aggregate is a value that is computed for each bucket: made by [Avg], [Min], [Max], [Sum], [First], [Last], [Rows] or from SQL
// text.
type Aggregate struct {
	SQL  string // an expression, taken as it is: percentile_cont(0.5) within group (order by temperature)
	As   string // name of the column in the result
	Fill Fill   // in gaps, with BucketQuery.Gapfill
}

// Fill says what a value is in a bucket that has no rows.
type Fill int

const (
	FillNull    Fill = iota // NULL
	FillLast                // the value of the bucket before (locf)
	FillBetween             // on a line between the buckets before and after (interpolate): for numbers
)

// Avg is the average of a column, in a column of its name.
func Avg(column string) Aggregate { return aggregate("avg", column) }

// Min is the smallest value of a column, in a column of its name.
func Min(column string) Aggregate { return aggregate("min", column) }

// Max is the largest value of a column, in a column of its name.
func Max(column string) Aggregate { return aggregate("max", column) }

// Sum is the sum of a column, in a column of its name.
func Sum(column string) Aggregate { return aggregate("sum", column) }

// First is the value of a column in the row where another column, the time as a rule, is the smallest.
func First(column, by string) Aggregate { return aggregate("first", column, by) }

// Last is the value of a column in the row where another column, the time as a rule, is the largest.
func Last(column, by string) Aggregate { return aggregate("last", column, by) }

// Rows is the number of rows, in a column named rows.
func Rows() Aggregate { return Aggregate{SQL: "count(*)", As: "rows"} }

func aggregate(function string, columns ...string) Aggregate {
	quoted := make([]string, len(columns))
	for i, column := range columns {
		quoted[i] = ext.QuoteName(column)
	}
	return Aggregate{SQL: call(function, quoted...), As: columns[0]}
}

// Named is the aggregate under another column name.
func (a Aggregate) Named(as string) Aggregate {
	a.As = as
	return a
}

// Filled is the aggregate with a value in gaps.
func (a Aggregate) Filled(f Fill) Aggregate {
	a.Fill = f
	return a
}

func (a Aggregate) sql() string {
	switch a.Fill {
	case FillLast:
		return call("locf", a.SQL)
	case FillBetween:
		return call("interpolate", a.SQL)
	}
	return a.SQL
}

// BucketQuery says which buckets [TimeBucket] makes. Time, Width and Select must be given.
type BucketQuery struct {
	Time     string // the column of the time axis
	Width    Span   // of a bucket
	Select   []Aggregate
	By       []string  // further columns to group by: each of their values has buckets of its own
	From, To Bound     // rows from From to before To; Gapfill needs both
	Where    string    // a condition on the rows, SQL over Args: "device = $1"; "" for none
	Args     []any     // for $1, $2, … in Where
	TimeZone string    // in which a day begins, on an axis of timestamptz; "": UTC
	Origin   time.Time // where some bucket begins; zero: the extension's, a Monday (2000-01-03), or 2000-01-01 for months
	Gapfill  bool      // buckets without rows are in the result too, with values as Aggregate.Fill says
	Desc     bool      // the latest bucket first
	Limit    int       // rows at most; 0: all
}

// TimeBucket groups rows of a table by buckets of time, and returns one value for each bucket, and for each set of values of
// b.By in it, ordered by them. The columns are bucket (its start), those of b.By and those of b.Select; T takes them as
// ext.Query does. A table that is no hypertable will do. Filling gaps is not in the Apache licence.
func TimeBucket[T any](ctx context.Context, q ext.Querier, table string, b BucketQuery) ([]T, error) {
	a := action{what: "buckets of", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return nil, a.fail(err)
	}
	s := b.statement(name)
	all, err := query[T](ctx, q, a, s.sql, s.args...)
	if err == nil && len(all) == 0 && b.Gapfill && apache(ctx, q) {
		err = a.fail(ErrLicense)
	}
	return all, err
}

// apache reports whether the server's TimescaleDB has the Apache licence. There a query that fills gaps fails only when it
// finds a row; without one it would look as if there were no buckets.
func apache(ctx context.Context, q ext.Querier) bool {
	license, err := ext.QueryVal[string](driver.WithHelperOptions(ctx), q, "select current_setting('timescaledb.license', true)")
	return err == nil && license == "apache"
}

func (b BucketQuery) check() error {
	if err := ext.CheckName(b.Time); err != nil {
		return fmt.Errorf("the time column %q: %w", b.Time, err)
	}
	for _, column := range b.By {
		if err := ext.CheckName(column); err != nil {
			return fmt.Errorf("group by %q: %w", column, err)
		}
	}
	if len(b.Select) == 0 {
		return errors.New("nothing is selected")
	}
	for _, aggregate := range b.Select {
		if strings.TrimSpace(aggregate.SQL) == "" {
			return fmt.Errorf("aggregate %q: no SQL", aggregate.As)
		}
		if err := ext.CheckName(aggregate.As); err != nil {
			return fmt.Errorf("the column of %s: %q: %w", aggregate.SQL, aggregate.As, err)
		}
		if aggregate.Fill != FillNull && !b.Gapfill {
			return fmt.Errorf("aggregate %q: it is to be filled, and Gapfill is not set", aggregate.As)
		}
	}
	switch {
	case b.Gapfill && (b.From.IsZero() || b.To.IsZero()):
		return errors.New("filling gaps needs From and To")
	case b.Gapfill && !b.Origin.IsZero():
		return errors.New("filling gaps takes no Origin")
	case b.Limit < 0:
		return fmt.Errorf("a limit of %d", b.Limit)
	case strings.TrimSpace(b.Where) == "" && len(b.Args) > 0:
		return errors.New("arguments without a condition")
	}
	return errors.Join(b.Width.required("the width"), b.From.err, b.To.err)
}

// statement numbers its arguments behind those of the caller's condition.
func (b BucketQuery) statement(table ext.Name) statement {
	s := statement{args: slices.Clone(b.Args)}
	time := ext.QuoteName(b.Time)
	columns := []string{b.bucket(&s, time) + " as bucket"}
	keys := []string{"1"}
	for i, column := range b.By {
		columns = append(columns, ext.QuoteName(column))
		keys = append(keys, strconv.Itoa(i+2))
	}
	for _, aggregate := range b.Select {
		columns = append(columns, aggregate.sql()+" as "+ext.QuoteName(aggregate.As))
	}
	order := slices.Clone(keys)
	if b.Desc {
		order[0] += " desc"
	}
	s.sql = "select " + strings.Join(columns, ", ") + "\nfrom " + table.String()
	if where := b.conditions(&s, time); len(where) > 0 {
		s.sql += "\nwhere " + strings.Join(where, " and ")
	}
	s.sql += "\ngroup by " + strings.Join(keys, ", ") + "\norder by " + strings.Join(order, ", ")
	if b.Limit > 0 {
		s.sql += "\nlimit " + strconv.Itoa(b.Limit)
	}
	return s
}

// bucket is the start of the bucket of a row.
func (b BucketQuery) bucket(s *statement, time string) string {
	function, zone, origin := "time_bucket", "", ""
	if b.Gapfill {
		function = "time_bucket_gapfill"
	}
	width := s.span(b.Width)
	if b.TimeZone != "" {
		zone = s.arg(b.TimeZone, "text")
	}
	if !b.Origin.IsZero() {
		origin = named("origin", s.arg(b.Origin, "timestamptz"))
	}
	return call(function, width, time, zone, origin)
}

// conditions are those on the rows. The extension finds in them where gaps are to be filled.
func (b BucketQuery) conditions(s *statement, time string) (all []string) {
	if strings.TrimSpace(b.Where) != "" {
		all = append(all, "("+b.Where+"\n)")
	}
	edge := func(bound Bound, operator string) {
		switch {
		case bound.IsZero():
		case bound.cast == "interval":
			all = append(all, time+operator+"now() - "+s.bound(bound, ""))
		default:
			all = append(all, time+operator+s.bound(bound, ""))
		}
	}
	edge(b.From, " >= ")
	edge(b.To, " < ")
	return all
}
