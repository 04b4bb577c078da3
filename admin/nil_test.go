package admin_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func TestNilHandlesAreErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, call := range map[string]func(q ext.Querier) error{
		"ListTables": func(q ext.Querier) error {
			_, err := admin.ListTables(ctx, q, "public", admin.TablesOptions{})
			return err
		},
		"TableExists": func(q ext.Querier) error { _, err := admin.TableExists(ctx, q, "t"); return err },
		"CreateSchema": func(q ext.Querier) error {
			_, err := admin.CreateSchema(ctx, q, "s", admin.SchemaOptions{})
			return err
		},
		"DropTable": func(q ext.Querier) error { _, err := admin.DropTable(ctx, q, "t", admin.DropOptions{}); return err },
		"Grant": func(q ext.Querier) error {
			return admin.Grant(ctx, q, "select", admin.Tables("t"), "r", admin.GrantOptions{})
		},
		"AlterRole": func(q ext.Querier) error { return admin.AlterRole(ctx, q, "r", admin.RoleChange{Rename: "s"}) },
		"Analyze":   func(q ext.Querier) error { return admin.Analyze(ctx, q, admin.AnalyzeOptions{}) },
		"Explain": func(q ext.Querier) error {
			_, err := admin.Explain(ctx, q, admin.ExplainOptions{}, "select 1")
			return err
		},
		"Explain, Analyze": func(q ext.Querier) error {
			_, err := admin.Explain(ctx, q, admin.ExplainOptions{Analyze: true}, "select 1")
			return err
		},
		"RowCount": func(q ext.Querier) error { _, err := admin.RowCount(ctx, q, "t", admin.RowCountOptions{}); return err },
		"Vacuum":   func(ext.Querier) error { return admin.Vacuum(ctx, nil, admin.VacuumOptions{}) },
		"CreateDatabase": func(ext.Querier) error {
			_, err := admin.CreateDatabase(ctx, nil, "d", admin.DatabaseOptions{})
			return err
		},
		"CommentOn": func(q ext.Querier) error { return admin.CommentOn(ctx, q, admin.Tables("t"), "c") },
	} {
		for _, q := range []ext.Querier{nil, (*sql.DB)(nil), (*sql.Conn)(nil), (*sql.Tx)(nil)} {
			if err := call(q); err == nil || !strings.HasPrefix(err.Error(), "admin: ") {
				t.Errorf("%s(%T): %v", name, q, err)
			}
		}
	}
}

func TestAnEmptyPlanCanBePrinted(t *testing.T) {
	t.Parallel()
	var p admin.Plan
	var b bytes.Buffer
	if err := p.WriteHTML(&b); err != nil {
		t.Error(err)
	}
	if text := fmt.Sprint(&p); text != "" || len(p.Costly()) != 0 || p.Share(nil) != 0 || p.JSON() != nil {
		t.Errorf("%q", text)
	}
}

func TestTheCallersOptionsAreNotForTheCatalog(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int)")
	tag := "mine"
	ctx := driver.WithQueryOptions(t.Context(), driver.QueryOptions{Simple: true, Tag: &tag})
	if list, err := admin.ListTables(ctx, db, "public", admin.TablesOptions{}); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if tag != "mine" {
		t.Errorf("the tag is %q", tag)
	}
}
