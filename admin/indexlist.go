package admin

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// Index is an index of a table.
type Index struct {
	Schema      string
	Name        string
	Method      string   // btree, hash, gist, spgist, gin, brin, or an extension's
	Keys        []string // SQL: columns as they are quoted in it, and expressions
	Include     []string // columns that it holds besides its keys, quoted likewise
	Where       string   // SQL of a partial index, "" for others
	Unique      bool
	PrimaryKey  bool
	Constraint  string // the primary key, unique or exclusion constraint that it serves, "" for none
	Valid       bool   // queries may use it: it is false while it is built concurrently, and when that has failed
	Size        Size
	Definition  string // the statement that creates it
	Comment     string
	Partitioned bool // of a partitioned table, whose partitions have indexes of their own
}

// QualifiedName is the index's name as the functions of this package take it.
func (i Index) QualifiedName() string { return ext.QuoteName(i.Schema, i.Name) }

// indexRow is a row of indexesQuery.
type indexRow struct {
	target
	Index
}

// indexColumns is an array of the columns of index i from one to the other.
func indexColumns(from, to string) string {
	return `array(select pg_catalog.pg_get_indexdef(i.indexrelid, g::pg_catalog.int4, true)
             from pg_catalog.generate_series(` + from + `::pg_catalog.int4, ` + to + `::pg_catalog.int4) g order by g)`
}

var indexesQuery = qualified(withTarget + `
select ` + targetColumns("c.relname") + `,
       coalesce(n.nspname, '') as schema, coalesce(c.relname, '') as name, coalesce(m.amname, '') as method,
       ` + indexColumns("1", "i.indnkeyatts") + ` as keys,
       ` + indexColumns("(i.indnkeyatts + 1::pg_catalog.int2)", "i.indnatts") + ` as include,
       coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') as "where",
       coalesce(i.indisunique, false) as "unique", coalesce(i.indisprimary, false) as primary_key, coalesce(k.conname, '') as "constraint",
       coalesce(i.indisvalid, false) as valid,
       coalesce(pg_catalog.pg_relation_size(c.oid), 0) as size,
       coalesce(pg_catalog.pg_get_indexdef(c.oid), '') as definition,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') as comment,
       coalesce(c.relkind = 'I', false) as partitioned
from target
left join pg_catalog.pg_index i on i.indrelid = target.oid
left join pg_catalog.pg_class c on c.oid = i.indexrelid
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am m on m.oid = c.relam
left join pg_catalog.pg_constraint k on k.conindid = c.oid and k.contype = any ('{p,u,x}'::pg_catalog."char"[])
order by c.relname`)

// ListIndexes returns the indexes of a table or materialized view, by name. A table that does not exist is [ErrTableNotFound].
func ListIndexes(ctx context.Context, q ext.Querier, table string) ([]Index, error) {
	return ofTable(ctx, q, "indexes of", table, indexesQuery, func(r indexRow) Index { return r.Index })
}

// IndexExists reports whether a name means an index. Without a schema the search path decides; with one, privileges do not matter.
func IndexExists(ctx context.Context, q ext.Querier, index string) (bool, error) {
	n, err := ext.ParseName(index)
	if err == nil {
		var found bool
		if found, err = value[bool](ctx, q, indexExistsQuery, n.Schema, n.Name); err == nil {
			return found, nil
		}
	}
	return false, refused("look for index", index, err)
}

var indexExistsQuery = "select exists (" + relationQuestion + qualified(` and c.relkind = any ('{i,I}'::pg_catalog."char"[]))`)
