package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// IndexUse is an index and how often it was used.
type IndexUse struct {
	Schema   string
	Table    string
	Index    string
	Size     Size
	Scans    int64      // since Since
	LastScan *time.Time // nil for never, and before PostgreSQL 16
	Since    *time.Time // when the counting began; nil: with the database
	Def      string     // the statement that creates it
}

// UnusedOptions are the options of [UnusedIndexes].
type UnusedOptions struct {
	Schema   string // "" is all of the user's
	MaxScans int64  // an index that was used as often counts as unused
}

var unusedQuery = qualified(`
select n.nspname as schema, t.relname as table, c.relname as index,
       pg_catalog.pg_relation_size(c.oid) as size,
       coalesce(s.idx_scan, 0) as scans,
       (pg_catalog.to_jsonb(s) ->> 'last_idx_scan')::pg_catalog.timestamptz as last_scan,
       (select d.stats_reset from pg_catalog.pg_stat_database d where d.datname = pg_catalog.current_database()) as since,
       pg_catalog.pg_get_indexdef(c.oid) as def
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_class t on t.oid = i.indrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_user_indexes s on s.indexrelid = c.oid
where c.relkind = 'i' and not i.indisunique and not i.indisreplident and not i.indisclustered
  and not exists (select from pg_catalog.pg_constraint k where k.conindid = c.oid)
  and n.nspname <> 'pg_catalog' and n.nspname <> 'pg_toast' and n.nspname <> 'information_schema'
  and ($1::pg_catalog.text = '' or n.nspname = $1::pg_catalog.name)
  and coalesce(s.idx_scan, 0) <= $2::pg_catalog.int8
order by 4 desc, 1, 3`)

// UnusedIndexes returns the indexes that queries have not used, the largest first: without those that do something else too, which
// are unique, of a constraint, of a replica identity, or that a table is clustered by. Look at Since, and at the replicas,
// which count for themselves, before dropping one.
func UnusedIndexes(ctx context.Context, q ext.Querier, o UnusedOptions) ([]IndexUse, error) {
	indexes, err := query[IndexUse](ctx, q, unusedQuery, o.Schema, o.MaxScans)
	if err != nil {
		return nil, fmt.Errorf("admin: unused indexes: %w", err)
	}
	return indexes, nil
}
