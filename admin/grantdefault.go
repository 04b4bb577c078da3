package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// FutureObjects are the objects of a kind that will be created.
type FutureObjects string

// The kinds of objects that have default privileges.
const (
	FutureTables       FutureObjects = "tables" // and views
	FutureSequences    FutureObjects = "sequences"
	FutureFunctions    FutureObjects = "functions" // and procedures
	FutureTypes        FutureObjects = "types"     // and domains
	FutureSchemas      FutureObjects = "schemas"
	FutureLargeObjects FutureObjects = "large objects" // PostgreSQL 18
)

// DefaultOptions are the options of [GrantDefault] and [RevokeDefault].
type DefaultOptions struct {
	Creators        []string // roles whose objects are meant, CurrentUser and its like too; none means the current user's
	Schemas         []string // where they are created; none means anywhere in the database
	WithGrantOption bool     // GrantDefault: the role may grant the privileges to others
	GrantOptionFor  bool     // RevokeDefault: take only the right to grant the privileges to others
	Cascade         bool     // RevokeDefault
}

// GrantDefault gives a role, or [Public], privileges on the objects of a kind that will be created; those that exist stay as they are
// ([AllTables] and its like are for them). Privileges are written as for [Grant], without columns.
func GrantDefault(ctx context.Context, q ext.Querier, privileges string, on FutureObjects, to string, o DefaultOptions) error {
	text, err := grantDefault(privileges, on, to, o)
	return defaults(ctx, q, "grant", privileges, on, "to", to, text, err)
}

func grantDefault(privileges string, on FutureObjects, to string, o DefaultOptions) (string, error) {
	text, err := o.alter("grant ", privileges, on, " to ", to)
	if o.WithGrantOption {
		text += " with grant option"
	}
	return text, err
}

// RevokeDefault takes what [GrantDefault] gave, and what the server gives by itself where no schema is named: EXECUTE on functions and
// USAGE on types to [Public].
func RevokeDefault(ctx context.Context, q ext.Querier, privileges string, on FutureObjects, from string, o DefaultOptions) error {
	text, err := revokeDefault(privileges, on, from, o)
	return defaults(ctx, q, "revoke", privileges, on, "from", from, text, err)
}

func revokeDefault(privileges string, on FutureObjects, from string, o DefaultOptions) (string, error) {
	verb := "revoke "
	if o.GrantOptionFor {
		verb += "grant option for "
	}
	text, err := o.alter(verb, privileges, on, " from ", from)
	if o.Cascade {
		text += " cascade"
	}
	return text, err
}

// alter is what both have in common.
func (o DefaultOptions) alter(verb, privileges string, on FutureObjects, preposition, role string) (string, error) {
	text := "alter default privileges"
	if len(o.Creators) > 0 {
		creators, err := roleNames(o.Creators)
		if err != nil {
			return "", err
		}
		text += " for role " + creators
	}
	if len(o.Schemas) > 0 {
		schemas, err := names("schema", o.Schemas)
		if err != nil {
			return "", err
		}
		text += " in schema " + schemas
	}
	list, err := parsePrivileges(privileges)
	if err != nil {
		return "", err
	}
	switch on {
	case FutureTables, FutureSequences, FutureFunctions, FutureTypes, FutureSchemas, FutureLargeObjects:
	default:
		return "", fmt.Errorf("objects %q have no default privileges", string(on))
	}
	quoted, err := roleName(role)
	return text + " " + verb + list + " on " + string(on) + preposition + quoted, err
}

func defaults(ctx context.Context, q ext.Querier, verb, privileges string, on FutureObjects, preposition, role, text string, err error) error {
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return fmt.Errorf("admin: %s %q by default on %s %s %q: %w", verb, privileges, on, preposition, roleText(role), hintRole(err, role))
	}
	return nil
}

// DefaultGrant is a privilege that objects get when they are created.
type DefaultGrant struct {
	Creator   string // whose objects
	Schema    string // where, "" for anywhere
	Objects   FutureObjects
	Grantee   string // Public for everyone
	Privilege string // SELECT, INSERT, …
	Grantable bool
}

var defaultGrantsQuery = qualified(`
select pg_catalog.pg_get_userbyid(d.defaclrole) as creator, coalesce(n.nspname, '') as schema,
       case when d.defaclobjtype = 'r' then 'tables' when d.defaclobjtype = 'S' then 'sequences' when d.defaclobjtype = 'f' then 'functions'
            when d.defaclobjtype = 'T' then 'types' when d.defaclobjtype = 'n' then 'schemas' else 'large objects' end as objects,
       case when a.grantee = 0::pg_catalog.oid then 'public' else pg_catalog.pg_get_userbyid(a.grantee) end as grantee,
       a.privilege_type as privilege, a.is_grantable as grantable
from pg_catalog.pg_default_acl d
cross join lateral pg_catalog.aclexplode(d.defaclacl) a
left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
order by creator, schema, objects, grantee, privilege`)

// ListDefaultGrants returns what [GrantDefault] and [RevokeDefault] have made of the default privileges of the database. What the server
// gives by itself is listed for the creators and objects of which something was changed.
func ListDefaultGrants(ctx context.Context, q ext.Querier) ([]DefaultGrant, error) {
	all, err := query[DefaultGrant](ctx, q, defaultGrantsQuery)
	if err != nil {
		return nil, fmt.Errorf("admin: list default privileges: %w", err)
	}
	return all, nil
}
