package timescale

import (
	"context"
	"errors"

	"github.com/pycopg/pycopg/ext"
)

// HypertableOptions say how a hypertable is made. The zero value takes the extension's defaults.
type HypertableOptions struct {
	IfNotExists      bool // a table that is a hypertable already is left as it is
	MigrateData      bool // rows that the table has are moved into chunks: it stays locked meanwhile
	NoDefaultIndexes bool // no index on the time column
}

// CreateHypertable makes a table a hypertable that is partitioned by a column of time or integers ([ByRange]), and reports
// whether it did: false where it was one already and o.IfNotExists is set. The table must be empty, unless o.MigrateData is
// set.
func CreateHypertable(ctx context.Context, q ext.Querier, table string, by Dimension, o HypertableOptions) (bool, error) {
	a := action{what: "create hypertable", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = by.check()
	}
	if err == nil && by.hash {
		err = errors.New("the first dimension of a hypertable is one of ranges: add one by hash with AddDimension")
	}
	if err != nil {
		return false, a.fail(err)
	}
	a.build = func(e extension) statement { return createHypertable(e, name, by, o) }
	n, err := a.run(ctx, q)
	return n == 1, err
}

func createHypertable(e extension, table ext.Name, by Dimension, o HypertableOptions) (s statement) {
	relation := s.relation(table)
	defaultIndexes := ""
	if o.NoDefaultIndexes {
		defaultIndexes = "create_default_indexes => false"
	}
	args := append([]string{relation}, by.args(e, &s, "time_partitioning_func")...)
	args = append(args, defaultIndexes, flag("if_not_exists", o.IfNotExists), flag("migrate_data", o.MigrateData))
	s.sql = "select created from " + call(e.fn("create_hypertable"), args...)
	return s
}

// AddDimension partitions a hypertable by one more column, and reports whether it did: false where the column was a dimension
// already and o.IfNotExists is set. The hypertable must be empty.
func AddDimension(ctx context.Context, q ext.Querier, table string, by Dimension, o DimensionOptions) (bool, error) {
	a := action{what: "add a dimension to", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = by.check()
	}
	if err == nil && !by.hash {
		err = by.width.required("the width of chunks in a further dimension")
	}
	if err != nil {
		return false, a.fail(err)
	}
	a.build = func(e extension) statement { return addDimension(e, name, by, o) }
	n, err := a.run(ctx, q)
	return n == 1, err
}

// DimensionOptions say how a dimension is added.
type DimensionOptions struct {
	IfNotExists bool // a column that is a dimension already is left as it is
}

func addDimension(e extension, table ext.Name, by Dimension, o DimensionOptions) (s statement) {
	args := append([]string{s.relation(table)}, by.args(e, &s, "partitioning_func")...)
	s.sql = "select created from " + call(e.fn("add_dimension"), append(args, flag("if_not_exists", o.IfNotExists))...)
	return s
}

// SetChunkInterval sets how wide the chunks to come are in a hypertable's dimension: "" for the only one of ranges.
func SetChunkInterval(ctx context.Context, q ext.Querier, table, column string, width Span) error {
	a := action{what: "set the chunk interval of", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = width.required("the width of chunks")
	}
	if err == nil && column != "" {
		err = ext.CheckName(column)
	}
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		args := []string{s.relation(name), s.span(width)}
		if column != "" {
			args = append(args, named("dimension_name", s.arg(column, "name")))
		}
		s.sql = "select from " + call(e.fn("set_chunk_time_interval"), args...)
		return s
	}
	_, err = a.run(ctx, q)
	return err
}
