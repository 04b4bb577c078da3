package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
		{o.Login, "login"}, {o.Superuser, "superuser"}, {o.CreateDB, "createdb"}, {o.CreateRole, "createrole"},
		{o.Replication, "replication"}, {o.BypassRLS, "bypassrls"}, {o.NoInherit, "noinherit"},
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

// settingActions are what ALTER ROLE and ALTER DATABASE do to run-time parameters.
func settingActions(settings map[string]string, reset []string) (actions []string, err error) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		parameter, err := settingName(key)
		if err != nil {
			return nil, err
		}
		value, err := settingValue(key, settings[key])
		if err != nil {
			return nil, err
		}
		actions = append(actions, "set "+parameter+" = "+value)
	}
	for _, key := range reset {
		parameter, err := settingName(key)
		if err != nil {
			return nil, err
		}
		actions = append(actions, "reset "+parameter)
	}
	return actions, nil
}

// listSettings are the run-time parameters that are lists of names. A text in SQL would be one name with commas in it.
var listSettings = []string{"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}

// settingValue is the value of a run-time parameter in SQL.
func settingValue(key, text string) (string, error) {
	if !slices.Contains(listSettings, strings.ToLower(key)) || strings.TrimSpace(text) == "" {
		return literal(text)
	}
	parts, err := split("setting", text)
	if err != nil {
		return "", err
	}
	return list(parts, func(part string) (string, error) {
		if len(part) > 1 && part[0] == '"' && part[len(part)-1] == '"' {
			part = strings.ReplaceAll(part[1:len(part)-1], `""`, `"`)
		}
		return literal(part)
	})
}

// settingName quotes the name of a run-time parameter: work_mem, myapp.tenant.
func settingName(key string) (string, error) {
	parts := strings.Split(key, ".")
	for _, part := range parts {
		if err := ext.CheckName(part); err != nil {
			return "", fmt.Errorf("setting %q: %w", key, err)
		}
	}
	return ext.QuoteName(parts...), nil
}

// RoleChange is what [AlterRole] changes. What is nil or empty stays.
type RoleChange struct {
	Rename string

	Login       *bool
	Superuser   *bool
	CreateDB    *bool
	CreateRole  *bool
	Replication *bool
	BypassRLS   *bool
	Inherit     *bool

	ConnLimit  *int       // -1 for any number
	ValidUntil *time.Time // the zero time for no end

	Password   string // the clear password, sent as a verifier as [RoleOptions] says
	Verifier   string
	NoPassword bool // take the password away: nobody logs in with one

	Settings map[string]string // run-time parameters of the role's sessions
	Reset    []string          // run-time parameters that the role no longer sets
	Comment  *string           // "" removes it
}

// AlterRole changes a role. All changes happen, or none. role may be [CurrentUser] and its like, but for a renaming.
//
// A rename keeps a password, but not one of the old MD5 kind: the server says so by a notice.
func AlterRole(ctx context.Context, q ext.Querier, role string, c RoleChange) error {
	text, err := alterRole(role, c)
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return refused("alter role", roleText(role), err)
	}
	return nil
}

func alterRole(role string, c RoleChange) (string, error) {
	quoted, err := roleName(role)
	if err == nil && role == Public {
		err = errors.New("everyone is no role that could be changed")
	}
	if err != nil {
		return "", err
	}
	attributes, err := c.attributes()
	if err != nil {
		return "", err
	}
	var statements []string
	if attributes != "" {
		statements = append(statements, "alter role "+quoted+attributes)
	}
	settings, err := settingActions(c.Settings, c.Reset)
	if err != nil {
		return "", err
	}
	for _, action := range settings {
		statements = append(statements, "alter role "+quoted+" "+action)
	}
	if c.Comment != nil {
		comment, err := commentText(*c.Comment)
		if err != nil {
			return "", err
		}
		statements = append(statements, "comment on role "+quoted+" is "+comment)
	}
	if c.Rename != "" {
		to, err := newRole(c.Rename)
		if err != nil {
			return "", err
		}
		statements = append(statements, "alter role "+quoted+" rename to "+to)
	}
	if len(statements) == 0 {
		return "", errNoChange
	}
	return strings.Join(statements, "; "), nil
}

// attributes are the clauses of ALTER ROLE.
func (c RoleChange) attributes() (string, error) {
	text := ""
	for _, option := range []struct {
		value *bool
		word  string
	}{
		{c.Login, "login"}, {c.Superuser, "superuser"}, {c.CreateDB, "createdb"}, {c.CreateRole, "createrole"},
		{c.Replication, "replication"}, {c.BypassRLS, "bypassrls"}, {c.Inherit, "inherit"},
	} {
		if option.value != nil {
			text += map[bool]string{true: " ", false: " no"}[*option.value] + option.word
		}
	}
	limit, err := connLimit(c.ConnLimit)
	if err != nil {
		return "", err
	}
	text += limit
	password, err := passwordClause(c.Password, c.Verifier)
	switch {
	case err != nil:
		return "", err
	case c.NoPassword && password != "":
		return "", errors.New("NoPassword goes without a password")
	case c.NoPassword:
		password = " password null"
	}
	text += password
	if c.ValidUntil != nil {
		text += validUntil(*c.ValidUntil)
	}
	return text, nil
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
