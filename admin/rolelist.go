package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// Role is a role of the server.
type Role struct {
	Name        string
	Login       bool
	Superuser   bool
	CreateDB    bool
	CreateRole  bool
	Replication bool
	BypassRLS   bool
	Inherit     bool
	ConnLimit   int        // -1 for any number
	ValidUntil  *time.Time // nil where the password has no end
	MemberOf    []string
	Settings    []string // "work_mem=64MB", those of all databases
	Comment     string
	System      bool // one of PostgreSQL's own: pg_monitor, pg_read_all_data
}

// userRole is the condition that role r is not PostgreSQL's own. Names that begin with pg_ are reserved for those, names that begin with pg
// are not. (The superuser that a server was made with is not meant.)
const userRole = `not (r.rolname ~ '^pg_')`

var rolesQuery = qualified(`
select r.rolname as name, r.rolcanlogin as login, r.rolsuper as superuser, r.rolcreatedb as create_db, r.rolcreaterole as create_role,
       r.rolreplication as replication, r.rolbypassrls as bypass_rls, r.rolinherit as inherit, r.rolconnlimit::pg_catalog.int8 as conn_limit,
       case when pg_catalog.isfinite(r.rolvaliduntil) then r.rolvaliduntil end as valid_until,
       array(select g.rolname::pg_catalog.text from pg_catalog.pg_auth_members m join pg_catalog.pg_roles g on g.oid = m.roleid
             where m.member = r.oid group by g.rolname order by g.rolname) as member_of,
       coalesce((select s.setconfig from pg_catalog.pg_db_role_setting s where s.setrole = r.oid and s.setdatabase = 0::pg_catalog.oid), '{}') as settings,
       coalesce(pg_catalog.shobj_description(r.oid, 'pg_authid'), '') as comment,
       not ` + userRole + ` as system
from pg_catalog.pg_roles r
where $1::pg_catalog.bool or ` + userRole + `
order by r.rolname`)

// ListRoles returns the roles of the server, by name.
func ListRoles(ctx context.Context, q ext.Querier, o ListOptions) ([]Role, error) {
	all, err := query[Role](ctx, q, rolesQuery, o.System)
	if err != nil {
		return nil, fmt.Errorf("admin: list roles: %w", err)
	}
	return all, nil
}

var roleExistsQuery = "select exists (" + roleQuestion + ")"

// RoleExists reports whether a role exists, by its exact name. Any user may ask.
func RoleExists(ctx context.Context, q ext.Querier, role string) (bool, error) {
	return exists(ctx, q, "role", role, roleExistsQuery)
}
