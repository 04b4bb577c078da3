package admin

import (
	"context"
	"fmt"
	"strconv"

	"github.com/pycopg/pycopg/ext"
)

// Size is a number of bytes on disk.
type Size int64

// String is the size as the server's pg_size_pretty writes it: 7953 kB.
func (s Size) String() string {
	n, half := int64(s), false // half: n counts halves of the unit, to be rounded
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	limit := int64(10 * 1024)
	for i, unit := range units {
		if -limit < n && n < limit || i == len(units)-1 {
			if half {
				n = (n + sign(n)) / 2
			}
			return strconv.FormatInt(n, 10) + " " + unit
		}
		if half {
			n /= 1 << 10
		} else {
			n /= 1 << 9
		}
		half, limit = true, 20*1024-1
	}
	return ""
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

const databaseSizeQuery = `select pg_catalog.pg_database_size(pg_catalog.current_database())`

// DatabaseSize returns the size of the current database. [ListDatabases] has those of all.
func DatabaseSize(ctx context.Context, q ext.Querier) (Size, error) {
	n, err := value[int64](ctx, q, databaseSizeQuery)
	if err != nil {
		return 0, fmt.Errorf("admin: size of the database: %w", err)
	}
	return Size(n), nil
}

// TableSizes are the sizes of a table and what belongs to it. Those of a partitioned table are the sums over its partitions.
type TableSizes struct {
	Schema string
	Name   string
	Total  Size
	Heap   Size // the rows, with their free space and visibility maps
	Index  Size
	Toast  Size // values too big for a row
}

// sizeColumns sum up the sizes of relations r of pg_class, which are a table and its partitions. pg_table_size counts toast
// tables with their indexes. What is dropped meanwhile has no size.
const sizeColumns = `
       coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(r.oid)), 0)::pg_catalog.int8 as total,
       coalesce(pg_catalog.sum(pg_catalog.pg_table_size(r.oid) - coalesce(pg_catalog.pg_total_relation_size(r.toast), 0)), 0)::pg_catalog.int8 as heap,
       coalesce(pg_catalog.sum(pg_catalog.pg_indexes_size(r.oid)), 0)::pg_catalog.int8 as index,
       coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(r.toast)), 0)::pg_catalog.int8 as toast`

// parts are a relation and its partitions, with their toast tables.
func parts(oid string) string {
	return `lateral (
  select r.oid, r.reltoastrelid as toast, r.reltuples from pg_catalog.pg_class r
  where r.oid = ` + oid + ` or r.oid = any (array(select relid from pg_catalog.pg_partition_tree(` + oid + `::pg_catalog.regclass)))
) r`
}

// tableSizeRow is a row of tableSizeQuery.
type tableSizeRow struct {
	target
	TableSizes
}

var tableSizeQuery = qualified(withTarget + `
select ` + targetColumns("n.nspname") + `,
       coalesce(n.nspname, '') as schema, coalesce(c.relname, '') as name,` + sizeColumns + `
from target
left join pg_catalog.pg_class c on c.oid = target.oid
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join ` + parts("target.oid") + ` on true
group by target.oid, target.folded, n.nspname, c.relname`)

// TableSize returns the sizes of a table or materialized view. A table that does not exist is [ErrTableNotFound]; a view has none.
func TableSize(ctx context.Context, q ext.Querier, table string) (TableSizes, error) {
	all, err := ofTable(ctx, q, "size of", table, tableSizeQuery, func(r tableSizeRow) TableSizes { return r.TableSizes })
	if err != nil || len(all) == 0 {
		return TableSizes{}, err
	}
	return all[0], nil
}

// SizesOptions are the options of [ListTableSizes].
type SizesOptions struct {
	Limit  int  // of tables, 0 for all
	System bool // with those of PostgreSQL's own schemas, where no schema is named
}

var tableSizesQuery = qualified(`
select n.nspname as schema, c.relname as name,` + sizeColumns + `
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join ` + parts("c.oid") + ` on true
where c.relkind = any ('{r,p,m}'::pg_catalog."char"[]) and not c.relispartition
  and case when $1::pg_catalog.text = '' then $2::pg_catalog.bool or ` + userSchema + ` else n.nspname = $1::pg_catalog.name end
group by n.nspname, c.relname
order by total desc, n.nspname, c.relname
limit $3::pg_catalog.int8`)

// ListTableSizes returns the sizes of the tables and materialized views of a schema, the biggest first, or of all schemas where it is "".
// Partitions count with their tables.
func ListTableSizes(ctx context.Context, q ext.Querier, schema string, o SizesOptions) ([]TableSizes, error) {
	var limit *int
	if o.Limit > 0 {
		limit = &o.Limit
	}
	var err error
	if schema != "" {
		err = ext.CheckName(schema)
	}
	if err == nil {
		var all []TableSizes
		if all, err = query[TableSizes](ctx, q, tableSizesQuery, schema, o.System, limit); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("admin: sizes of the tables of schema %q: %w", schema, err)
}
