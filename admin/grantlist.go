package admin

import (
	"context"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// RoleGrant is a privilege that a role has on an object.
type RoleGrant struct {
	Kind      string // as GRANT … ON names it: table, view, column, sequence, function, procedure, schema, database, type, …
	Schema    string // "" for what is in none
	Name      string // of a function with the types of its arguments; of a column's table; the OID of a large object
	Column    string // of a column's privilege
	Privilege string // SELECT, INSERT, …
	Grantee   string // Public for everyone
	Grantor   string
	Grantable bool // the role may grant it to others
	Owner     bool // the role has it as the object's owner
}

// grantedObjects are all that has privileges, with its owner and its list of privileges: the one that an object begins with where none
// has been changed. system is whether PostgreSQL brought it. The alternatives of one UNION, each behind the name of its catalog.
var grantedObjects = []string{`
  select case when c.relkind = 'S' then 'sequence' when c.relkind = 'v' then 'view' when c.relkind = 'm' then 'materialized view'
              when c.relkind = 'f' then 'foreign table' else 'table' end as kind,
         n.nspname::pg_catalog.text as schema, c.relname::pg_catalog.text as name, '' as "column", c.relowner as owner,
         coalesce(c.relacl, pg_catalog.acldefault(case when c.relkind = 'S' then 's' else 'r' end::pg_catalog."char", c.relowner)) as acl,
         not ` + userSchema + ` as system
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = any ('{r,p,v,m,f,S}'::pg_catalog."char"[])`, `
  select 'column', n.nspname, c.relname, a.attname, c.relowner, a.attacl, not ` + userSchema + `
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where a.attacl is not null and not a.attisdropped`, `
  select 'schema', '', n.nspname, '', n.nspowner, coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)), not ` + userSchema + `
  from pg_catalog.pg_namespace n`, `
  select 'database', '', d.datname, '', d.datdba, coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)), false
  from pg_catalog.pg_database d`, `
  select case when p.prokind = 'p' then 'procedure' else 'function' end, n.nspname,
         pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', '', p.proowner,
         coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), not ` + userSchema + `
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace`, `
  select case when t.typtype = 'd' then 'domain' else 'type' end, n.nspname, t.typname, '', t.typowner,
         coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)), not ` + userSchema + `
  from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where (t.typrelid = 0::pg_catalog.oid or exists (select from pg_catalog.pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
    and not exists (select from pg_catalog.pg_type e where e.typarray = t.oid)`, `
  select 'language', '', l.lanname, '', l.lanowner, coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner)), l.oid < 16384::pg_catalog.oid
  from pg_catalog.pg_language l`, `
  select 'large object', '', l.oid::pg_catalog.text, '', l.lomowner, coalesce(l.lomacl, pg_catalog.acldefault('L', l.lomowner)), false
  from pg_catalog.pg_largeobject_metadata l`, `
  select 'tablespace', '', s.spcname, '', s.spcowner, coalesce(s.spcacl, pg_catalog.acldefault('t', s.spcowner)), s.oid < 16384::pg_catalog.oid
  from pg_catalog.pg_tablespace s`, `
  select 'foreign data wrapper', '', w.fdwname, '', w.fdwowner, coalesce(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner)), false
  from pg_catalog.pg_foreign_data_wrapper w`, `
  select 'foreign server', '', s.srvname, '', s.srvowner, coalesce(s.srvacl, pg_catalog.acldefault('S', s.srvowner)), false
  from pg_catalog.pg_foreign_server s`}

// grantsFrom lists the privileges of role $1 on objects.
func grantsFrom(objects string) string {
	return qualified(`
with role as (
  select case when $1::pg_catalog.text = 'public' then 0::pg_catalog.oid
              else (select r.oid from pg_catalog.pg_roles r where r.rolname = $1::pg_catalog.name) end as oid
), object as (` + objects + `
)
select role.oid is null as missing, g.kind is null as blank,
       pg_catalog.current_setting('server_version_num')::pg_catalog.int8 as version,
       coalesce(g.kind, '') as kind, coalesce(g.schema, '') as schema, coalesce(g.name, '') as name, coalesce(g."column", '') as "column",
       coalesce(g.privilege_type, '') as privilege, $1::pg_catalog.text as grantee,
       case when g.kind is null then '' else pg_catalog.pg_get_userbyid(g.grantor) end as grantor,
       coalesce(g.is_grantable, false) as grantable, coalesce(g.owner = g.grantee, false) as owner
from role
left join (select o.*, a.* from object o cross join lateral pg_catalog.aclexplode(o.acl) a
           where $2::pg_catalog.bool or not o.system) g on g.grantee = role.oid
order by g.kind, g.schema, g.name, g."column", g.privilege_type, grantor`)
}

var (
	roleGrantsQuery = grantsFrom(strings.Join(grantedObjects, "\n  union all"))

	// parameterGrantsQuery is for PostgreSQL 15 and later: before, parameters had no privileges.
	parameterGrantsQuery = grantsFrom(`
  select 'parameter' as kind, '' as schema, p.parname as name, '' as "column", 10::pg_catalog.oid as owner, p.paracl as acl, false as system
  from pg_catalog.pg_parameter_acl p`)
)

// grantRow is a row of roleGrantsQuery.
type grantRow struct {
	Missing, Blank bool
	Version        int
	RoleGrant
}

// ListRoleGrants returns the privileges of a role, or of everyone ([Public]), on the objects of the database and those that all databases
// share: what it was granted itself, and what it has as an owner; not what it has by memberships. A role that does not exist is
// [ErrRoleNotFound].
func ListRoleGrants(ctx context.Context, q ext.Querier, role string, o ListOptions) ([]RoleGrant, error) {
	const withParameters = 150000
	grants, version, err := roleGrants(ctx, q, roleGrantsQuery, role, o)
	if err == nil && version >= withParameters {
		var more []RoleGrant
		more, _, err = roleGrants(ctx, q, parameterGrantsQuery, role, o)
		grants = append(grants, more...)
	}
	if err != nil {
		return nil, refused("grants of role", role, err)
	}
	return grants, nil
}

func roleGrants(ctx context.Context, q ext.Querier, sql, role string, o ListOptions) (grants []RoleGrant, version int, err error) {
	if err := checkName(role); err != nil {
		return nil, 0, err
	}
	rows, err := query[grantRow](ctx, q, sql, role, o.System)
	if err != nil {
		return nil, 0, err
	}
	for _, row := range rows {
		if row.Missing {
			return nil, 0, ErrRoleNotFound
		}
		if version = row.Version; !row.Blank {
			grants = append(grants, row.RoleGrant)
		}
	}
	return grants, version, nil
}

var tableGrantsQuery = qualified(withTarget + `
select ` + targetColumns("g.kind") + `,
       coalesce(g.kind, '') as kind, coalesce(g.schema, '') as schema, coalesce(g.name, '') as name, coalesce(g."column", '') as "column",
       coalesce(g.privilege_type, '') as privilege,
       case when g.kind is null then '' when g.grantee = 0::pg_catalog.oid then 'public' else pg_catalog.pg_get_userbyid(g.grantee) end as grantee,
       case when g.kind is null then '' else pg_catalog.pg_get_userbyid(g.grantor) end as grantor,
       coalesce(g.is_grantable, false) as grantable, coalesce(g.owner = g.grantee, false) as owner
from target
left join lateral (
  select 'table' as kind, n.nspname::pg_catalog.text as schema, c.relname::pg_catalog.text as name, '' as "column", c.relowner as owner, x.*
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) x
  where c.oid = target.oid
  union all
  select 'column', n.nspname, c.relname, a.attname, c.relowner, x.*
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped
  cross join lateral pg_catalog.aclexplode(a.attacl) x
  where c.oid = target.oid
) g on true
order by grantee, g."column", privilege, grantor`)

// tableGrantRow is a row of tableGrantsQuery.
type tableGrantRow struct {
	target
	RoleGrant
}

// ListTableGrants returns the privileges that roles have on a table and its columns, the owner's included. A table that does not exist
// is [ErrTableNotFound].
func ListTableGrants(ctx context.Context, q ext.Querier, table string) ([]RoleGrant, error) {
	return ofTable(ctx, q, "grants on", table, tableGrantsQuery, func(r tableGrantRow) RoleGrant { return r.RoleGrant })
}
