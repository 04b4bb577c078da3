package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// GrantRoleOptions are the options of [GrantRole].
type GrantRoleOptions struct {
	WithAdmin bool   // the member may give the membership to others
	Inherit   *bool  // the member has the role's privileges without SET ROLE; nil is the member's own default (PostgreSQL 16)
	Set       *bool  // the member may SET ROLE to it; nil is true (PostgreSQL 16)
	GrantedBy string // a role; "" is the current user
}

// GrantRole makes a role a member of another, and returns whether that changed anything: a membership that exists gets the options that
// are given, and is no error.
func GrantRole(ctx context.Context, q ext.Querier, role, member string, o GrantRoleOptions) (changed bool, err error) {
	text, err := grantRole(role, member, o)
	if err == nil {
		changed, err = changeMembership(ctx, q, text, role, member)
	}
	if err != nil {
		return false, fmt.Errorf("admin: grant role %q to %q: %w", roleText(role), roleText(member), err)
	}
	return changed, nil
}

func grantRole(role, member string, o GrantRoleOptions) (string, error) {
	text, err := membership("grant", role, "to", member)
	if err != nil {
		return "", err
	}
	options := ""
	add := func(option, value string) {
		if options != "" {
			options += ","
		}
		options += " " + option + " " + value
	}
	if o.WithAdmin {
		add("admin", "option")
	}
	for i, value := range []*bool{o.Inherit, o.Set} {
		if value != nil {
			add([]string{"inherit", "set"}[i], map[bool]string{true: "true", false: "false"}[*value])
		}
	}
	if options != "" {
		text += " with" + options
	}
	by, err := grantedBy(o.GrantedBy)
	return text + by, err
}

// membership is the statement's beginning, with the role and its member.
func membership(verb, role, preposition, member string) (string, error) {
	quoted, err := roleName(role)
	if err != nil {
		return "", err
	}
	to, err := roleName(member)
	if err != nil {
		return "", err
	}
	return verb + " " + quoted + " " + preposition + " " + to, nil
}

func grantedBy(role string) (string, error) {
	if role == "" {
		return "", nil
	}
	quoted, err := roleName(role)
	return " granted by " + quoted, err
}

// RevokeRoleOptions are the options of [RevokeRole]. At most one of the first three is set.
type RevokeRoleOptions struct {
	AdminOption   bool // take only the right to give the membership to others
	InheritOption bool // take only the inheritance of privileges (PostgreSQL 16)
	SetOption     bool // take only the right to SET ROLE (PostgreSQL 16)
	Cascade       bool // memberships that the member gave to others go as well
	GrantedBy     string
}

// RevokeRole ends a membership, or takes one of its options, and returns whether that changed anything: to revoke what was not granted,
// or what another role has granted, is no error. [ListRoleMembers] tells what there is and by whom.
func RevokeRole(ctx context.Context, q ext.Querier, role, member string, o RevokeRoleOptions) (changed bool, err error) {
	text, err := revokeRole(role, member, o)
	if err == nil {
		changed, err = changeMembership(ctx, q, text, role, member)
	}
	if err != nil {
		return false, fmt.Errorf("admin: revoke role %q from %q: %w", roleText(role), roleText(member), err)
	}
	return changed, nil
}

// membershipQuery shows the memberships of $2 in $1, with all that the server's version knows of them.
var membershipQuery = qualified(`
select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(m) order by m.grantor)::pg_catalog.text, '')
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles r on r.oid = m.roleid join pg_catalog.pg_roles u on u.oid = m.member
where r.rolname = $1 and u.rolname = $2`)

// changeMembership runs a statement and compares the memberships before and behind it. The server says by a notice or a warning that it
// has changed nothing, if the session wants to hear it.
func changeMembership(ctx context.Context, q ext.Querier, text, role, member string) (bool, error) {
	query := membershipQuery
	var args []any
	for i, name := range []string{role, member} {
		place := "$" + strconv.Itoa(i+1)
		if roleText(name) != name { // a keyword: the server knows whom it means
			query = strings.Replace(query, place, roleText(name), 1)
			continue
		}
		args = append(args, name)
		query = strings.Replace(query, place, "$"+strconv.Itoa(len(args))+"::pg_catalog.name", 1)
	}
	return compared(ctx, q, text, query, args)
}

func revokeRole(role, member string, o RevokeRoleOptions) (string, error) {
	verb, given := "revoke", 0
	for i, option := range []bool{o.AdminOption, o.InheritOption, o.SetOption} {
		if option {
			verb = "revoke " + []string{"admin", "inherit", "set"}[i] + " option for"
			given++
		}
	}
	if given > 1 {
		return "", errors.New("one option at a time")
	}
	text, err := membership(verb, role, "from", member)
	if err != nil {
		return "", err
	}
	by, err := grantedBy(o.GrantedBy)
	if o.Cascade {
		by += " cascade"
	}
	return text + by, err
}

// Member is a member of a role.
type Member struct {
	Name    string
	Grantor string
	Admin   bool     // it may give the membership to others
	Inherit bool     // it has the role's privileges without SET ROLE
	Set     bool     // it may SET ROLE to the role
	Path    []string // the roles from the role down to this member: one for a member of the role itself
}

// MembersOptions are the options of [ListRoleMembers].
type MembersOptions struct {
	Recursive bool // the members of members too
}

// membersQuery reads the options that memberships have since PostgreSQL 16 where there are such columns; before, inheritance was the
// member's own attribute, and SET ROLE was allowed to all.
var membersQuery = qualified(`
with recursive members as (
  select m.member, m.grantor, m.admin_option, m.roleid, pg_catalog.to_jsonb(m) as options, array[m.member] as path
  from pg_catalog.pg_auth_members m join pg_catalog.pg_roles r on r.oid = m.roleid where r.rolname = $1::pg_catalog.name
  union all
  select m.member, m.grantor, m.admin_option, m.roleid, pg_catalog.to_jsonb(m), p.path || m.member
  from members p join pg_catalog.pg_auth_members m on m.roleid = p.member
  where $2::pg_catalog.bool and not m.member = any (p.path)
)
select r.oid is null as missing, u.rolname is null as blank, coalesce(u.rolname, '') as name,
       case when m.grantor is null then '' else pg_catalog.pg_get_userbyid(m.grantor) end as grantor,
       coalesce(m.admin_option, false) as admin,
       coalesce((m.options ->> 'inherit_option')::pg_catalog.bool, u.rolinherit, false) as inherit,
       coalesce((m.options ->> 'set_option')::pg_catalog.bool, true) as "set",
       array(select pg_catalog.pg_get_userbyid(p.oid)::pg_catalog.text from pg_catalog.unnest(m.path) with ordinality p (oid, n) order by p.n) as path
from (select (select r.oid from pg_catalog.pg_roles r where r.rolname = $1::pg_catalog.name) as oid) r
left join members m on true
left join pg_catalog.pg_roles u on u.oid = m.member
order by pg_catalog.cardinality(m.path), u.rolname, grantor`)

// memberRow is a row of membersQuery.
type memberRow struct {
	Missing, Blank bool
	Member
}

// ListRoleMembers returns the members of a role, by name; with Recursive those of its members behind them. A member by several grants
// or ways is listed for each. A role that does not exist is [ErrRoleNotFound].
func ListRoleMembers(ctx context.Context, q ext.Querier, role string, o MembersOptions) ([]Member, error) {
	err := checkName(role)
	var rows []memberRow
	if err == nil {
		rows, err = query[memberRow](ctx, q, membersQuery, role, o.Recursive)
	}
	var members []Member
	for _, row := range rows {
		if row.Missing {
			err = ErrRoleNotFound
		}
		if !row.Blank {
			members = append(members, row.Member)
		}
	}
	if err != nil {
		return nil, refused("members of role", role, err)
	}
	return members, nil
}
