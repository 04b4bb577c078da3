package backup

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/pycopg/pycopg/ext"
)

// argList builds a command line. It keeps the first error.
type argList struct {
	args []string
	err  error
}

func (a *argList) flag(on bool, name string) {
	if on {
		a.args = append(a.args, "--"+name)
	}
}

// value adds an option with a value, unless that is "".
func (a *argList) value(name, value string) {
	if strings.ContainsRune(value, 0) && a.err == nil {
		a.err = fmt.Errorf("--%s: a NUL byte", name)
	}
	if value != "" {
		a.args = append(a.args, "--"+name+"="+value)
	}
}

// tables adds names as patterns that match them alone: in quotes nothing is special to pg_dump.
func (a *argList) tables(option string, names []string) {
	for _, text := range names {
		name, err := ext.ParseName(text)
		if err != nil && a.err == nil {
			a.err = fmt.Errorf("table %q: %w", text, err)
		}
		a.value(option, name.String())
	}
}

func (a *argList) schemas(option string, names []string) {
	for _, name := range names {
		a.checked("schema", name)
		a.value(option, ext.QuoteName(name))
	}
}

func (a *argList) checked(what, name string) {
	if err := ext.CheckName(name); err != nil && a.err == nil {
		a.err = fmt.Errorf("%s %q: %w", what, name, err)
	}
}

// more adds options of the caller, but for those that this package sets. The programs take abbreviations.
func (a *argList) more(args, reserved []string) {
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		err := error(nil)
		switch {
		case !strings.HasPrefix(arg, "--") || name == "":
			err = errors.New("options are given in their long form, with their value behind =")
		case strings.IndexFunc(arg, unicode.IsControl) >= 0:
			err = errors.New("a control character")
		default:
			for _, r := range reserved {
				if strings.HasPrefix(r, name) {
					err = fmt.Errorf("it sets or shortens --%s, which has its own field or is set by this package", r)
				}
			}
		}
		if err != nil && a.err == nil {
			a.err = fmt.Errorf("option %q of Args: %w", arg, err)
		}
		a.args = append(a.args, arg)
	}
}

// ours are set by this package on every command line, or would break it.
var ours = []string{
	"dbname", "host", "port", "username", "password", "no-password", "file", "format", "jobs", "verbose", "version", "help", "list",
	"snapshot", "role", "lock-wait-timeout", "compress",
}

// args is the command line of pg_dump.
func (o DumpOptions) args(major int, path string) ([]string, error) {
	var a argList
	a.args = []string{"--no-password", "--format=" + string(o.Format)}
	a.value("file", path)
	if o.Jobs > 1 {
		a.value("jobs", strconv.Itoa(o.Jobs))
	}
	compress, err := compression(o.Compress, major)
	a.err = err
	a.value("compress", compress)
	a.flag(o.Progress != nil, "verbose")
	a.flag(o.SchemaOnly, "schema-only")
	a.flag(o.DataOnly, "data-only")
	a.tables("table", o.Tables)
	a.schemas("schema", o.Schemas)
	a.flag(len(o.Tables)+len(o.Schemas) > 0, "strict-names")
	a.tables("exclude-table", o.ExcludeTables)
	a.tables("exclude-table-data", o.ExcludeData)
	a.schemas("exclude-schema", o.ExcludeSchemas)
	a.flag(o.Clean, "clean")
	a.flag(o.IfExists, "if-exists")
	a.flag(o.Create, "create")
	a.flag(o.NoOwner, "no-owner")
	a.flag(o.NoPrivileges, "no-privileges")
	a.value("role", o.Role)
	a.value("snapshot", o.Snapshot)
	if o.LockTimeout > 0 {
		a.value("lock-wait-timeout", strconv.FormatInt(max(1, o.LockTimeout.Milliseconds()), 10))
	}
	a.more(o.Args, ours)
	return a.args, a.err
}

var compressText = regexp.MustCompile(`^(?:([0-9])|(none|gzip|lz4|zstd)(?::([0-9a-z=,-]+))?)$`)

// compression is the value for pg_dump of a version: methods have names from PostgreSQL 16 on.
func compression(value string, major int) (string, error) {
	if value == "" {
		return "", nil
	}
	parts := compressText.FindStringSubmatch(value)
	if parts == nil {
		return "", fmt.Errorf("compression %q: 0 to 9, none, gzip, lz4 or zstd, with a level: zstd:9", value)
	}
	method, level := parts[2], parts[3]
	switch {
	case major >= 16 || method == "":
		return value, nil
	case method == "none":
		return "0", nil
	case method == "gzip" && level == "":
		return "6", nil
	case method == "gzip" && len(level) == 1 && level[0] <= '9':
		return level, nil
	}
	return "", fmt.Errorf("%w: pg_dump %d does not know the compression %q: PostgreSQL 16 does", ErrToolVersion, major, value)
}
