package postgis

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

// IndexOptions are the options of [CreateSpatialIndex]. The zero value makes a GiST index.
type IndexOptions struct {
	Name        string // "": as admin.CreateIndex names it
	IfNotExists bool
	Method      string // gist, spgist or brin; "": gist
	Geography   bool   // on the column as a geography: what Unit Metres searches a geometry by
	Where       string // SQL: only rows that meet the condition
}

// CreateSpatialIndex creates an index on a geometry or geography, and returns its name and whether it created it, as
// [admin.CreateIndex] does.
func CreateSpatialIndex(ctx context.Context, q ext.Querier, table, column string, o IndexOptions) (name string, created bool, err error) {
	keys, options, err := o.index(column)
	if err == nil {
		name, created, err = admin.CreateIndex(ctx, q, table, keys, options)
	}
	return name, created, o.explain(ctx, q, table, err)
}

// CreateSpatialIndexConcurrently is [CreateSpatialIndex] that lets writes to the table go on, as
// [admin.CreateIndexConcurrently] does.
func CreateSpatialIndexConcurrently(ctx context.Context, q ext.OutsideTx, table, column string, o IndexOptions) (name string, created bool, err error) {
	keys, options, err := o.index(column)
	if err == nil {
		name, created, err = admin.CreateIndexConcurrently(ctx, q, table, keys, options)
	}
	return name, created, o.explain(ctx, q, table, err)
}

func (o IndexOptions) explain(ctx context.Context, q ext.Querier, table string, err error) error {
	if err == nil {
		return nil
	}
	return fail("create a spatial index on", table, explain(ctx, q, err))
}

// index is the index in the terms of package admin.
func (o IndexOptions) index(column string) ([]admin.IndexKey, admin.IndexOptions, error) {
	if err := ext.CheckName(column); err != nil {
		return nil, admin.IndexOptions{}, fmt.Errorf("column %q: %w", column, err)
	}
	switch o.Method {
	case "":
		o.Method = "gist"
	case "gist", "spgist", "brin":
	default:
		return nil, admin.IndexOptions{}, fmt.Errorf("method %q: it takes gist, spgist and brin", o.Method)
	}
	keys := admin.Keys(column)
	if o.Geography {
		keys = []admin.IndexKey{admin.Expr(ext.QuoteName(column) + "::geography")}
	}
	return keys, admin.IndexOptions{Name: o.Name, IfNotExists: o.IfNotExists, Method: o.Method, Where: o.Where}, nil
}
