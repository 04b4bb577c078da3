package backup

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// psqlArgs is the command line of psql, which reads from its standard input.
func (o RestoreOptions) psqlArgs() []string {
	args := []string{"--no-psqlrc", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=default", "--pset=pager=off"}
	if o.SingleTransaction == nil || *o.SingleTransaction {
		args = append(args, "--single-transaction")
	}
	if o.Progress == nil {
		args = append(args, "--quiet")
	}
	return append(args, "--file=-")
}

// args is the command line of pg_restore. The path is "" where the archive comes by standard input.
func (o RestoreOptions) args(database, path string) ([]string, error) {
	var a argList
	a.args = []string{"--no-password"}
	a.value("dbname", "dbname="+conninfoValue(database)) // without it pg_restore prints a script
	if o.Jobs > 1 {
		a.value("jobs", strconv.Itoa(o.Jobs))
	}
	a.flag(o.Progress != nil, "verbose")
	a.flag(!o.ContinueOnError, "exit-on-error")
	a.flag(o.SingleTransaction != nil && *o.SingleTransaction, "single-transaction")
	a.flag(o.Clean, "clean")
	a.flag(o.IfExists, "if-exists")
	a.flag(o.Create, "create")
	a.flag(o.SchemaOnly, "schema-only")
	a.flag(o.DataOnly, "data-only")
	a.flag(o.NoOwner, "no-owner")
	a.flag(o.NoPrivileges, "no-privileges")
	o.tables(&a)
	for _, names := range []struct {
		option string
		list   []string
	}{{"schema", o.Schemas}, {"exclude-schema", o.ExcludeSchemas}} {
		for _, name := range names.list {
			a.checked("schema", name)
			a.value(names.option, name)
		}
	}
	a.flag(len(o.Tables)+len(o.Schemas) > 0, "strict-names")
	a.value("role", o.Role)
	a.more(o.Args, ours)
	if path != "" {
		a.args = append(a.args, path)
	}
	return a.args, a.err
}

// tables adds names, which pg_restore takes as they are, and the schema beside them.
func (o RestoreOptions) tables(a *argList) {
	schema := ""
	for i, text := range o.Tables {
		name, err := ext.ParseName(text)
		switch {
		case err != nil:
			err = fmt.Errorf("table %q: %w", text, err)
		case i > 0 && name.Schema != schema, name.Schema != "" && len(o.Schemas) > 0:
			err = fmt.Errorf("table %q: pg_restore takes tables of one schema at a time, and no further Schemas", text)
		}
		if err != nil && a.err == nil {
			a.err = err
		}
		schema = name.Schema
		a.value("table", name.Name)
	}
	a.value("schema", schema)
}

// conninfoValue quotes a value for a connection string.
func conninfoValue(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(value) + "'"
}
