package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// TableOptions are the options of [CreateTable]. The zero value makes an ordinary table.
type TableOptions struct {
	IfNotExists bool
	Unlogged    bool
	Temporary   bool

	PrimaryKey  []string     // columns of a primary key
	Unique      [][]string   // columns of unique constraints
	ForeignKeys []ForeignKey // besides those of the columns
	Checks      []string     // SQL: conditions
	Constraints []string     // SQL: any other constraints, "exclude using gist (during with &&)"

	PartitionBy string            // SQL: "range (at)", "list (country)", "hash (id)"
	PartitionOf string            // the table whose partition this one is; it has its columns
	Values      string            // SQL, with PartitionOf: "from ('2026-01-01') to ('2027-01-01')", "in ('ch')", "" is the default partition
	With        map[string]string // storage parameters: fillfactor, autovacuum_enabled
	Tablespace  string
	Comment     string
}

// ForeignKey is a foreign key of several columns, or one with a name.
type ForeignKey struct {
	Name    string // "" leaves it to the server
	Columns []string
	Reference
}

// CreateTable creates a table, and returns whether it did: with IfNotExists it leaves one that exists as it is, without looking
// at its columns. Types and expressions are SQL, names are taken literally.
func CreateTable(ctx context.Context, q ext.Querier, table string, columns []ColumnDef, o TableOptions) (created bool, err error) {
	ch, err := createTable(table, columns, o)
	return ch.decide(ctx, q, err, "create table", table)
}

func createTable(table string, columns []ColumnDef, o TableOptions) (change, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return change{}, err
	}
	body, err := tableBody(columns, o)
	if err != nil {
		return change{}, err
	}
	behind, err := o.behind()
	if err != nil {
		return change{}, err
	}
	comments, err := tableComments(n, columns, o.Comment)
	if err != nil {
		return change{}, err
	}
	before := "create table"
	if o.Unlogged {
		before = "create unlogged table"
	}
	where := n.Schema
	if o.Temporary {
		if before, where = "create temporary table", "pg_temp"; o.Unlogged {
			return change{}, errors.New("a temporary table is unlogged anyhow")
		}
	}
	return creation(o.IfNotExists, before, n.String()+body+behind+comments, question{newRelationQuestion, []string{where, n.Name}}), nil
}

// tableBody is what stands between the table's name and its options.
func tableBody(columns []ColumnDef, o TableOptions) (string, error) {
	var lines []string
	for _, c := range columns {
		line, err := c.sql()
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	constraints, err := o.constraints()
	if err != nil {
		return "", err
	}
	lines = append(lines, constraints...)
	body := ""
	if len(lines) > 0 || o.PartitionOf == "" {
		body = " (" + strings.Join(lines, ", ") + ")"
	}
	if o.PartitionOf == "" {
		if o.Values != "" {
			return "", errors.New("values are those of a partition: PartitionOf names no table")
		}
		return body, nil
	}
	parent, err := relation(o.PartitionOf)
	if err != nil {
		return "", err
	}
	if len(columns) > 0 {
		return "", errors.New("a partition has the columns of its table")
	}
	if o.Values == "" {
		return " partition of " + parent + body + " default", nil
	}
	return " partition of " + parent + body + " for values " + o.Values, expression("values", o.Values)
}

// constraints are the table's constraints.
func (o TableOptions) constraints() (lines []string, err error) {
	keys := func(clause string, columns []string) {
		list, failed := names("column", columns)
		lines, err = append(lines, clause+" ("+list+")"), errors.Join(err, failed)
	}
	if len(o.PrimaryKey) > 0 {
		keys("primary key", o.PrimaryKey)
	}
	for _, columns := range o.Unique {
		keys("unique", columns)
	}
	for _, key := range o.ForeignKeys {
		line, failed := key.sql()
		lines, err = append(lines, line), errors.Join(err, failed)
	}
	for _, check := range o.Checks {
		lines, err = append(lines, "check ("+check+")"), errors.Join(err, expression("check", check))
	}
	for _, constraint := range o.Constraints {
		lines, err = append(lines, constraint), errors.Join(err, single("constraint", constraint))
	}
	return lines, err
}

// sql is the constraint.
func (k ForeignKey) sql() (string, error) {
	text := ""
	if k.Name != "" {
		quoted, err := name("constraint", k.Name)
		if err != nil {
			return "", err
		}
		text = "constraint " + quoted + " "
	}
	columns, err := names("column", k.Columns)
	if err != nil {
		return "", err
	}
	reference, err := k.Reference.sql()
	return text + "foreign key (" + columns + ") " + reference, err
}

// behind is what stands behind the columns.
func (o TableOptions) behind() (string, error) {
	text := ""
	if o.PartitionBy != "" {
		if err := expression("partition by", o.PartitionBy); err != nil {
			return "", err
		}
		text += " partition by " + o.PartitionBy
	}
	with, err := storage(o.With)
	if err != nil {
		return "", err
	}
	text += with
	if o.Tablespace == "" {
		return text, nil
	}
	tablespace, err := name("tablespace", o.Tablespace)
	return text + " tablespace " + tablespace, err
}

// storage is the clause of storage parameters.
func storage(parameters map[string]string) (string, error) {
	if len(parameters) == 0 {
		return "", nil
	}
	text, err := list(slices.Sorted(maps.Keys(parameters)), func(key string) (string, error) {
		parameter, err := relation(key) // fillfactor, toast.autovacuum_enabled
		if err != nil {
			return "", err
		}
		value, err := literal(parameters[key])
		return parameter + " = " + value, err
	})
	return " with (" + text + ")", err
}

// tableComments are the statements that comment a new table and its columns.
func tableComments(table ext.Name, columns []ColumnDef, comment string) (string, error) {
	text := ""
	add := func(object, comment string) error {
		quoted, err := literal(comment)
		if err != nil {
			return fmt.Errorf("comment: %w", err)
		}
		text += "; comment on " + object + " is " + quoted
		return nil
	}
	if comment != "" {
		if err := add("table "+table.String(), comment); err != nil {
			return "", err
		}
	}
	for _, c := range columns {
		if c.Comment != "" {
			if err := add("column "+table.String()+"."+ext.QuoteName(c.Name), c.Comment); err != nil {
				return "", err
			}
		}
	}
	return text, nil
}
