package admin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// Database is a database of the server.
type Database struct {
	Name             string
	Owner            string
	Encoding         string // UTF8
	Collate          string
	Ctype            string
	Template         bool // any user with CREATEDB may copy it
	AllowConnections bool
	ConnLimit        int // -1 for any number
	Tablespace       string
	Size             *Size // nil where the user may not connect to it
	Comment          string
}

var databasesQuery = qualified(`
select d.datname as name, pg_catalog.pg_get_userbyid(d.datdba) as owner, pg_catalog.pg_encoding_to_char(d.encoding) as encoding,
       d.datcollate as "collate", d.datctype as ctype, d.datistemplate as template, d.datallowconn as allow_connections,
       d.datconnlimit::pg_catalog.int8 as conn_limit, s.spcname as tablespace,
       case when pg_catalog.has_database_privilege(d.oid, 'connect') or pg_catalog.pg_has_role('pg_read_all_stats', 'usage')
            then pg_catalog.pg_database_size(d.oid) end as size,
       coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '') as comment
from pg_catalog.pg_database d
join pg_catalog.pg_tablespace s on s.oid = d.dattablespace
where $1::pg_catalog.bool or not d.datname = any ('{template0,template1}'::pg_catalog.name[])
order by d.datname`)

// ListDatabases returns the databases of the server, by name, without template0 and template1 unless System wants them.
func ListDatabases(ctx context.Context, q ext.Querier, o ListOptions) ([]Database, error) {
	all, err := query[Database](ctx, q, databasesQuery, o.System)
	if err != nil {
		return nil, fmt.Errorf("admin: list databases: %w", err)
	}
	return all, nil
}

var databaseExistsQuery = "select exists (" + databaseQuestion + ")"

// DatabaseExists reports whether the server has a database of exactly that name.
func DatabaseExists(ctx context.Context, q ext.Querier, database string) (bool, error) {
	return exists(ctx, q, "database", database, databaseExistsQuery)
}

// DatabaseOptions are the options of [CreateDatabase]. What is empty is as in the template.
type DatabaseOptions struct {
	IfNotExists bool
	Owner       string // a role, or CurrentUser and its like; "" is the current user
	Template    string // "" is template1; one with another encoding or locale needs template0
	Encoding    string // UTF8
	Locale      string // the operating system's: "C", "de_CH.UTF-8"
	Collate     string
	Ctype       string
	Provider    string // of the locale: libc, icu, builtin (PostgreSQL 15; builtin 17)
	ICULocale   string // PostgreSQL 15
	Strategy    string // how the template is copied: wal_log, file_copy (PostgreSQL 15)
	Tablespace  string
	ConnLimit   *int // sessions at a time; nil or -1 for any number
	IsTemplate  bool // the new database is a template that any user with CREATEDB may copy
	NoConnect   bool // nobody can connect to it
}

// CreateDatabase creates a database, and returns whether it did: with IfNotExists it leaves one that exists as it is. No transaction may
// hold it.
func CreateDatabase(ctx context.Context, q ext.OutsideTx, database string, o DatabaseOptions) (created bool, err error) {
	ch, err := createDatabase(database, o)
	return ch.decide(ctx, q, err, "create database", database)
}

func createDatabase(database string, o DatabaseOptions) (change, error) {
	quoted, err := name("database", database)
	if err != nil {
		return change{}, err
	}
	text := "create database " + quoted
	for _, option := range []struct{ clause, value string }{{"template", o.Template}, {"tablespace", o.Tablespace}} {
		if option.value != "" {
			value, err := name(option.clause, option.value)
			if err != nil {
				return change{}, err
			}
			text += " " + option.clause + " " + value
		}
	}
	if o.Owner != "" {
		owner, err := roleName(o.Owner)
		if err != nil {
			return change{}, err
		}
		text += " owner " + owner
	}
	for _, option := range []struct{ clause, value string }{
		{"encoding", o.Encoding},
		{"locale_provider", o.Provider},
		{"locale", o.Locale},
		{"lc_collate", o.Collate},
		{"lc_ctype", o.Ctype},
		{"icu_locale", o.ICULocale},
		{"strategy", o.Strategy},
	} {
		if option.value != "" {
			value, err := literal(option.value)
			if err != nil {
				return change{}, err
			}
			text += " " + option.clause + " " + value
		}
	}
	limit, err := connLimit(o.ConnLimit)
	if err != nil {
		return change{}, err
	}
	text += limit
	if o.IsTemplate {
		text += " is_template true"
	}
	if o.NoConnect {
		text += " allow_connections false"
	}
	ch := change{text: text, strict: text, create: true, outside: true}
	if o.IfNotExists { // SQL has no IF NOT EXISTS for databases
		ch.object = question{databaseQuestion, []string{database}}
	}
	return ch, nil
}

// DropDatabaseOptions are the options of [DropDatabase].
type DropDatabaseOptions struct {
	Force bool // end the sessions that are connected to it
}

// DropDatabase drops a database where it exists, and returns whether it did. The connection's own database is [ErrCurrentDatabase]. While
// others are connected to it the error has SQLSTATE 55006, unless Force ends their sessions. No transaction may hold it.
func DropDatabase(ctx context.Context, q ext.OutsideTx, database string, o DropDatabaseOptions) (dropped bool, err error) {
	ch, err := dropDatabase(database, o)
	return ch.decide(ctx, q, err, "drop database", database)
}

func dropDatabase(database string, o DropDatabaseOptions) (change, error) {
	quoted, err := name("database", database)
	if err != nil {
		return change{}, err
	}
	force := ""
	if o.Force {
		force = " with (force)"
	}
	return change{
		text:    "drop database if exists " + quoted + force,
		strict:  "drop database " + quoted + force,
		object:  question{databaseQuestion, []string{database}},
		outside: true,
		refuse: func(c *driver.Conn) error {
			if c.Info().Database == database {
				return ErrCurrentDatabase
			}
			return nil
		},
	}, nil
}

// DatabaseChange is what [AlterDatabase] changes. What is nil or empty stays.
type DatabaseChange struct {
	Rename           string // nobody may be connected to it
	Owner            string // a role, or CurrentUser and its like
	ConnLimit        *int   // -1 for any number
	AllowConnections *bool
	Template         *bool
	Settings         map[string]string // run-time parameters of its sessions
	Reset            []string          // run-time parameters that it no longer sets
	Comment          *string           // "" removes it
}

// AlterDatabase changes a database. All changes happen, or none.
func AlterDatabase(ctx context.Context, q ext.Querier, database string, c DatabaseChange) error {
	text, err := alterDatabase(database, c)
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return refused("alter database", database, err)
	}
	return nil
}

func alterDatabase(database string, c DatabaseChange) (string, error) {
	quoted, err := name("database", database)
	if err != nil {
		return "", err
	}
	var statements []string
	add := func(action string, failed error) {
		statements, err = append(statements, "alter database "+quoted+" "+action), errors.Join(err, failed)
	}
	if c.Owner != "" {
		owner, failed := roleName(c.Owner)
		add("owner to "+owner, failed)
	}
	if limit, failed := connLimit(c.ConnLimit); limit != "" || failed != nil {
		add("with"+limit, failed)
	}
	for i, value := range []*bool{c.AllowConnections, c.Template} {
		if value != nil {
			add("with "+[]string{"allow_connections", "is_template"}[i]+" "+map[bool]string{true: "true", false: "false"}[*value], nil)
		}
	}
	settings, failed := settingActions(c.Settings, c.Reset)
	err = errors.Join(err, failed)
	for _, action := range settings {
		add(action, nil)
	}
	if c.Comment != nil {
		comment, failed := commentText(*c.Comment)
		statements, err = append(statements, "comment on database "+quoted+" is "+comment), errors.Join(err, failed)
	}
	if c.Rename != "" {
		to, failed := name("database", c.Rename)
		add("rename to "+to, failed)
	}
	if len(statements) == 0 && err == nil {
		err = errNoChange
	}
	return strings.Join(statements, "; "), err
}

// OpenDatabase returns a pool for another database of the server that q is connected to, with the settings of q's pool. Nothing is
// dialled before its first use. The caller closes it.
func OpenDatabase(ctx context.Context, q ext.Querier, database string) (*sql.DB, error) {
	if err := ext.CheckName(database); err != nil {
		return nil, refused("open database", database, err)
	}
	var cfg *driver.Config
	_, err := driver.Do(ctx, q, "-- the settings of the connection", func(_ context.Context, c *driver.Conn) (int64, error) {
		cfg = c.Connector().Config()
		return 0, nil
	})
	if err == nil && cfg == nil {
		err = errors.New("the handle is a mock")
	}
	if err != nil {
		return nil, refused("open database", database, err)
	}
	return sql.OpenDB(driver.NewConnector(cfg.WithDatabase(database))), nil
}
