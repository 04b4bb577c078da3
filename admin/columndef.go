package admin

import (
	"errors"
	"fmt"
	"strings"
)

// Identity says whether a column gets its values from a sequence of its own.
type Identity string

// The kinds of identity columns.
const (
	IdentityAlways    Identity = "always"     // values of INSERT are refused
	IdentityByDefault Identity = "by default" // values of INSERT win
)

// ColumnDef describes a column that is to be made. Type, Default, Generated and Check are SQL; Name is taken literally.
type ColumnDef struct {
	Name string

	// Type is the column's type and may say whatever else SQL takes behind it: "numeric(10,2)", "text not null",
	// "serial primary key".
	Type string

	NotNull    bool
	Default    string // SQL: "now()", "'new'"
	Identity   Identity
	Generated  string // SQL: the column is computed by it when a row is written, and stored
	PrimaryKey bool
	Unique     bool
	Check      string // SQL: a condition
	References *Reference
	Collation  string // a name, as the names of tables are written
	Comment    string // set by the functions of this package with a statement behind the first
}

// Reference is the other side of a foreign key.
type Reference struct {
	Table    string
	Columns  []string // none: the primary key
	OnDelete Action
	OnUpdate Action

	Deferrable        bool // its check can be put off to the end of the transaction by SET CONSTRAINTS
	InitiallyDeferred bool // it is put off to the end of the transaction
}

// Action is what becomes of referencing rows when the row that they reference is deleted or its key changed. "" is NO ACTION:
// an error at the end of the statement, or of the transaction where the check is deferred.
type Action string

// The actions of foreign keys.
const (
	NoAction   Action = "no action"
	Restrict   Action = "restrict"
	Cascade    Action = "cascade"
	SetNull    Action = "set null"
	SetDefault Action = "set default"
)

func (c ColumnDef) sql() (string, error) {
	text, err := name("column", c.Name)
	if err != nil {
		return "", err
	}
	clauses, err := c.clauses()
	if err != nil {
		return "", fmt.Errorf("column %q: %w", c.Name, err)
	}
	return text + " " + clauses, nil
}

// clauses are what follows the column's name.
func (c ColumnDef) clauses() (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	text := strings.TrimSpace(c.Type)
	if c.Collation != "" {
		collation, err := relation(c.Collation)
		if err != nil {
			return "", err
		}
		text += " collate " + collation
	}
	if c.NotNull {
		text += " not null"
	}
	switch {
	case c.Default != "":
		text += " default (" + c.Default + ")"
	case c.Identity != "":
		text += " generated " + string(c.Identity) + " as identity"
	case c.Generated != "":
		text += " generated always as (" + c.Generated + ") stored"
	}
	if c.PrimaryKey {
		text += " primary key"
	}
	if c.Unique {
		text += " unique"
	}
	if c.Check != "" {
		text += " check (" + c.Check + ")"
	}
	if c.References == nil {
		return text, nil
	}
	reference, err := c.References.sql()
	return text + " " + reference, err
}

// check refuses what is no part of a column's definition, before it is put together.
func (c ColumnDef) check() error {
	err := single("type", c.Type)
	for _, given := range [][2]string{{"default", c.Default}, {"generated", c.Generated}, {"check", c.Check}} {
		if given[1] != "" && err == nil {
			err = expression(given[0], given[1])
		}
	}
	if err != nil {
		return err
	}
	values := 0
	for _, given := range []bool{c.Default != "", c.Identity != "", c.Generated != ""} {
		if given {
			values++
		}
	}
	if values > 1 {
		return errors.New("it takes one of Default, Identity and Generated")
	}
	return c.Identity.check()
}

func (i Identity) check() error {
	switch i {
	case "", IdentityAlways, IdentityByDefault:
		return nil
	}
	return fmt.Errorf("identity %q: it is %q or %q", string(i), IdentityAlways, IdentityByDefault)
}

func (a Action) check() error {
	switch a {
	case "", NoAction, Restrict, Cascade, SetNull, SetDefault:
		return nil
	}
	return fmt.Errorf("action %q is not one of PostgreSQL's", string(a))
}

// sql is the clause that begins with REFERENCES.
func (r Reference) sql() (string, error) {
	table, err := relation(r.Table)
	if err != nil {
		return "", err
	}
	text := "references " + table
	if len(r.Columns) > 0 {
		columns, err := names("column", r.Columns)
		if err != nil {
			return "", err
		}
		text += " (" + columns + ")"
	}
	for i, action := range []Action{r.OnDelete, r.OnUpdate} {
		clause := []string{"on delete", "on update"}[i]
		if err := action.check(); err != nil {
			return "", fmt.Errorf("%s: %w", clause, err)
		}
		if action != "" {
			text += " " + clause + " " + string(action)
		}
	}
	return text + deferral(r.Deferrable, r.InitiallyDeferred), nil
}

// deferral is the clause that says when a constraint is checked.
func deferral(deferrable, initiallyDeferred bool) string {
	switch {
	case initiallyDeferred:
		return " deferrable initially deferred"
	case deferrable:
		return " deferrable"
	}
	return ""
}
