package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// ConstraintOptions are the options of adding a constraint. The zero value checks the rows that are there, and each statement at its
// end.
type ConstraintOptions struct {
	Name        string // "" is what the server chooses as a rule: table_pkey, table_column_key, table_column_fkey, table_column_check
	IfNotExists bool   // leave a constraint of that name as it is, without looking at it

	Deferrable        bool // not for checks
	InitiallyDeferred bool
	NotValid          bool     // do not check the rows that are there: foreign keys and checks; ValidateConstraint does it later
	NullsNotDistinct  bool     // unique constraints: one NULL at most (PostgreSQL 15)
	Include           []string // primary keys and unique constraints: columns that their index holds besides
	UsingIndex        string   // primary keys and unique constraints: a unique index that exists, which becomes the constraint's
	NoInherit         bool     // checks: not for the tables that inherit from this one
}

// AddPrimaryKey makes columns the primary key of a table. It returns the constraint's name, and whether it was added. The columns
// become NOT NULL. With UsingIndex there are no columns.
func AddPrimaryKey(ctx context.Context, q ext.Querier, table string, columns []string, o ConstraintOptions) (name string, added bool, err error) {
	return addConstraint(ctx, q, "add a primary key to", table, o, "pkey", nil, func() (string, error) { return o.key("primary key", columns) })
}

// AddUnique adds a unique constraint. It returns its name, and whether it was added. With UsingIndex there are no columns.
func AddUnique(ctx context.Context, q ext.Querier, table string, columns []string, o ConstraintOptions) (name string, added bool, err error) {
	return addConstraint(ctx, q, "add a unique constraint to", table, o, "key", columns, func() (string, error) { return o.key("unique", columns) })
}

// AddForeignKey adds a foreign key from columns to another table. It returns its name, and whether it was added.
func AddForeignKey(ctx context.Context, q ext.Querier, table string, columns []string, to Reference, o ConstraintOptions) (name string, added bool, err error) {
	return addConstraint(ctx, q, "add a foreign key to", table, o, "fkey", columns, func() (string, error) {
		return ForeignKey{Columns: columns, Reference: to}.sql()
	})
}

// AddCheck adds a check constraint; the condition is SQL. It returns its name, and whether it was added.
func AddCheck(ctx context.Context, q ext.Querier, table, condition string, o ConstraintOptions) (name string, added bool, err error) {
	return addConstraint(ctx, q, "add a check to", table, o, "check", nil, func() (string, error) {
		return "check (" + condition + ")", expression("check", condition)
	})
}

// addConstraint adds the constraint that clause makes.
func addConstraint(ctx context.Context, q ext.Querier, verb, table string, o ConstraintOptions, label string, columns []string, clause func() (string, error)) (name string, added bool, err error) {
	text, err := clause()
	if err == nil {
		var ch change
		if name, ch, err = newConstraint(table, o, label, columns, text); err == nil {
			added, err = ch.run(ctx, q)
			err = explain(ctx, q, table, err)
		}
	}
	if err != nil {
		return "", false, refused(verb, table, err)
	}
	return name, added, nil
}

func newConstraint(table string, o ConstraintOptions, label string, columns []string, clause string) (string, change, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return "", change{}, err
	}
	if o.Name == "" {
		o.Name = objectName(n.Name, columns, label)
	}
	quoted, err := name("constraint", o.Name)
	if err != nil {
		return "", change{}, err
	}
	text := "alter table " + n.String() + " add constraint " + quoted + " " + clause + o.behind()
	ch := change{text: text, strict: text, create: true}
	if o.IfNotExists {
		ch.object = question{constraintQuestion, []string{n.Schema, n.Name, o.Name}}
	}
	return o.Name, ch, nil
}

// key is the clause of a primary key or unique constraint.
func (o ConstraintOptions) key(clause string, columns []string) (string, error) {
	if o.NullsNotDistinct {
		clause += " nulls not distinct"
	}
	if o.UsingIndex != "" {
		if len(columns) > 0 || len(o.Include) > 0 {
			return "", fmt.Errorf("index %q: the index has the columns", o.UsingIndex)
		}
		index, err := name("index", o.UsingIndex)
		return clause + " using index " + index, err
	}
	keys, err := names("column", columns)
	if err != nil || len(o.Include) == 0 {
		return clause + " (" + keys + ")", err
	}
	include, err := names("column", o.Include)
	return clause + " (" + keys + ") include (" + include + ")", err
}

// behind is what follows any constraint.
func (o ConstraintOptions) behind() string {
	text := ""
	if o.NoInherit {
		text += " no inherit"
	}
	text += deferral(o.Deferrable, o.InitiallyDeferred)
	if o.NotValid {
		text += " not valid"
	}
	return text
}

// ValidateConstraint checks the rows of a table by a constraint that was added with NotValid. Writes go on meanwhile.
func ValidateConstraint(ctx context.Context, q ext.Querier, table, constraint string) error {
	text, err := alterConstraint(table, "validate constraint ", constraint)
	return onTable(ctx, q, "validate a constraint of", table, text, err)
}

// RenameConstraint renames a constraint of a table.
func RenameConstraint(ctx context.Context, q ext.Querier, table, constraint, to string) error {
	text, err := alterConstraint(table, "rename constraint ", constraint)
	if err == nil {
		var quoted string
		quoted, err = name("constraint", to)
		text += " to " + quoted
	}
	return onTable(ctx, q, "rename a constraint of", table, text, err)
}

func alterConstraint(table, action, constraint string) (string, error) {
	n, err := relation(table)
	if err != nil {
		return "", err
	}
	quoted, err := name("constraint", constraint)
	return "alter table " + n + " " + action + quoted, err
}

// DropConstraint drops a constraint of a table where it exists, and returns whether it did. A table that does not exist has none.
func DropConstraint(ctx context.Context, q ext.Querier, table, constraint string, o DropOptions) (dropped bool, err error) {
	ch, err := dropPart(table, "constraint", constraint, constraintQuestion, o)
	return ch.decide(ctx, q, err, "drop a constraint of", table)
}

// dropPart is the statement that drops a column or constraint of a table.
func dropPart(table, kind, part, query string, o DropOptions) (change, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return change{}, err
	}
	quoted, err := name(kind, part)
	if err != nil {
		return change{}, err
	}
	alter := "alter table " + n.String() + " drop " + kind + " "
	return change{
		text:   alter + "if exists " + quoted + o.sql(),
		strict: alter + quoted + o.sql(),
		object: question{query, []string{n.Schema, n.Name, part}},
	}, nil
}
