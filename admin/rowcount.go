package admin

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// RowCountOptions are the options of [RowCount].
type RowCountOptions struct {
	// Estimate takes the number that the last VACUUM, ANALYZE or CREATE INDEX has left in the catalog. A table that none of
	// them has seen is counted.
	Estimate bool
}

// estimateRow is a row of estimateQuery.
type estimateRow struct {
	target
	Estimate int64
}

var estimateQuery = qualified(withTarget + `
select ` + targetColumns("target.oid") + `,
       coalesce(case when pg_catalog.bool_and(r.reltuples >= 0::pg_catalog.float4) then pg_catalog.sum(r.reltuples::pg_catalog.int8) end, -1)::pg_catalog.int8 as estimate
from target
left join ` + parts("target.oid") + ` on not exists (select from pg_catalog.pg_class p where p.oid = r.oid and p.relkind = any ('{p,v,f}'::pg_catalog."char"[]))
group by target.oid, target.folded`)

// RowCount returns the number of rows of a table or view. It reads the whole table, unless it may estimate. A table that does
// not exist is [ErrTableNotFound].
func RowCount(ctx context.Context, q ext.Querier, table string, o RowCountOptions) (int64, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return 0, refused("count rows of", table, err)
	}
	if o.Estimate {
		all, err := ofTable(ctx, q, "count rows of", table, estimateQuery, func(r estimateRow) int64 { return r.Estimate })
		if err != nil {
			return 0, err
		}
		if len(all) > 0 && all[0] >= 0 {
			return all[0], nil
		}
	}
	count, err := value[int64](ctx, q, "select pg_catalog.count(*) from "+n.String())
	if err != nil {
		return 0, refused("count rows of", table, explain(ctx, q, table, err))
	}
	return count, nil
}
