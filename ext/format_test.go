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

func TestCursorNamesAreNoPlaceholders(t *testing.T) {
	t.Parallel()
	for _, placeholder := range []driver.Placeholder{driver.PlaceholderNative, driver.PlaceholderFormat} {
		cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Placeholder = placeholder
		cfg.RuntimeParams["standard_conforming_strings"] = "off"
		db := sql.OpenDB(driver.NewConnector(cfg))
		defer db.Close()
		tx := begin(t, db)
		query := "select $1::int"
		if placeholder == driver.PlaceholderFormat {
			query = "select %s::int"
		}
		for _, name := range []string{"50% off", "%s", `a\0025 "%(b)s`} {
			c, err := ext.DeclareCursor(t.Context(), tx, name, ext.CursorOptions{}, query, 7)
			if err != nil {
				t.Fatal(err)
			}
			if got := word(t, tx, "select name from pg_cursors where name <> ''"); got != name {
				t.Errorf("placeholder %q: the server has the name %q, want %q", placeholder, got, name)
			}
			if v, err := ext.FetchOne[int](t.Context(), c); v != 7 || err != nil {
				t.Errorf("%q: %d, %v", name, v, err)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
