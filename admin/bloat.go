package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// Bloat is the room that a table or a B-tree index has, and what its rows should need. It is an estimate from the statistics of
// the last ANALYZE.
type Bloat struct {
	Schema   string
	Table    string
	Index    string // "" for the table itself
	Size     Size   // of the main part, without TOAST
	Expected Size   // of a table or index that is written anew, at its fill factor
	Wasted   Size   // beyond that, 0 or more
	DeadRows int64  // of a table: those that VACUUM could reclaim now

	LastVacuum  *time.Time // of a table: by hand or by itself
	LastAnalyze *time.Time
}

// Ratio is the wasted part of the size, from 0 to 1.
func (b Bloat) Ratio() float64 {
	if b.Size == 0 {
		return 0
	}
	return float64(b.Wasted) / float64(b.Size)
}

// BloatOptions are the options of [ListBloat].
type BloatOptions struct {
	Schema    string // "" is all of the user's
	MinWasted Size   // leave out what wastes less
}

// A row in a table has 23 bytes of header, a bit for each column where one may be NULL, and 4 bytes of pointer, in an index 8 and 4;
// both are filled up to a multiple of 8. A page has 24 bytes of header, and in an index 16 of its own. A first page that does
// nothing but describe the index is one more.
var bloatQuery = qualified(`
with attribute as (
  select a.attrelid, a.attnum, st.null_frac, st.avg_width
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_stats st on st.schemaname = n.nspname and st.tablename = c.relname and st.attname = a.attname
    and st.inherited is false
  where a.attnum > 0 and not a.attisdropped
),
relation as (
  select c.oid, n.nspname, t.oid as table_oid, t.relname as table_name, c.relkind, c.relname,
         pg_catalog.pg_relation_size(c.oid) as bytes, greatest(c.reltuples, 0) as tuples,
         coalesce((select pg_catalog.substring(o.o, 'fillfactor=([0-9]+)')::pg_catalog.float8 from pg_catalog.unnest(c.reloptions) o(o)
                   where o.o ~ '^fillfactor='), case when c.relkind = 'i' then 90 else 100 end) as fill,
         i.indkey
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_index i on i.indexrelid = c.oid
  join pg_catalog.pg_class t on t.oid = coalesce(i.indrelid, c.oid)
  left join pg_catalog.pg_am am on am.oid = c.relam
  where (((c.relkind = 'r' or c.relkind = 'm') and am.amname = 'heap') or (c.relkind = 'i' and am.amname = 'btree'))
    and c.reltuples >= 0
    and n.nspname <> 'pg_catalog' and n.nspname <> 'pg_toast' and n.nspname <> 'information_schema'
    and ($1::pg_catalog.text = '' or n.nspname = $1::pg_catalog.name)
),
width as (
  select r.oid, case when r.relkind = 'i' then 8 else 23 + case when pg_catalog.bool_or(a.null_frac > 0) then pg_catalog.ceil(pg_catalog.count(*) * 0.125) else 0 end end
         + coalesce(pg_catalog.sum((1 - a.null_frac) * a.avg_width), 0) as bytes,
         pg_catalog.bool_and(a.avg_width is not null) as known
  from relation r
  left join pg_catalog.unnest(r.indkey::pg_catalog.int2[]) with ordinality k(attnum, place) on true
  join attribute a on case when r.relkind = 'i' and k.attnum <> 0 then a.attrelid = r.table_oid and a.attnum = k.attnum
                           when r.relkind = 'i' then a.attrelid = r.oid and a.attnum = k.place
                           else a.attrelid = r.oid end
  group by r.oid, r.relkind
),
expected as (
  select r.*, case when r.tuples = 0 then 0 else pg_catalog.ceil(
           (r.tuples * (4 + (8 * pg_catalog.ceil(w.bytes * 0.125)))) operator(pg_catalog./)
           ((pg_catalog.current_setting('block_size')::pg_catalog.float8 - case when r.relkind = 'i' then 40 else 24 end) * (r.fill * 0.01))) end
         + case when r.relkind = 'i' then 1 else 0 end as pages
  from relation r join width w on w.oid = r.oid
  where w.known
)
select e.nspname as schema, e.table_name as table, case when e.relkind = 'i' then e.relname else '' end as index, e.bytes as size,
       (e.pages * pg_catalog.current_setting('block_size')::pg_catalog.float8)::pg_catalog.int8 as expected,
       greatest(0, e.bytes - (e.pages * pg_catalog.current_setting('block_size')::pg_catalog.float8)::pg_catalog.int8) as wasted,
       coalesce(s.n_dead_tup, 0) as dead_rows,
       greatest(s.last_vacuum, s.last_autovacuum) as last_vacuum, greatest(s.last_analyze, s.last_autoanalyze) as last_analyze
from expected e
left join pg_catalog.pg_stat_all_tables s on s.relid = e.oid
where greatest(0, e.bytes - (e.pages * pg_catalog.current_setting('block_size')::pg_catalog.float8)::pg_catalog.int8) >= $2::pg_catalog.int8
order by 6 desc, 1, 2, 3`)

// ListBloat returns the tables and B-tree indexes with the room that they waste, those that waste most first. What was never
// analyzed, or has columns that the user may not read, is left out. Rows that are stored compressed or in TOAST count as they are
// stored; an index with many equal keys needs less than is expected of it.
func ListBloat(ctx context.Context, q ext.Querier, o BloatOptions) ([]Bloat, error) {
	list, err := query[Bloat](ctx, q, bloatQuery, o.Schema, int64(o.MinWasted))
	if err != nil {
		return nil, fmt.Errorf("admin: list bloat: %w", err)
	}
	return list, nil
}
