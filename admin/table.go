package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// Kind is a kind of relation.
type Kind string

// The kinds of relations that can stand in FROM.
const (
	KindTable            Kind = "table"
	KindPartitionedTable Kind = "partitioned table"
	KindView             Kind = "view"
	KindMaterializedView Kind = "materialized view"
	KindForeignTable     Kind = "foreign table"
)

// Table is a table, a view or one of their like.
type Table struct {
	Schema      string
	Name        string
	Kind        Kind
	Owner       string
	Persistence string // permanent, unlogged or temporary
	Partition   bool   // it is a partition of another table
	RowEstimate int64  // by the last VACUUM, ANALYZE or CREATE INDEX, -1 before the first
	Comment     string
}

// QualifiedName is the table's name as the functions of this package take it.
func (t Table) QualifiedName() string { return ext.QuoteName(t.Schema, t.Name) }

// TablesOptions are the options of [ListTables]. The zero value means the ordinary and the partitioned tables.
type TablesOptions struct {
	Kinds  []Kind
	System bool // with those of PostgreSQL's own schemas, where no schema is named
}

// kindOf is a column: the kind of relation c.
const kindOf = `case when c.relkind = 'r' then 'table' when c.relkind = 'p' then 'partitioned table' when c.relkind = 'v' then 'view'
       when c.relkind = 'm' then 'materialized view' else 'foreign table' end`

var tablesQuery = qualified(`
select n.nspname as schema, c.relname as name, ` + kindOf + ` as kind,
       pg_catalog.pg_get_userbyid(c.relowner) as owner,
       case when c.relpersistence = 'p' then 'permanent' when c.relpersistence = 'u' then 'unlogged' else 'temporary' end as persistence,
       c.relispartition as partition,
       c.reltuples::pg_catalog.int8 as row_estimate,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') as comment
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where ` + tableKinds + `
  and (` + kindOf + `)::pg_catalog.text = any (pg_catalog.string_to_array($3::pg_catalog.text, ','))
  and case when $1::pg_catalog.text = '' then $2::pg_catalog.bool or ` + userSchema + `
           when $1::pg_catalog.text = 'pg_temp' then n.oid = pg_catalog.pg_my_temp_schema()
           else n.nspname = $1::pg_catalog.name end
order by n.nspname, c.relname`)

// ListTables returns the tables of a schema, by name, or of all schemas where it is "". A schema that does not exist has none.
// Privileges do not matter: what the user may not read is listed too.
func ListTables(ctx context.Context, q ext.Querier, schema string, o TablesOptions) ([]Table, error) {
	kinds := o.Kinds
	if len(kinds) == 0 {
		kinds = []Kind{KindTable, KindPartitionedTable}
	}
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = string(kind)
	}
	var err error
	if schema != "" {
		err = ext.CheckName(schema)
	}
	if err == nil {
		var all []Table
		if all, err = query[Table](ctx, q, tablesQuery, schema, o.System, strings.Join(words, ",")); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("admin: list tables of schema %q: %w", schema, err)
}

var tableExistsQuery = qualified(withTarget + `
select target.oid is not null from target`)

// TableExists reports whether a name means a table, view or one of their like. Without a schema the search path decides, as in a
// query; with one, privileges do not matter.
func TableExists(ctx context.Context, q ext.Querier, table string) (bool, error) {
	n, err := ext.ParseName(table)
	if err == nil {
		var found bool
		if found, err = value[bool](ctx, q, tableExistsQuery, n.Schema, n.Name); err == nil {
			return found, nil
		}
	}
	return false, refused("look for table", table, err)
}

// DropTable drops a table where it exists, and returns whether it did.
func DropTable(ctx context.Context, q ext.Querier, table string, o DropOptions) (dropped bool, err error) {
	ch, err := dropRelation("table", table, o)
	return ch.decide(ctx, q, err, "drop table", table)
}

// TruncateOptions are the options of [Truncate].
type TruncateOptions struct {
	RestartIdentity bool // the sequences of the tables' columns begin again
	Cascade         bool // tables with foreign keys to these are emptied too
	Only            bool // not the tables that inherit from these
}

// Truncate empties tables with one statement, so that tables with foreign keys to each other are emptied together. No tables are
// an error.
func Truncate(ctx context.Context, q ext.Querier, tables []string, o TruncateOptions) error {
	text, err := truncate(tables, o)
	if err == nil {
		err = run(ctx, q, text)
	}
	if len(tables) == 1 {
		err = explain(ctx, q, tables[0], err)
	}
	if err != nil {
		return fmt.Errorf("admin: truncate %q: %w", tables, err)
	}
	return nil
}

func truncate(tables []string, o TruncateOptions) (string, error) {
	text, err := relations("table", tables)
	if err != nil {
		return "", err
	}
	if o.Only {
		text, err = list(tables, func(table string) (string, error) {
			n, err := relation(table)
			return "only " + n, err
		})
	}
	text = "truncate " + text
	if o.RestartIdentity {
		text += " restart identity"
	}
	if o.Cascade {
		text += " cascade"
	}
	return text, err
}
