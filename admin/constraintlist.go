package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// ConstraintKind is a kind of constraint.
type ConstraintKind string

// The kinds of constraints.
const (
	PrimaryKeyConstraint ConstraintKind = "primary key"
	UniqueConstraint     ConstraintKind = "unique"
	ForeignKeyConstraint ConstraintKind = "foreign key"
	CheckConstraint      ConstraintKind = "check"
	ExclusionConstraint  ConstraintKind = "exclude"
	NotNullConstraint    ConstraintKind = "not null" // which have names since PostgreSQL 18
	TriggerConstraint    ConstraintKind = "constraint trigger"
)

// Constraint is a constraint of a table.
type Constraint struct {
	Name       string
	Kind       ConstraintKind
	Columns    []string // of the table, in the constraint's order
	Definition string   // SQL behind the name: CHECK (price > 0)

	// Of foreign keys: the other side.
	RefSchema  string
	RefTable   string
	RefColumns []string
	OnDelete   Action
	OnUpdate   Action

	Deferrable        bool
	InitiallyDeferred bool
	Validated         bool // the rows that were there have been checked
	Comment           string
}

// constraintRow is a row of constraintsQuery.
type constraintRow struct {
	target
	Constraint
}

// action is a column: the action of a foreign key that a letter stands for.
func action(letter string) string {
	return `case when k.contype <> 'f' or k.contype is null then '' when ` + letter + ` = 'a' then 'no action' when ` + letter + ` = 'r' then 'restrict'
            when ` + letter + ` = 'c' then 'cascade' when ` + letter + ` = 'n' then 'set null' else 'set default' end`
}

// attributes is an array: the columns of a relation that an array of numbers means, in its order.
func attributes(relation, numbers string) string {
	return `array(select a.attname::pg_catalog.text from pg_catalog.unnest(` + numbers + `) with ordinality u (number, n)
             join pg_catalog.pg_attribute a on a.attrelid = ` + relation + ` and a.attnum = u.number order by u.n)`
}

var constraintsQuery = qualified(withTarget + `
select ` + targetColumns("k.conname") + `,
       coalesce(k.conname, '') as name,
       case when k.contype = 'p' then 'primary key' when k.contype = 'u' then 'unique' when k.contype = 'f' then 'foreign key'
            when k.contype = 'c' then 'check' when k.contype = 'x' then 'exclude' when k.contype = 'n' then 'not null'
            else 'constraint trigger' end as kind,
       ` + attributes("k.conrelid", "k.conkey") + ` as columns,
       coalesce(pg_catalog.pg_get_constraintdef(k.oid, true), '') as definition,
       coalesce(n.nspname, '') as ref_schema, coalesce(c.relname, '') as ref_table,
       ` + attributes("k.confrelid", "k.confkey") + ` as ref_columns,
       ` + action("k.confdeltype") + ` as on_delete,
       ` + action("k.confupdtype") + ` as on_update,
       coalesce(k.condeferrable, false) as deferrable, coalesce(k.condeferred, false) as initially_deferred,
       coalesce(k.convalidated, false) as validated,
       coalesce(pg_catalog.obj_description(k.oid, 'pg_constraint'), '') as comment
from target
left join pg_catalog.pg_constraint k on k.conrelid = target.oid
left join pg_catalog.pg_class c on c.oid = k.confrelid
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by k.conname`)

// ListConstraints returns the constraints of a table, by name. A table that does not exist is [ErrTableNotFound].
func ListConstraints(ctx context.Context, q ext.Querier, table string) ([]Constraint, error) {
	return ofTable(ctx, q, "constraints of", table, constraintsQuery, func(r constraintRow) Constraint { return r.Constraint })
}

// PrimaryKey returns the columns of a table's primary key in their order, none where it has no primary key. A table that does not
// exist is [ErrTableNotFound].
func PrimaryKey(ctx context.Context, q ext.Querier, table string) ([]string, error) {
	all, err := ListConstraints(ctx, q, table)
	for _, c := range all {
		if c.Kind == PrimaryKeyConstraint {
			return c.Columns, err
		}
	}
	return nil, err
}

// ForeignKeys returns the foreign keys of a table, by name. A table that does not exist is [ErrTableNotFound].
func ForeignKeys(ctx context.Context, q ext.Querier, table string) ([]Constraint, error) {
	all, err := ListConstraints(ctx, q, table)
	var keys []Constraint
	for _, c := range all {
		if c.Kind == ForeignKeyConstraint {
			keys = append(keys, c)
		}
	}
	return keys, err
}

// TableDescription is what there is to say about a table.
type TableDescription struct {
	Table       Table
	Columns     []Column
	Indexes     []Index
	Constraints []Constraint
	Sizes       TableSizes
}

var tableQuery = qualified(withTarget + `
select ` + targetColumns("c.relname") + `,
       coalesce(n.nspname, '') as schema, coalesce(c.relname, '') as name, ` + kindOf + ` as kind,
       coalesce(pg_catalog.pg_get_userbyid(c.relowner), '') as owner,
       case when c.relpersistence = 'p' then 'permanent' when c.relpersistence = 'u' then 'unlogged' else 'temporary' end as persistence,
       coalesce(c.relispartition, false) as partition,
       coalesce(c.reltuples, -1)::pg_catalog.int8 as row_estimate,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') as comment
from target
left join pg_catalog.pg_class c on c.oid = target.oid
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace`)

// tableRow is a row of tableQuery.
type tableRow struct {
	target
	Table
}

// DescribeTable returns what [TableInfo], [ListIndexes], [ListConstraints] and [TableSize] tell, with five queries: give it a
// transaction of isolation repeatable read to see one state. A table that does not exist is [ErrTableNotFound].
func DescribeTable(ctx context.Context, q ext.Querier, table string) (d TableDescription, err error) {
	tables, err := ofTable(ctx, q, "describe", table, tableQuery, func(r tableRow) Table { return r.Table })
	if err != nil || len(tables) == 0 {
		return d, err
	}
	d.Table = tables[0]
	exact := d.Table.QualifiedName()
	for _, part := range []func() error{
		func() error { d.Columns, err = TableInfo(ctx, q, exact); return err },
		func() error { d.Indexes, err = ListIndexes(ctx, q, exact); return err },
		func() error { d.Constraints, err = ListConstraints(ctx, q, exact); return err },
		func() error { d.Sizes, err = TableSize(ctx, q, exact); return err },
	} {
		if err := part(); err != nil {
			return TableDescription{}, fmt.Errorf("admin: describe %q: %w", table, err)
		}
	}
	return d, nil
}
