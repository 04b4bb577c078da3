package timescale

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

const name = "timescaledb"

// extension is what is known of the extension of a database.
type extension struct {
	schema       string // that its functions are in; "": they are found by the search path
	major, minor int
	axis         string // type of the first dimension of the table at hand, where a statement asked for it
}

// newest stands for the extension where there is none to ask: under a mock.
var newest = extension{major: 1 << 30}

// atLeast reports whether the extension's version is a given one or later.
func (e extension) atLeast(major, minor int) bool {
	return e.major > major || e.major == major && e.minor >= minor
}

// fn is a function of the extension for SQL text.
func (e extension) fn(function string) string {
	if e.schema == "" {
		return function
	}
	return ext.QuoteName(e.schema) + "." + function
}

// Version is the version of the extension in the database, such as "2.28.3", or "" where the database does not have it.
func Version(ctx context.Context, q ext.Querier) (string, error) {
	version, err := ext.QueryVal[string](driver.WithHelperOptions(ctx), q,
		"select coalesce((select extversion from pg_catalog.pg_extension where extname = $1), '')", name)
	if err != nil {
		return "", fmt.Errorf("timescale: version: %w", err)
	}
	return version, nil
}

// errMissing is lookUp's error where the database does not have the extension.
var errMissing = errors.New("the database does not have the extension timescaledb")

// lookUp asks for the extension in a function of driver.Do.
func lookUp(ctx context.Context, c *driver.Conn) (extension, error) {
	rows, err := ext.Catalog(ctx, c, `
		select e.extversion, n.nspname::text
		from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
		where e.extname = $1`, name)
	if err != nil {
		return extension{}, err
	}
	if len(rows) == 0 {
		return extension{}, errMissing
	}
	e := extension{schema: text(rows[0][1])}
	e.major, e.minor = parseVersion(text(rows[0][0]))
	return e, nil
}

// parseVersion reads the first two numbers of a version: 2.28.3, 2.30.0-dev.
func parseVersion(version string) (major, minor int) {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, _ = strconv.Atoi(first)
	minor, _ = strconv.Atoi(second)
	return major, minor
}

// text is a text of the catalog, which compat=pq gives as bytes for some types.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
