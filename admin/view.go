package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// View is a view or materialized view.
type View struct {
	Schema       string
	Name         string
	Materialized bool
	Populated    bool // of a materialized view: it can be read
	Owner        string
	Definition   string // the query
	Comment      string
}

// QualifiedName is the view's name as the functions of this package take it.
func (v View) QualifiedName() string { return ext.QuoteName(v.Schema, v.Name) }

var viewsQuery = qualified(`
select n.nspname as schema, c.relname as name, c.relkind = 'm' as materialized, c.relispopulated as populated,
       pg_catalog.pg_get_userbyid(c.relowner) as owner,
       coalesce(pg_catalog.pg_get_viewdef(c.oid), '') as definition,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') as comment
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = any ('{v,m}'::pg_catalog."char"[])
  and case when $1::pg_catalog.text = '' then $2::pg_catalog.bool or ` + userSchema + ` else n.nspname = $1::pg_catalog.name end
order by n.nspname, c.relname`)

// ListViews returns the views and materialized views of a schema, by name, or of all schemas where it is "".
func ListViews(ctx context.Context, q ext.Querier, schema string, o ListOptions) ([]View, error) {
	return inSchemas[View](ctx, q, "views", schema, viewsQuery, o)
}

// inSchemas runs a query for the objects of a schema, or of all where it is "".
func inSchemas[T any](ctx context.Context, q ext.Querier, what, schema, sql string, o ListOptions) ([]T, error) {
	var err error
	if schema != "" {
		err = ext.CheckName(schema)
	}
	if err == nil {
		var all []T
		if all, err = query[T](ctx, q, sql, schema, o.System); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("admin: list %s of schema %q: %w", what, schema, err)
}

// ViewOptions are the options of [CreateView].
type ViewOptions struct {
	Replace     bool     // a view of that name is replaced; its columns stay and may be followed by new ones
	IfNotExists bool     // a view of that name is left as it is, without looking at its query
	Columns     []string // names for the columns of the query
	Temporary   bool

	SecurityInvoker bool   // the user's privileges count, not the owner's (PostgreSQL 15)
	SecurityBarrier bool   // the view's conditions come before those of whom it is queried by
	CheckOption     string // "local" or "cascaded": rows that the view would not show cannot be written through it
}

// CreateView creates a view of a query, which is SQL, and returns whether it did.
func CreateView(ctx context.Context, q ext.Querier, view, query string, o ViewOptions) (created bool, err error) {
	ch, err := createView(view, query, o)
	return ch.decide(ctx, q, err, "create view", view)
}

func createView(view, query string, o ViewOptions) (change, error) {
	n, head, err := viewHead(view, o.Columns)
	if err != nil {
		return change{}, err
	}
	if err := expression("query", query); err != nil {
		return change{}, err
	}
	with := map[string]string{}
	for option, given := range map[string]bool{"security_invoker": o.SecurityInvoker, "security_barrier": o.SecurityBarrier} {
		if given {
			with[option] = "true"
		}
	}
	switch o.CheckOption {
	case "":
	case "local", "cascaded":
		with["check_option"] = o.CheckOption
	default:
		return change{}, fmt.Errorf("check option %q: it is local or cascaded", o.CheckOption)
	}
	options, err := storage(with)
	if err != nil {
		return change{}, err
	}
	before, where := "create view", n.Schema
	if o.Replace {
		before = "create or replace view"
	}
	if o.Temporary {
		before, where = strings.Replace(before, " view", " temporary view", 1), "pg_temp"
	}
	strict := before + " " + head + options + " as " + query
	ch := change{text: strict, strict: strict, create: true}
	if o.IfNotExists {
		if o.Replace {
			return change{}, errors.New("options Replace and IfNotExists exclude each other")
		}
		ch.object = question{newRelationQuestion, []string{where, n.Name}}
	}
	return ch, nil
}

// viewHead is the name of a new view with those of its columns.
func viewHead(view string, columns []string) (ext.Name, string, error) {
	n, err := ext.ParseName(view)
	if err != nil || len(columns) == 0 {
		return n, n.String(), err
	}
	list, err := names("column", columns)
	return n, n.String() + " (" + list + ")", err
}

// MaterializedViewOptions are the options of [CreateMaterializedView].
type MaterializedViewOptions struct {
	IfNotExists bool
	Columns     []string // names for the columns of the query
	NoData      bool     // it cannot be read until it is refreshed
	With        map[string]string
	Tablespace  string
}

// CreateMaterializedView creates a materialized view of a query, which is SQL, and returns whether it did.
func CreateMaterializedView(ctx context.Context, q ext.Querier, view, query string, o MaterializedViewOptions) (created bool, err error) {
	ch, err := createMaterializedView(view, query, o)
	return ch.decide(ctx, q, err, "create materialized view", view)
}

func createMaterializedView(view, query string, o MaterializedViewOptions) (change, error) {
	n, head, err := viewHead(view, o.Columns)
	if err != nil {
		return change{}, err
	}
	if err := expression("query", query); err != nil {
		return change{}, err
	}
	behind, err := TableOptions{With: o.With, Tablespace: o.Tablespace}.behind()
	if err != nil {
		return change{}, err
	}
	text := head + behind + " as " + query
	if o.NoData {
		text += " with no data"
	}
	return creation(o.IfNotExists, "create materialized view", text, question{newRelationQuestion, []string{n.Schema, n.Name}}), nil
}

// RefreshOptions are the options of [RefreshMaterializedView].
type RefreshOptions struct {
	Concurrently bool // the view can be read meanwhile; it needs a unique index of columns, and data
	NoData       bool // empty it: it cannot be read then
}

// RefreshMaterializedView runs the query of a materialized view again and stores its result.
func RefreshMaterializedView(ctx context.Context, q ext.Querier, view string, o RefreshOptions) error {
	text, err := refresh(view, o)
	return onTable(ctx, q, "refresh materialized view", view, text, err)
}

func refresh(view string, o RefreshOptions) (string, error) {
	n, err := relation(view)
	if err != nil {
		return "", err
	}
	text := "refresh materialized view "
	if o.Concurrently {
		text += "concurrently "
	}
	text += n
	if o.NoData {
		text += " with no data"
		if o.Concurrently {
			err = errors.New("options Concurrently and NoData exclude each other")
		}
	}
	return text, err
}

// DropView drops a view where it exists, and returns whether it did.
func DropView(ctx context.Context, q ext.Querier, view string, o DropOptions) (dropped bool, err error) {
	ch, err := dropRelation("view", view, o)
	return ch.decide(ctx, q, err, "drop view", view)
}

// DropMaterializedView drops a materialized view where it exists, and returns whether it did.
func DropMaterializedView(ctx context.Context, q ext.Querier, view string, o DropOptions) (dropped bool, err error) {
	ch, err := dropRelation("materialized view", view, o)
	return ch.decide(ctx, q, err, "drop materialized view", view)
}
