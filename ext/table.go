package ext

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/pycopg/pycopg/driver"
)

// tableColumn is what inserting needs to know of a column.
type tableColumn struct {
	name     string
	cast     string // the type's name for SQL text
	elem     uint32 // OID of the type, of the underlying one for a domain: how its values are written
	builtin  bool   // the type is PostgreSQL's own
	unnest   bool   // an array of the type can be unnested into its values
	computed bool   // the value cannot be given: GENERATED ALWAYS, or an identity ALWAYS without overriding
	identity bool
}

// table is what inserting needs to know of a table.
type table struct {
	columns map[string]*tableColumn
	plain   bool // it has rows of its own: no view, no partitioned table
	epoch   uint64
}

// tablesKey finds the tables that a pool has been asked about.
type tablesKey struct{}

func knownTables(c *driver.Conn) *sync.Map {
	return c.Connector().Shared(tablesKey{}, func() any { return new(sync.Map) }).(*sync.Map)
}

// lookUpTable returns the columns of a table, which it asks for once per pool and schema epoch where that is safe: a name
// without a schema means another table under another search path, which has the same columns as a rule, but types of its
// own; and a column that is computed now may not be later.
func lookUpTable(ctx context.Context, c *driver.Conn, name Name) (*table, error) {
	known := knownTables(c)
	epoch, shared := c.SchemaEpoch()
	if t, ok := known.Load(name); ok && shared && t.(*table).epoch == epoch {
		return t.(*table), nil
	}
	t, err := askTable(ctx, c, name)
	if err != nil {
		return nil, err
	}
	safe := shared
	t.epoch = epoch
	for _, col := range t.columns {
		if col.computed || col.identity || !col.builtin && name.Schema == "" {
			safe = false
		}
	}
	if safe {
		known.Store(name, t)
	}
	return t, nil
}

// forgetTable is called when a statement failed that was made from what lookUpTable said.
func forgetTable(c *driver.Conn, table Name) { knownTables(c).Delete(table) }

const tableQuery = `
	select a.attname, quote_ident(n.nspname) || '.' || quote_ident(t.typname),
	       coalesce(nullif(t.typbasetype, 0), t.oid)::int8, t.oid < 16384,
	       t.typcategory not in ('A', 'C', 'P') and t.typarray <> 0 and t.typdelim = ',',
	       a.attgenerated::text, a.attidentity::text, r.relkind = 'r'
	from pg_catalog.pg_attribute a
	join pg_catalog.pg_class r on r.oid = a.attrelid
	join pg_catalog.pg_type t on t.oid = a.atttypid
	join pg_catalog.pg_namespace n on n.oid = t.typnamespace
	where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`

func askTable(ctx context.Context, c *driver.Conn, name Name) (*table, error) {
	rows, err := catalog(ctx, c, tableQuery, name.String())
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, noTable(ctx, c, name)
	}
	t := &table{columns: make(map[string]*tableColumn, len(rows))}
	t.plain, _ = rows[0][7].(bool)
	for _, row := range rows {
		col := &tableColumn{name: text(row[0]), cast: text(row[1])}
		oid, _ := row[2].(int64)
		col.elem = uint32(oid)
		col.builtin, _ = row[3].(bool)
		col.unnest, _ = row[4].(bool)
		col.computed = text(row[5]) != "" || text(row[6]) == "a"
		col.identity = text(row[6]) == "a"
		t.columns[col.name] = col
	}
	return t, nil
}

// text is a text of the catalog, which compat=pq gives as bytes for some types.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// undefinedTable is the error of a table that does not exist, as the server would give it: SQLSTATE 42P01.
type undefinedTable struct {
	table Name
	hint  string
}

func (e *undefinedTable) Error() string {
	return fmt.Sprintf("table %s does not exist, or has no columns%s (SQLSTATE 42P01)", e.table, e.hint)
}

// SQLState is the error's SQLSTATE.
func (e *undefinedTable) SQLState() string { return "42P01" }

// noTable says that a table does not exist, and whether one does whose name is written in lower case.
func noTable(ctx context.Context, c *driver.Conn, table Name) error {
	e := &undefinedTable{table: table}
	folded := Name{Schema: strings.ToLower(table.Schema), Name: strings.ToLower(table.Name)}
	if folded == table {
		return e
	}
	rows, err := catalog(ctx, c, "select to_regclass($1) is not null", folded.String())
	if err != nil {
		return err
	}
	if exists, _ := rows[0][0].(bool); exists {
		e.hint = fmt.Sprintf("; %s does: names keep their case here", folded)
	}
	return e
}
