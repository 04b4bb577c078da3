package ext_test

import (
	"context"
	"database/sql"
	"reflect"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// TestHelpersUnderFormatPlaceholders runs with psycopg's placeholders in the caller's texts, and $1 in those of the package.
func TestHelpersUnderFormatPlaceholders(t *testing.T) {
	t.Parallel()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Placeholder = driver.PlaceholderFormat
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()
	mustExec(t, db, `create table item (id int primary key, "a%s" text)`)
	type item struct {
		ID   int
		Text string `db:"a%s"`
	}
	if _, err := ext.InsertMany(t.Context(), db, "item", []item{{1, "x"}, {2, "y"}}, ext.InsertOptions{}); err != nil {
		t.Error("InsertMany:", err)
	}
	if n, err := ext.ExecMany(t.Context(), db, `insert into item values (%s, %s)`, [][]any{{3, "z"}, {4, "100%"}}); n != 2 || err != nil {
		t.Error("ExecMany:", n, err)
	}
	if n, err := ext.UpdateWhere(t.Context(), db, "item", map[string]any{"a%s": "new"}, "id % 2 = $1", 0); n != 2 || err != nil {
		t.Error("UpdateWhere:", n, err)
	}
	if n, err := ext.Count(t.Context(), db, "item", "id = $1", 1); n != 1 || err != nil {
		t.Error("Count:", n, err)
	}
	if got, err := ext.Query[item](t.Context(), db, "select * from item where id in (%s, %s) order by id", 1, 4); err != nil || !reflect.DeepEqual(got, []item{{1, "x"}, {4, "new"}}) {
		t.Error("Query:", got, err)
	}
	if p, err := ext.Paginate[item](t.Context(), db, ext.PageOptions{Size: 1, Total: true}, "select * from item where id > $1 order by id", 2); err != nil || p.Total != 2 {
		t.Error("Paginate:", p, err)
	}
	if _, err := ext.Describe(t.Context(), db, "select $1::int"); err != nil {
		t.Error("Describe:", err)
	}
	var val *ext.Pending[int]
	err = ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
		val = ext.QueueVal[int](p, "select %(a)s::int %% 4", sql.Named("a", 6))
		return nil
	})
	if n, gerr := val.Get(); n != 2 || err != nil || gerr != nil {
		t.Error("Pipeline:", n, err, gerr)
	}
	if got, err := ext.CallFunc[string](t.Context(), db, "upper", "x"); err != nil || got[0] != "X" {
		t.Error("CallFunc:", got, err)
	}
	tx := begin(t, db)
	c, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{}, "select id from item where id >= %s", 2)
	if err != nil {
		t.Fatal("DeclareCursor:", err)
	}
	if got, err := ext.FetchAll[int](t.Context(), c); err != nil || len(got) != 3 {
		t.Error("FetchAll:", got, err)
	}
	if _, _, err := ext.ImportLargeObject(t.Context(), db, strings.NewReader("x")); err != nil {
		t.Error("ImportLargeObject:", err)
	}
	if err := ext.WithSession(t.Context(), db, ext.SessionOptions{ReadOnly: &yes}, func(context.Context, *sql.Conn) error { return nil }); err != nil {
		t.Error("WithSession:", err)
	}
}
