package timescale

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/admin"
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

// Version is the version of the extension in the database, such as "2.28.3", or "" where it was not created.
func Version(ctx context.Context, q ext.Querier) (string, error) {
	version, err := ext.QueryVal[string](ctx, q,
		"select coalesce((select extversion from pg_catalog.pg_extension where extname = $1), '')", name)
	if err != nil {
		return "", fmt.Errorf("timescale: version: %w", err)
	}
	return version, nil
}

// lookUp asks for the extension, and says how to get it where the database has none.
func lookUp(ctx context.Context, c *driver.Conn) (extension, error) {
	rows, err := ext.Catalog(ctx, c, `
		select e.extversion, n.nspname::text
		from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
		where e.extname = $1`, name)
	if err != nil {
		return extension{}, err
	}
	if len(rows) == 0 {
		return extension{}, missing(ctx, c)
	}
	e := extension{schema: text(rows[0][1])}
	e.major, e.minor = parseVersion(text(rows[0][0]))
	return e, nil
}

// missing is the error of a database without the extension, for a function of driver.Do.
func missing(ctx context.Context, c *driver.Conn) error {
	rows, err := ext.Catalog(ctx, c, "select from pg_catalog.pg_available_extensions where name = $1", name)
	if err != nil {
		return err
	}
	return admin.MissingExtension(name, len(rows) > 0)
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

var (
	// ErrLicense is the error of what the licence of the server's TimescaleDB leaves out: its Apache edition has no
	// compression, no policies and no continuous aggregates. The error says which.
	ErrLicense = errors.New("not part of the server's TimescaleDB licence")

	// ErrNotHypertable is the error of a table that is no hypertable (and of a view that is no continuous aggregate).
	ErrNotHypertable = errors.New("not a hypertable")
)

// explain gives an error of the server the sentinel that it stands for.
func explain(err error) error {
	switch code := sqlState(err); {
	case code == "0A000" && strings.Contains(err.Error(), "license"):
		return fmt.Errorf("%w: %w", ErrLicense, err)
	case code == "TS001":
		return fmt.Errorf("%w: %w", ErrNotHypertable, err)
	}
	return err
}

// sqlState is the SQLSTATE of an error, "" where it has none.
func sqlState(err error) string {
	var server interface{ SQLState() string }
	if errors.As(err, &server) {
		return server.SQLState()
	}
	return ""
}
