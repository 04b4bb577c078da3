package timescale

import (
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// Dimension is a column by which a hypertable is partitioned: made by [ByRange] or [ByHash].
type Dimension struct {
	column     string
	width      Span
	partitions int
	hash       bool
	function   string
}

// ByRange partitions by ranges of a column's values: a time or an integer. width is how much a chunk covers; zero leaves it
// to the extension, which takes seven days for time and needs one for integers.
func ByRange(column string, width Span) Dimension { return Dimension{column: column, width: width} }

// ByHash partitions by the hash of a column's values, into 1 to 32767 partitions.
func ByHash(column string, partitions int) Dimension {
	return Dimension{column: column, partitions: partitions, hash: true}
}

// Using is the dimension with a function that turns the column's values into what is partitioned by: a time or an integer
// for ranges, an integer for hashes.
func (d Dimension) Using(function string) Dimension {
	d.function = function
	return d
}

// check reports what the server would refuse, before anything is sent.
func (d Dimension) check() error {
	if err := ext.CheckName(d.column); err != nil {
		return fmt.Errorf("dimension %q: %w", d.column, err)
	}
	if d.function != "" {
		if _, err := ext.ParseName(d.function); err != nil {
			return fmt.Errorf("dimension %q: %w", d.column, err)
		}
	}
	if d.hash && (d.partitions < 1 || d.partitions > 1<<15-1) {
		return fmt.Errorf("dimension %q: %d partitions: it takes 1 to 32767", d.column, d.partitions)
	}
	if d.width.err != nil {
		return fmt.Errorf("dimension %q: %w", d.column, d.width.err)
	}
	return nil
}

// args are the dimension's arguments: a builder from version 2.13, and before it arguments by position and name.
// function names the older argument for the function.
func (d Dimension) args(e extension, s *statement, function string) []string {
	column := s.arg(d.column, "name")
	size := ""
	switch {
	case d.hash:
		size = s.arg(d.partitions, "integer")
	case !d.width.IsZero():
		size = s.span(d.width)
	}
	using := ""
	if d.function != "" {
		name, _ := ext.ParseName(d.function)
		using = s.arg(name.String(), "regproc")
	}
	if e.atLeast(2, 13) {
		builder := "by_range"
		if d.hash {
			builder = "by_hash"
		}
		return []string{call(e.fn(builder), column, size, named("partition_func", using))}
	}
	sizeName := "chunk_time_interval"
	if d.hash {
		sizeName = "number_partitions"
	}
	return []string{column, named(sizeName, size), named(function, using)}
}
