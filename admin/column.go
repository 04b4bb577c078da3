package admin

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// Column is a column of a table or view.
type Column struct {
	Name      string
	Position  int    // 1, 2, …; dropped columns leave gaps
	Type      string // as SQL writes it: integer, numeric(10,2), app.mood[]
	TypeOID   uint32
	Nullable  bool
	Default   string // SQL, "" for none
	Identity  string // "always" or "by default", "" for no identity column
	Generated string // SQL that a generated column is computed by, "" for others
	Virtual   bool   // a generated column that is computed when it is read (PostgreSQL 18)
	Collation string // where it is not the type's own
	MaxLength int    // characters of varchar and char, bits of bit, 0 for no limit
	Precision int    // digits of numeric, bits of integers and floats, 0 for none
	Scale     int    // digits of numeric behind the point
	Comment   string
}

// columnRow is a row of columnsQuery.
type columnRow struct {
	target
	Column
}

// columnsQuery reads the limits of types from atttypmod, those of a domain from the type below it.
var columnsQuery = qualified(withTarget + `
select ` + targetColumns("a.attname") + `,
       coalesce(a.attname, '') as name,
       coalesce(a.attnum, 0)::pg_catalog.int8 as position,
       coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), '') as type,
       coalesce(a.atttypid, 0::pg_catalog.oid)::pg_catalog.int8 as type_oid,
       not coalesce(a.attnotnull or t.typnotnull, false) as nullable,
       case when a.attgenerated = '' then coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') else '' end as "default",
       case when a.attidentity = 'a' then 'always' when a.attidentity = 'd' then 'by default' else '' end as identity,
       case when a.attgenerated = '' then '' else coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') end as generated,
       coalesce(a.attgenerated = 'v', false) as virtual,
       coalesce(case when a.attcollation <> t.typcollation then l.collname end, '') as collation,
       case when a.base = any ('{1042,1043}'::pg_catalog.oid[]) and a.mod > 4 then a.mod - 4
            when a.base = any ('{1560,1562}'::pg_catalog.oid[]) and a.mod > 0 then a.mod else 0 end::pg_catalog.int8 as max_length,
       case when a.base = 21::pg_catalog.oid then 16 when a.base = 23::pg_catalog.oid then 32 when a.base = 20::pg_catalog.oid then 64
            when a.base = 700::pg_catalog.oid then 24 when a.base = 701::pg_catalog.oid then 53
            when a.base = 1700::pg_catalog.oid and a.mod > 4 then ((a.mod - 4) operator(pg_catalog.>>) 16) & 65535
            else 0 end::pg_catalog.int8 as precision,
       case when a.base = 1700::pg_catalog.oid and a.mod > 4 then ((((a.mod - 4) & 2047) operator(pg_catalog.#) 1024) - 1024)
            else 0 end::pg_catalog.int8 as scale,
       coalesce(pg_catalog.col_description(a.attrelid, a.attnum), '') as comment
from target
left join (
  select a.*, case when t.typtype = 'd' then t.typbasetype else a.atttypid end as base,
         case when t.typtype = 'd' then t.typtypmod else a.atttypmod end as mod
  from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
  where a.attnum > 0::pg_catalog.int2 and not a.attisdropped) a on a.attrelid = target.oid
left join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_collation l on l.oid = a.attcollation
order by a.attnum`)

// TableInfo returns the columns of a table or view in their order. A table that does not exist is [ErrTableNotFound]; its
// columns are told whatever the user's privileges.
func TableInfo(ctx context.Context, q ext.Querier, table string) ([]Column, error) {
	return ofTable(ctx, q, "columns of", table, columnsQuery, func(r columnRow) Column { return r.Column })
}

// TypedColumn is the name of a column and its type as SQL writes it.
type TypedColumn struct{ Name, Type string }

// typedColumnRow is a row of typedColumnsQuery.
type typedColumnRow struct {
	target
	TypedColumn
}

var typedColumnsQuery = qualified(withTarget + `
select ` + targetColumns("a.attname") + `,
       coalesce(a.attname, '') as name,
       coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), '') as type
from target
left join pg_catalog.pg_attribute a on a.attrelid = target.oid and a.attnum > 0::pg_catalog.int2 and not a.attisdropped
order by a.attnum`)

// ColumnsWithTypes returns the names and types of a table's columns in their order. A table that does not exist is
// [ErrTableNotFound].
func ColumnsWithTypes(ctx context.Context, q ext.Querier, table string) ([]TypedColumn, error) {
	return ofTable(ctx, q, "columns of", table, typedColumnsQuery, func(r typedColumnRow) TypedColumn { return r.TypedColumn })
}

// ListColumns returns the names of a table's columns in their order. A table that does not exist is [ErrTableNotFound].
func ListColumns(ctx context.Context, q ext.Querier, table string) ([]string, error) {
	return ofTable(ctx, q, "columns of", table, typedColumnsQuery, func(r typedColumnRow) string { return r.Name })
}
