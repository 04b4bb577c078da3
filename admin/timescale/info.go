package timescale

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// Hypertable is what the extension knows of a hypertable.
type Hypertable struct {
	Schema      string
	Name        string
	Owner       string
	Dimensions  int
	Chunks      int64
	Compression bool     // it may have compressed chunks
	Tablespaces []string // that its chunks are put in; none for that of the table
}

const hypertablesQuery = `
	select hypertable_schema as schema, hypertable_name as name, owner, num_dimensions as dimensions, num_chunks as chunks,
	       compression_enabled as compression, coalesce(tablespaces::text[], '{}') as tablespaces
	from timescaledb_information.hypertables`

// Hypertables lists the hypertables of the database, by schema and name.
func Hypertables(ctx context.Context, q ext.Querier) ([]Hypertable, error) {
	return query[Hypertable](ctx, q, action{what: "hypertables"}, hypertablesQuery+" order by 1, 2")
}

// GetHypertable is what the extension knows of one hypertable. It is [ErrNotHypertable] for any other table.
func GetHypertable(ctx context.Context, q ext.Querier, table string) (Hypertable, error) {
	a := action{what: "hypertable", on: table}
	all, err := queryTable[Hypertable](ctx, q, a, hypertablesQuery+`
		where (hypertable_schema, hypertable_name) = (select n.nspname, r.relname
			from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace where r.oid = $1::regclass)`)
	switch {
	case err != nil:
		return Hypertable{}, err
	case len(all) == 0:
		return Hypertable{}, a.fail(ErrNotHypertable)
	}
	return all[0], nil
}

// DimensionInfo is a dimension of a hypertable.
type DimensionInfo struct {
	Number     int // 1 for the first
	Column     string
	Type       string // of the column: timestamp with time zone
	Interval   string // how much time a chunk covers, as PostgreSQL writes intervals; "" in other dimensions
	Width      int64  // how many integers a chunk covers, 0 in other dimensions
	Partitions int    // of a dimension by hash, 0 in one of ranges
}

// Dimensions lists the dimensions of a hypertable in their order. It is [ErrNotHypertable] for any other table.
func Dimensions(ctx context.Context, q ext.Querier, table string) ([]DimensionInfo, error) {
	a := action{what: "dimensions of", on: table}
	all, err := queryTable[DimensionInfo](ctx, q, a, `
		select dimension_number as number, column_name as column, column_type::text as type,
		       coalesce(time_interval::text, '') as interval, coalesce(integer_interval, 0) as width,
		       coalesce(num_partitions, 0) as partitions
		from timescaledb_information.dimensions
		where (hypertable_schema, hypertable_name) = (select n.nspname, r.relname
			from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace where r.oid = $1::regclass)
		order by 1`)
	if err == nil && len(all) == 0 {
		err = a.fail(ErrNotHypertable)
	}
	return all, err
}

// Size is how much a hypertable takes on disk with all its chunks, in bytes.
type Size struct {
	Table, Indexes, TOAST, Total int64
}

// GetSize says how much a hypertable takes on disk. It is [ErrNotHypertable] for any other table.
func GetSize(ctx context.Context, q ext.Querier, table string) (Size, error) {
	a := action{what: "size of", on: table}
	all, err := queryTable[Size](ctx, q, a, `
		select table_bytes as table, index_bytes as indexes, toast_bytes as toast, total_bytes as total
		from hypertable_detailed_size($1::regclass) where total_bytes is not null`)
	switch {
	case err != nil:
		return Size{}, err
	case len(all) == 0:
		return Size{}, a.fail(ErrNotHypertable)
	}
	return all[0], nil
}

// ApproximateRowCount is about how many rows a table has, from the statistics of its last ANALYZE and with compressed rows
// counted: without reading it.
func ApproximateRowCount(ctx context.Context, q ext.Querier, table string) (int64, error) {
	all, err := queryTable[int64](ctx, q, action{what: "approximate row count of", on: table}, "select approximate_row_count($1::regclass)")
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0], nil
}
