package main

import (
	"context"
	"strings"

	"github.com/pycopg/pycopg/admin"
)

// readingColumns are the columns of the table of readings. Types and defaults are SQL, names are quoted.
var readingColumns = []admin.ColumnDef{
	{Name: "zone", Type: "text", NotNull: true, References: &admin.Reference{Table: "zone"}},
	{Name: "at", Type: "timestamptz", NotNull: true},
	{Name: "elevation", Type: "float8", NotNull: true, Comment: "of the sun, in degrees above the horizon"},
}

// createTables creates one table for a struct, one from columns, and an index.
func createTables(ctx context.Context, s *session) error {
	if _, err := admin.CreateTableFor[zone](ctx, s.db, "zone", admin.TableOptions{}); err != nil {
		return err
	}
	if _, err := admin.CreateTable(ctx, s.db, "reading", readingColumns, admin.TableOptions{PrimaryKey: []string{"zone", "at"}}); err != nil {
		return err
	}
	index, _, err := admin.CreateIndex(ctx, s.db, "reading", []admin.IndexKey{admin.Desc("elevation")}, admin.IndexOptions{})
	if err != nil {
		return err
	}
	again, err := admin.CreateTable(ctx, s.db, "reading", nil, admin.TableOptions{IfNotExists: true})
	if err != nil {
		return err
	}
	s.out.line("created zone, reading and the index %s; reading once more: %t", index, again)
	return nil
}

// describeTables tells what the catalog knows of the tables: columns, indexes and sizes.
func describeTables(ctx context.Context, s *session) error {
	reading, err := admin.DescribeTable(ctx, s.db, "reading")
	if err != nil {
		return err
	}
	for _, c := range reading.Columns {
		null := "not null"
		if c.Nullable {
			null = "null"
		}
		s.out.line("reading.%s: %s", c.Name, strings.TrimSpace(c.Type+" "+null+" "+c.Comment))
	}
	for _, i := range reading.Indexes {
		s.out.line("index %s on %s: %s", i.Name, strings.Join(i.Keys, ", "), i.Size)
	}
	sizes, err := admin.ListTableSizes(ctx, s.db, s.schema, admin.SizesOptions{})
	if err != nil {
		return err
	}
	for _, t := range sizes {
		s.out.line("table %s: %s in all, %s of it indexes", t.Name, t.Total, t.Index)
	}
	return nil
}
