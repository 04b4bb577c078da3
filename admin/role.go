package admin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// RoleOptions are the options of [CreateRole]. The zero value is a role that cannot log in and inherits the privileges of the roles
// that it is a member of.
type RoleOptions struct {
	IfNotExists bool

	Login       bool
	Superuser   bool
	CreateDB    bool
	CreateRole  bool
	Replication bool
	BypassRLS   bool // row-level security does not apply
	NoInherit   bool // the privileges of its roles need SET ROLE

	ConnLimit  *int      // sessions at a time; nil or -1 for any number
	ValidUntil time.Time // the password's end; zero for none

	// Password is the clear password. What is sent is a SCRAM-SHA-256 verifier of it, which is computed here.
	Password string

	// Verifier is what a server has stored of a password (pg_authid.rolpassword), or what [ScramVerifier] returns, instead of
	// Password.
	Verifier string

	MemberOf []string          // roles that it becomes a member of
	Members  []string          // roles that become members of it
	Admins   []string          // members that may give the membership to others
	Settings map[string]string // run-time parameters of its sessions, in any database
	Comment  string
}

// CreateRole creates a role, and returns whether it did: with IfNotExists it leaves one that exists as it is.
func CreateRole(ctx context.Context, q ext.Querier, role string, o RoleOptions) (created bool, err error) {
	ch, err := createRole(role, o)
	return ch.decide(ctx, q, err, "create role", role)
}

func createRole(role string, o RoleOptions) (change, error) {
	quoted, err := newRole(role)
	if err != nil {
		return change{}, err
	}
	attributes, err := o.attributes()
	if err != nil {
		return change{}, err
	}
	for _, roles := range []struct {
		clause string
		names  []string
	}{{"in role", o.MemberOf}, {"role", o.Members}, {"admin", o.Admins}} {
		if len(roles.names) == 0 {
			continue
		}
		list, err := roleNames(roles.names)
		if err != nil {
			return change{}, err
		}
		attributes += " " + roles.clause + " " + list
	}
	statements := []string{"create role " + quoted + attributes}
	settings, err := settingActions(o.Settings, nil)
	if err != nil {
		return change{}, err
	}
	for _, action := range settings {
		statements = append(statements, "alter role "+quoted+" "+action)
	}
	if o.Comment != "" {
		comment, err := literal(o.Comment)
		if err != nil {
			return change{}, err
		}
		statements = append(statements, "comment on role "+quoted+" is "+comment)
	}
	ch := change{strict: strings.Join(statements, "; "), create: true}
	if ch.text = ch.strict; o.IfNotExists { // SQL has no IF NOT EXISTS for roles
		ch.object = question{roleQuestion, []string{role}}
	}
	return ch, nil
}

// attributes are the clauses of the options that are not their defaults.
func (o RoleOptions) attributes() (string, error) {
	text := ""
	for _, option := range []struct {
		given bool
		word  string
	}{
		{o.Login, "login"},
		{o.Superuser, "superuser"},
		{o.CreateDB, "createdb"},
		{o.CreateRole, "createrole"},
		{o.Replication, "replication"},
		{o.BypassRLS, "bypassrls"},
		{o.NoInherit, "noinherit"},
	} {
		if option.given {
			text += " " + option.word
		}
	}
	limit, err := connLimit(o.ConnLimit)
	if err != nil {
		return "", err
	}
	text += limit
	password, err := passwordClause(o.Password, o.Verifier)
	if err != nil {
		return "", err
	}
	text += password
	if !o.ValidUntil.IsZero() {
		text += validUntil(o.ValidUntil)
	}
	return text, nil
}

// connLimit is the clause of a limit of sessions, "" where it is nil.
func connLimit(limit *int) (string, error) {
	switch {
	case limit == nil:
		return "", nil
	case *limit < -1:
		return "", fmt.Errorf("a limit of %d connections: it is -1 for any number, 0 or more", *limit)
	}
	return " connection limit " + strconv.Itoa(*limit), nil
}

// validUntil is the clause of the end of a password; the zero time means none.
func validUntil(t time.Time) string {
	if t.IsZero() {
		return " valid until 'infinity'"
	}
	return " valid until '" + t.UTC().Format("2006-01-02 15:04:05.999999") + "+00'"
}

// DropRoleOptions are the options of [DropRole].
type DropRoleOptions struct {
	// ReassignTo is a role (or CurrentUser and its like) that gets what the role owns in the current database. What the role
	// was granted is revoked then.
	ReassignTo string

	// DropOwned drops what the role owns in the current database, with what depends on it, and revokes what it was granted.
	// With ReassignTo nothing but the grants is left to go.
	DropOwned bool
}

// DropRole drops a role where it exists, and returns whether it did. A role that owns something or has privileges is SQLSTATE 2BP01,
// whose detail lists what; the options take that away, in the current database and in the same transaction. What is left in other
// databases has to be taken away there.
func DropRole(ctx context.Context, q ext.Querier, role string, o DropRoleOptions) (dropped bool, err error) {
	ch, err := dropRole(role, o)
	return ch.decide(ctx, q, err, "drop role", role)
}

func dropRole(role string, o DropRoleOptions) (change, error) {
	quoted, err := newRole(role)
	if err != nil {
		return change{}, err
	}
	before := ""
	if o.ReassignTo != "" {
		to, err := roleName(o.ReassignTo)
		if err != nil {
			return change{}, err
		}
		before = "reassign owned by " + quoted + " to " + to + "; "
	}
	switch {
	case o.DropOwned:
		before += "drop owned by " + quoted + " cascade; "
	case o.ReassignTo != "":
		before += "drop owned by " + quoted + "; " // the privileges: it owns nothing any more
	}
	return change{
		text:   before + "drop role if exists " + quoted,
		strict: before + "drop role " + quoted,
		object: question{roleQuestion, []string{role}},
	}, nil
}
