package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

// Extension is an extension that the server has.
type Extension struct {
	Name           string
	Version        string // in this database, "" where it is not installed here
	Schema         string // of its objects, "" where it is not installed here
	DefaultVersion string // that CreateExtension installs, "" where the server has lost the extension's files
	Comment        string
}

// Installed reports whether the database has the extension.
func (e Extension) Installed() bool { return e.Version != "" }

// ExtensionsOptions are the options of [ListExtensions].
type ExtensionsOptions struct {
	Available bool // those too that the server has and the database has not
}

var extensionsQuery = qualified(`
select coalesce(e.extname, a.name) as name,
       coalesce(e.extversion, '') as version,
       coalesce(n.nspname, '') as schema,
       coalesce(a.default_version, '') as default_version,
       coalesce(pg_catalog.obj_description(e.oid, 'pg_extension'), a.comment, '') as comment
from pg_catalog.pg_extension e
join pg_catalog.pg_namespace n on n.oid = e.extnamespace
full join pg_catalog.pg_available_extensions() a on a.name = e.extname
where e.oid is not null or $1::pg_catalog.bool
order by 1`)

// ListExtensions returns the extensions of the database, by name.
func ListExtensions(ctx context.Context, q ext.Querier, o ExtensionsOptions) ([]Extension, error) {
	all, err := query[Extension](ctx, q, extensionsQuery, o.Available)
	if err != nil {
		return nil, fmt.Errorf("admin: list extensions: %w", err)
	}
	return all, nil
}

var hasExtensionQuery = qualified(`
select exists (select from pg_catalog.pg_extension where extname = $1::pg_catalog.name)`)

// HasExtension reports whether the database has an extension.
func HasExtension(ctx context.Context, q ext.Querier, extension string) (bool, error) {
	err := ext.CheckName(extension)
	if err == nil {
		var has bool
		if has, err = value[bool](ctx, q, hasExtensionQuery, extension); err == nil {
			return has, nil
		}
	}
	return false, fmt.Errorf("admin: extension %q: %w", extension, err)
}

var requireExtensionQuery = qualified(`
select exists (select from pg_catalog.pg_extension where extname = $1::pg_catalog.name) as installed,
       exists (select from pg_catalog.pg_available_extensions() where name = $1::pg_catalog.name) as available`)

// RequireExtension returns nil where the database has an extension, and else an [ErrExtensionNotAvailable] that says what is
// missing: CREATE EXTENSION, or the extension's files on the server.
func RequireExtension(ctx context.Context, q ext.Querier, extension string) error {
	if err := ext.CheckName(extension); err != nil {
		return fmt.Errorf("admin: extension %q: %w", extension, err)
	}
	type state struct{ Installed, Available bool }
	states, err := query[state](ctx, q, requireExtensionQuery, extension)
	switch {
	case err != nil:
		return fmt.Errorf("admin: extension %q: %w", extension, err)
	case len(states) == 1 && states[0].Installed:
		return nil
	case len(states) == 1 && states[0].Available:
		return fmt.Errorf("%w: %q is installed on the server and not in this database: create extension %s",
			ErrExtensionNotAvailable, extension, ext.QuoteName(extension))
	}
	return fmt.Errorf("%w: %q is not installed on the server", ErrExtensionNotAvailable, extension)
}

// ExtensionOptions are the options of [CreateExtension].
type ExtensionOptions struct {
	IfNotExists bool
	Schema      string // for its objects; "" leaves it to the extension and the search path
	Version     string // "" is the default version
	Cascade     bool   // extensions that it needs are created as well
}

// CreateExtension creates an extension, and returns whether it did: with IfNotExists it leaves one that exists as it is.
func CreateExtension(ctx context.Context, q ext.Querier, extension string, o ExtensionOptions) (created bool, err error) {
	ch, err := createExtension(extension, o)
	return ch.decide(ctx, q, err, "create extension", extension)
}

func createExtension(extension string, o ExtensionOptions) (change, error) {
	text, err := name("extension", extension)
	if err != nil {
		return change{}, err
	}
	if o.Schema != "" {
		schema, err := name("schema", o.Schema)
		if err != nil {
			return change{}, err
		}
		text += " schema " + schema
	}
	if o.Version != "" {
		version, err := literal(o.Version)
		if err != nil {
			return change{}, err
		}
		text += " version " + version
	}
	if o.Cascade {
		text += " cascade"
	}
	return creation(o.IfNotExists, "create extension", text, question{extensionQuestion, []string{extension}}), nil
}

// UpdateExtension updates an extension to a version, "" being the default one.
func UpdateExtension(ctx context.Context, q ext.Querier, extension, version string) error {
	text, err := updateExtension(extension, version)
	if err == nil {
		err = run(ctx, q, text)
	}
	if err != nil {
		return refused("update extension", extension, err)
	}
	return nil
}

func updateExtension(extension, version string) (string, error) {
	quoted, err := name("extension", extension)
	if err != nil || version == "" {
		return "alter extension " + quoted + " update", err
	}
	to, err := literal(version)
	return "alter extension " + quoted + " update to " + to, err
}

// DropExtension drops an extension where it exists, and returns whether it did.
func DropExtension(ctx context.Context, q ext.Querier, extension string, o DropOptions) (dropped bool, err error) {
	ch, err := dropNamed("extension", extension, extensionQuestion, o)
	return ch.decide(ctx, q, err, "drop extension", extension)
}
