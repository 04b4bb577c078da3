package compat

import (
	"fmt"
	"testing"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// TestExtThroughWrappers runs the helpers that need the connection, and those that do not, inside each wrapper.
func TestExtThroughWrappers(t *testing.T) {
	t.Parallel()
	for _, w := range wrapped {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			db := w.open(t, sqltest.DSN(t, sqltest.Options{}))
			defer db.Close()
			type item struct {
				ID   int
				Tags []string
			}
			ctx := t.Context()
			if r, err := ext.Exec(ctx, db, "create table item (id int primary key, tags text[])"); err != nil || r.Tag != "CREATE TABLE" {
				t.Fatalf("Exec: %+v, %v", r, err)
			}
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []ext.Querier{tx, db} { // the Tx is rolled back before the DB is used
				name := fmt.Sprintf("%T", q)
				rows := []item{{1, []string{"a"}}, {2, nil}}
				if r, err := ext.InsertMany(ctx, q, "item", rows, ext.InsertOptions{}); err != nil || r.Inserted != 2 {
					t.Errorf("%s: InsertMany: %+v, %v", name, r, err)
				}
				if r, err := ext.UpsertMany(ctx, q, "item", rows, ext.UpsertOptions{Conflict: []string{"id"}}); err != nil || r.Updated != 2 {
					t.Errorf("%s: UpsertMany: %+v, %v", name, r, err)
				}
				if n, err := ext.ExecMany(ctx, q, "update item set tags = $2 where id = $1", [][]any{{1, []string{"x", "y"}}, {2, nil}}); err != nil || n != 2 {
					t.Errorf("%s: ExecMany: %d, %v", name, n, err)
				}
				got, err := ext.Query[item](ctx, q, "select * from item order by id")
				if err != nil || len(got) != 2 || len(got[0].Tags) != 2 || got[1].Tags != nil {
					t.Errorf("%s: Query: %+v, %v", name, got, err)
				}
				if d, err := ext.Describe(ctx, q, "select tags from item where id = $1"); err != nil || len(d.Params) != 1 || d.Columns[0].Type != "text[]" {
					t.Errorf("%s: Describe: %+v, %v", name, d, err)
				}
				if q == ext.Querier(tx) {
					tx.Rollback()
				}
			}
		})
	}
}
