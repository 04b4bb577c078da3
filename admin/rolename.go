package admin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// Public is every role, where a role is named that gets or loses privileges. (No role can have that name.)
const Public = "public"

// Where a role is named, these stand for PostgreSQL's keywords. Any other text is the literal name of a role: a role whose name is
// "current_user" can be named too.
const (
	CurrentUser = "\x00current_user" // whose privileges the session has
	CurrentRole = "\x00current_role" // the same, by another name
	SessionUser = "\x00session_user" // who has logged in, whatever SET ROLE says
)

// roleName quotes a role, or is the keyword.
func roleName(role string) (string, error) {
	if role == Public || isKeyword(role) {
		return roleText(role), nil
	}
	return name("role", role)
}

// roleNames is roleName for several, joined with commas. None are an error.
func roleNames(roles []string) (string, error) {
	if len(roles) == 0 {
		return "", fmt.Errorf("no role is named")
	}
	return list(roles, roleName)
}

// isKeyword reports whether a role's name stands for one of PostgreSQL's keywords.
func isKeyword(role string) bool {
	return role == CurrentUser || role == CurrentRole || role == SessionUser
}

// roleText is how messages name a role.
func roleText(role string) string {
	if isKeyword(role) {
		return role[1:]
	}
	return role
}

// checkName is ext.CheckName, where the keywords of roles are no names.
func checkName(text string) error {
	if isKeyword(text) {
		return errKeyword
	}
	return ext.CheckName(text)
}

var errKeyword = errors.New("the keyword stands for no name here")

// isSystem reports whether the name of a schema or role is one that PostgreSQL keeps for itself.
func isSystem(name string) bool {
	return strings.HasPrefix(name, "pg_") || name == "information_schema"
}

// newRole checks the name of a role that is to be made.
func newRole(role string) (string, error) {
	quoted, err := name("role", role)
	if err == nil && (strings.HasPrefix(role, "pg_") || role == "public" || role == "none") {
		err = fmt.Errorf("role %q: %w: the name is reserved", role, ErrSystemObject)
	}
	return quoted, err
}
