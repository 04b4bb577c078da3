package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// GrantOptions are the options of [Grant].
type GrantOptions struct {
	WithGrantOption bool   // the role may grant the privileges to others
	GrantedBy       string // a role, or CurrentUser and its like; "" is the current user
}

// Grant gives privileges on objects to a role, or to everyone, [Public].
//
// The privileges are SQL's words, separated by commas: "select", "insert, update", "all"; for tables with columns, taken literally or in
// double quotes: "select (id, name), update (name)". A word that is no privilege is an error before anything is sent; one that the
// kind of object does not have is the server's, SQLSTATE 0LP01.
//
//	admin.Grant(ctx, db, "insert, update", admin.Tables("orders"), "appuser", admin.GrantOptions{})
//	admin.Grant(ctx, db, "select", admin.AllTables("app"), "reader", admin.GrantOptions{})
//	admin.Grant(ctx, db, "usage", admin.Schemas("app"), admin.Public, admin.GrantOptions{})
func Grant(ctx context.Context, q ext.Querier, privileges string, on Objects, to string, o GrantOptions) error {
	text, err := grant(privileges, on, to, o)
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return fmt.Errorf("admin: grant %q on %s to %q: %w", privileges, on, roleText(to), hintRole(on.explain(ctx, q, err), to))
	}
	return nil
}

func grant(privileges string, on Objects, to string, o GrantOptions) (string, error) {
	text, err := grantText("grant ", privileges, on, " to ", to)
	if err != nil {
		return "", err
	}
	if o.WithGrantOption {
		text += " with grant option"
	}
	by, err := grantedBy(o.GrantedBy)
	return text + by, err
}

// grantText is what GRANT and REVOKE have in common.
func grantText(verb, privileges string, on Objects, preposition, role string) (string, error) {
	list, err := parsePrivileges(privileges)
	if err != nil {
		return "", err
	}
	target, err := on.grantTarget()
	if err != nil {
		return "", err
	}
	quoted, err := roleName(role)
	return verb + list + " on " + target + preposition + quoted, err
}

// RevokeOptions are the options of [Revoke].
type RevokeOptions struct {
	GrantOptionFor bool // take only the right to grant the privileges to others
	Cascade        bool // take them too from those to whom the role has granted them
	GrantedBy      string
}

// Revoke takes privileges on objects from a role, written as for [Grant]. To take what was not granted is no error. Where the role has
// granted them to others the error has SQLSTATE 2BP01, unless Cascade takes them there as well.
func Revoke(ctx context.Context, q ext.Querier, privileges string, on Objects, from string, o RevokeOptions) error {
	text, err := revoke(privileges, on, from, o)
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return fmt.Errorf("admin: revoke %q on %s from %q: %w", privileges, on, roleText(from), hintRole(on.explain(ctx, q, err), from))
	}
	return nil
}

func revoke(privileges string, on Objects, from string, o RevokeOptions) (string, error) {
	verb := "revoke "
	if o.GrantOptionFor {
		verb += "grant option for "
	}
	text, err := grantText(verb, privileges, on, " from ", from)
	if err != nil {
		return "", err
	}
	by, err := grantedBy(o.GrantedBy)
	if o.Cascade {
		by += " cascade"
	}
	return text + by, err
}

// privilegeWords are the privileges of PostgreSQL, 18 and before.
var privilegeWords = []string{
	"select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain", "create", "connect", "temporary", "temp",
	"execute", "usage", "set", "alter system", "all", "all privileges",
}

// parsePrivileges reads a list of privileges, with columns in parentheses, and writes it as SQL.
func parsePrivileges(text string) (string, error) {
	parts, err := split("privileges", text)
	if err != nil {
		return "", err
	}
	return list(parts, parsePrivilege)
}

func parsePrivilege(text string) (string, error) {
	words, columns, ok := strings.Cut(text, "(")
	privilege := strings.Join(strings.Fields(strings.ToLower(words)), " ")
	if !slices.Contains(privilegeWords, privilege) {
		return "", fmt.Errorf("%q is no privilege: there are %s", text, strings.Join(privilegeWords, ", "))
	}
	if !ok {
		return privilege, nil
	}
	columns, closed := strings.CutSuffix(strings.TrimSpace(columns), ")")
	if !closed {
		return "", fmt.Errorf("privilege %q: something follows the columns", text)
	}
	parts, err := split("columns", columns)
	if err != nil {
		return "", err
	}
	quoted, err := list(parts, func(column string) (string, error) {
		if len(column) > 1 && column[0] == '"' && column[len(column)-1] == '"' {
			column = strings.ReplaceAll(column[1:len(column)-1], `""`, `"`)
		}
		return name("column", column)
	})
	return privilege + " (" + quoted + ")", err
}

// hintRole says what to write for a keyword where the server knows no role of that name.
func hintRole(err error, role string) error {
	const undefinedObject = "42704"
	constant, known := map[string]string{
		"PUBLIC": "Public", "CURRENT_USER": "CurrentUser", "CURRENT_ROLE": "CurrentRole", "SESSION_USER": "SessionUser",
	}[strings.ToUpper(role)]
	if known && driver.SQLState(err) == undefinedObject {
		return fmt.Errorf("%w: the keyword is admin.%s", err, constant)
	}
	return err
}
