package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pycopg/pycopg/ext"
)

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
		return refused("alter role", role, err)
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
		{c.Login, "login"},
		{c.Superuser, "superuser"},
		{c.CreateDB, "createdb"},
		{c.CreateRole, "createrole"},
		{c.Replication, "replication"},
		{c.BypassRLS, "bypassrls"},
		{c.Inherit, "inherit"},
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
