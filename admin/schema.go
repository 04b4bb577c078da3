package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// Schema is a schema of the database.
type Schema struct {
	Name    string
	Owner   string
	Comment string
	System  bool // one of PostgreSQL's own
}

// ListOptions are the options of several lists. The zero value leaves out what is PostgreSQL's own.
type ListOptions struct {
	System bool // PostgreSQL's own too
}

// userSchema is the condition that namespace n is not PostgreSQL's own. Names that begin with pg_ are reserved for those, names
// that begin with pg are not.
const userSchema = `not (n.nspname ~ '^pg_' or n.nspname = 'information_schema')`

var schemasQuery = qualified(`
select n.nspname as name,
       pg_catalog.pg_get_userbyid(n.nspowner) as owner,
       coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace'), '') as comment,
       not ` + userSchema + ` as system
from pg_catalog.pg_namespace n
where $1::pg_catalog.bool or ` + userSchema + `
order by n.nspname`)

// ListSchemas returns the schemas of the database, by name.
func ListSchemas(ctx context.Context, q ext.Querier, o ListOptions) ([]Schema, error) {
	all, err := query[Schema](ctx, q, schemasQuery, o.System)
	if err != nil {
		return nil, fmt.Errorf("admin: list schemas: %w", err)
	}
	return all, nil
}

var schemaExistsQuery = "select exists (" + schemaQuestion + ")"

// SchemaExists reports whether a schema exists, by its exact name, whatever the user's privileges.
func SchemaExists(ctx context.Context, q ext.Querier, schema string) (bool, error) {
	return exists(ctx, q, "schema", schema, schemaExistsQuery)
}

// exists asks whether something with a literal name exists.
func exists(ctx context.Context, q ext.Querier, what, name, query string) (bool, error) {
	err := checkName(name)
	if err == nil {
		var found bool
		if found, err = value[bool](ctx, q, query, name); err == nil {
			return found, nil
		}
	}
	return false, refused(what, name, err)
}

// SchemaOptions are the options of [CreateSchema].
type SchemaOptions struct {
	IfNotExists bool
	Owner       string // a role, or CurrentUser and its like; "" is the current user
}

// CreateSchema creates a schema, and returns whether it did: with IfNotExists it leaves one that exists as it is.
func CreateSchema(ctx context.Context, q ext.Querier, schema string, o SchemaOptions) (created bool, err error) {
	ch, err := createSchema(schema, o)
	return ch.decide(ctx, q, err, "create schema", schema)
}

func createSchema(schema string, o SchemaOptions) (change, error) {
	text, err := name("schema", schema)
	if err != nil {
		return change{}, err
	}
	if o.Owner != "" {
		owner, err := roleName(o.Owner)
		if err != nil {
			return change{}, err
		}
		text += " authorization " + owner
	}
	return creation(o.IfNotExists, "create schema", text, question{schemaQuestion, []string{schema}}), nil
}

// DropSchema drops a schema where it exists, and returns whether it did. PostgreSQL's own are [ErrSystemObject].
func DropSchema(ctx context.Context, q ext.Querier, schema string, o DropOptions) (dropped bool, err error) {
	ch, err := dropSchema(schema, o)
	return ch.decide(ctx, q, err, "drop schema", schema)
}

func dropSchema(schema string, o DropOptions) (change, error) {
	if isSystem(schema) {
		return change{}, ErrSystemObject
	}
	return dropNamed("schema", schema, schemaQuestion, o)
}
