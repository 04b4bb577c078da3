package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// inSchema is the condition that relation c of namespace n is the one that a name means, $1 being its schema, or "" for the
// search path.
const inSchema = `case when $1::pg_catalog.text = '' then pg_catalog.pg_table_is_visible(c.oid)
       when $1::pg_catalog.text = 'pg_temp' then n.oid = pg_catalog.pg_my_temp_schema()
       else n.nspname = $1::pg_catalog.name end`

// tableKinds are the relations that can stand in FROM.
const tableKinds = `c.relkind = any ('{r,p,v,m,f}'::pg_catalog."char"[])`

// withTarget begins a query about the table $1.$2. It makes one row: the table's OID, and where there is none, the one whose name
// is written in lower case. What is asked of the table is joined to that row, so that the answer has a row in any case.
const withTarget = `
with target as (
  select (select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.relname = $2::pg_catalog.name and ` + tableKinds + ` and
       ` + inSchema + `) as oid,
         (select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
          from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.relname = pg_catalog.lower($2::pg_catalog.text)::pg_catalog.name and ` + tableKinds + ` and
          case when $1::pg_catalog.text = '' then pg_catalog.pg_table_is_visible(c.oid)
               else n.nspname = pg_catalog.lower($1::pg_catalog.text)::pg_catalog.name end) as folded
)`

// target is what each row of a query with withTarget begins with.
type target struct {
	Missing bool   // the table does not exist
	Folded  string // then the table of that name in lower case, "" for none
	Blank   bool   // the row tells nothing but that the table exists
}

func (t target) at() target { return t }

// targetColumns are the columns of target. item is NULL where the row tells nothing.
func targetColumns(item string) string {
	return "target.oid is null as missing, coalesce(target.folded, '') as folded, " + item + " is null as blank"
}

// ofTable runs a query with withTarget about a table, and takes an item out of each row. verb is for the error.
func ofTable[R interface{ at() target }, T any](ctx context.Context, q ext.Querier, verb, table, sql string, item func(R) T) ([]T, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return nil, refused(verb, table, err)
	}
	rows, err := query[R](ctx, q, sql, n.Schema, n.Name)
	if err != nil {
		return nil, refused(verb, table, err)
	}
	var items []T
	for _, row := range rows {
		t := row.at()
		if t.Missing {
			return nil, refused(verb, table, &missingTable{name: n, folded: t.Folded})
		}
		if !t.Blank {
			items = append(items, item(row))
		}
	}
	return items, nil
}

// missingTable is the error of a table that does not exist.
type missingTable struct {
	name   ext.Name
	folded string
	server error // nil where the catalog said it
}

func (e *missingTable) Error() string {
	text := fmt.Sprintf("table %s does not exist (SQLSTATE 42P01)", e.name)
	if e.server != nil {
		text = e.server.Error()
	}
	if e.folded != "" {
		text += fmt.Sprintf("; %s does: names keep their case here", e.folded)
	}
	return text
}

// Is reports that e is an [ErrTableNotFound].
func (e *missingTable) Is(target error) bool { return target == ErrTableNotFound }

// Unwrap returns the server's error.
func (e *missingTable) Unwrap() error { return e.server }

// SQLState is the SQLSTATE that the server has for it.
func (e *missingTable) SQLState() string { return undefinedTable }

const undefinedTable = "42P01"

var foldedQuery = qualified(withTarget + `
select coalesce(folded, '') from target`)

// onTable runs a statement about a table if its builder returned no error. verb and table are for the error.
func onTable(ctx context.Context, q ext.Querier, verb, table, text string, err error) error {
	if err == nil {
		err = explain(ctx, q, table, run(ctx, q, text))
	}
	if err != nil {
		return refused(verb, table, err)
	}
	return nil
}

// explain makes an error of the server an [ErrTableNotFound] where it says that table does not exist. Behind it in a transaction
// the catalog cannot be asked any more.
func explain(ctx context.Context, q ext.Querier, table string, err error) error {
	n, invalid := ext.ParseName(table)
	if invalid != nil || driver.SQLState(err) != undefinedTable {
		return err
	}
	missing := &missingTable{name: n, server: err}
	if strings.ToLower(n.String()) != n.String() {
		if folded, failed := value[string](ctx, q, foldedQuery, n.Schema, n.Name); failed == nil {
			missing.folded = folded
		}
	}
	return missing
}
