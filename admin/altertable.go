package admin

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// AddColumnOptions are the options of [AddColumn].
type AddColumnOptions struct {
	IfNotExists bool // leave a column of that name as it is, without looking at its type
}

// AddColumn adds a column to a table, and returns whether it did.
func AddColumn(ctx context.Context, q ext.Querier, table string, column ColumnDef, o AddColumnOptions) (added bool, err error) {
	ch, err := addColumn(table, column, o)
	if err == nil {
		added, err = ch.run(ctx, q)
		err = explain(ctx, q, table, err)
	}
	if err != nil {
		return false, refused("add a column to", table, err)
	}
	return added, nil
}

func addColumn(table string, column ColumnDef, o AddColumnOptions) (change, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return change{}, err
	}
	text, err := column.sql()
	if err != nil {
		return change{}, err
	}
	comment, err := tableComments(n, []ColumnDef{column}, "")
	if err != nil {
		return change{}, err
	}
	return creation(o.IfNotExists, "alter table "+n.String()+" add column", text+comment,
		question{columnQuestion, []string{n.Schema, n.Name, column.Name}}), nil
}

// DropColumn drops a column of a table where it exists, and returns whether it did. A table that does not exist has none.
func DropColumn(ctx context.Context, q ext.Querier, table, column string, o DropOptions) (dropped bool, err error) {
	ch, err := dropPart(table, "column", column, columnQuestion, o)
	return ch.decide(ctx, q, err, "drop a column of", table)
}

// ColumnChange is what [AlterColumn] changes. What is nil or empty stays.
type ColumnChange struct {
	Rename     string
	Type       string  // SQL
	Using      string  // SQL, with Type: how the new values are computed from the old ones
	Collation  string  // with Type
	Default    *string // SQL; "" drops it
	NotNull    *bool
	Statistics *int    // how exactly ANALYZE looks at the column, -1 for the server's default
	Comment    *string // "" removes it

	Identity       *Identity // makes an ordinary column an identity column, with "" an identity column an ordinary one
	SwitchIdentity Identity  // makes an identity column one of the other kind; its sequence goes on
}

// AlterColumn changes a column of a table. All changes happen, or none.
func AlterColumn(ctx context.Context, q ext.Querier, table, column string, c ColumnChange) error {
	text, err := alterColumn(table, column, c)
	return onTable(ctx, q, "alter column "+strconv.Quote(column)+" of", table, text, err)
}

// errNoChange is the error of a change that is empty.
var errNoChange = errors.New("nothing is to be changed")

func alterColumn(table, column string, c ColumnChange) (string, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return "", err
	}
	quoted, err := name("column", column)
	if err != nil {
		return "", err
	}
	actions, err := c.actions()
	if err != nil {
		return "", err
	}
	var statements []string
	if len(actions) > 0 {
		for i := range actions {
			actions[i] = "alter column " + quoted + " " + actions[i]
		}
		statements = append(statements, "alter table "+n.String()+" "+strings.Join(actions, ", "))
	}
	if c.Comment != nil {
		comment, err := commentText(*c.Comment)
		if err != nil {
			return "", err
		}
		statements = append(statements, "comment on column "+n.String()+"."+quoted+" is "+comment)
	}
	if c.Rename != "" {
		to, err := name("column", c.Rename)
		if err != nil {
			return "", err
		}
		statements = append(statements, "alter table "+n.String()+" rename column "+quoted+" to "+to)
	}
	if len(statements) == 0 {
		return "", errNoChange
	}
	return strings.Join(statements, "; "), nil
}

// actions are what ALTER TABLE does to the column. A default that the new type could not take is dropped first, and the new one set
// last.
func (c ColumnChange) actions() (actions []string, err error) {
	if c.Type == "" && (c.Using != "" || c.Collation != "") {
		return nil, errors.New("a change of Using or Collation belongs to one of Type")
	}
	if c.Default != nil && (c.Type != "" || *c.Default == "") {
		actions = append(actions, "drop default")
	}
	if c.Type != "" {
		action, err := c.typeAction()
		if err != nil {
			return nil, err
		}
		actions = append(actions, action)
	}
	if c.Default != nil && *c.Default != "" {
		actions, err = append(actions, "set default ("+*c.Default+")"), expression("default", *c.Default)
	}
	if c.NotNull != nil {
		actions = append(actions, map[bool]string{true: "set not null", false: "drop not null"}[*c.NotNull])
	}
	if c.Identity != nil {
		actions, err = append(actions, c.Identity.action()), errors.Join(err, c.Identity.check())
	}
	if c.SwitchIdentity != "" {
		actions, err = append(actions, "set generated "+string(c.SwitchIdentity)), errors.Join(err, c.SwitchIdentity.check())
	}
	if c.Statistics != nil {
		actions = append(actions, "set statistics "+strconv.Itoa(*c.Statistics))
	}
	return actions, err
}

func (c ColumnChange) typeAction() (string, error) {
	action := "type " + c.Type
	if err := single("type", c.Type); err != nil {
		return "", err
	}
	if c.Collation != "" {
		collation, err := relation(c.Collation)
		if err != nil {
			return "", err
		}
		action += " collate " + collation
	}
	if c.Using == "" {
		return action, nil
	}
	return action + " using (" + c.Using + ")", expression("using", c.Using)
}

// action makes a column an identity column or an ordinary one.
func (i Identity) action() string {
	if i == "" {
		return "drop identity if exists"
	}
	return "add generated " + string(i) + " as identity"
}

// TableChange is what [AlterTable] changes. What is nil or empty stays.
type TableChange struct {
	Rename     string
	Schema     string
	Owner      string // a role, or CurrentUser and its like
	Tablespace string
	Unlogged   *bool
	With       map[string]string // storage parameters
	Reset      []string          // storage parameters that get their defaults again
	Comment    *string           // "" removes it
}

// AlterTable changes a table. All changes happen, or none.
func AlterTable(ctx context.Context, q ext.Querier, table string, c TableChange) error {
	text, err := alterTable(table, c)
	return onTable(ctx, q, "alter table", table, text, err)
}

func alterTable(table string, c TableChange) (string, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return "", err
	}
	actions, err := c.actions()
	if err != nil {
		return "", err
	}
	var statements []string
	for _, action := range actions {
		statements = append(statements, "alter table "+n.String()+" "+action)
	}
	if c.Comment != nil {
		comment, err := commentText(*c.Comment)
		if err != nil {
			return "", err
		}
		statements = append(statements, "comment on table "+n.String()+" is "+comment)
	}
	if c.Schema != "" {
		schema, err := name("schema", c.Schema)
		if err != nil {
			return "", err
		}
		statements = append(statements, "alter table "+n.String()+" set schema "+schema)
		n.Schema = c.Schema
	}
	if c.Rename != "" {
		to, err := name("table", c.Rename)
		if err != nil {
			return "", err
		}
		statements = append(statements, "alter table "+n.String()+" rename to "+to)
	}
	if len(statements) == 0 {
		return "", errNoChange
	}
	return strings.Join(statements, "; "), nil
}

// actions are the changes that leave the table its name.
func (c TableChange) actions() (actions []string, err error) {
	add := func(action string, failed error) {
		actions, err = append(actions, action), errors.Join(err, failed)
	}
	if c.Owner != "" {
		owner, failed := roleName(c.Owner)
		add("owner to "+owner, failed)
	}
	if c.Tablespace != "" {
		tablespace, failed := name("tablespace", c.Tablespace)
		add("set tablespace "+tablespace, failed)
	}
	if c.Unlogged != nil {
		add(map[bool]string{true: "set unlogged", false: "set logged"}[*c.Unlogged], nil)
	}
	if len(c.With) > 0 {
		with, failed := storage(c.With)
		add("set"+strings.TrimPrefix(with, " with"), failed)
	}
	if len(c.Reset) > 0 {
		parameters, failed := relations("parameter", c.Reset)
		add("reset ("+parameters+")", failed)
	}
	return actions, err
}
