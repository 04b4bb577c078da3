package admin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

func TestIndexes(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		mustExec(t, q, "create schema app", `create table app.products (id int primary key, name text, "odd, one" text, at timestamptz, doc jsonb)`)
		name, created, err := admin.CreateIndex(ctx, q, "app.products", admin.Keys("name"), admin.IndexOptions{Unique: true})
		if err != nil || name != "products_name_idx" || !created {
			t.Fatalf("CreateIndex = %q, %t, %v", name, created, err)
		}
		name, created, err = admin.CreateIndex(ctx, q, "app.products", admin.Keys("name"), admin.IndexOptions{IfNotExists: true})
		if err != nil || name != "products_name_idx" || created {
			t.Errorf("CreateIndex again = %q, %t, %v", name, created, err)
		}
		_, _, err = admin.CreateIndex(ctx, q, "app.products", []admin.IndexKey{admin.Expr("lower(name)"), admin.Desc("at"), {Column: "odd, one", NullsFirst: true, OpClass: "text_pattern_ops", Collation: "C"}},
			admin.IndexOptions{Name: "Big One", Where: "at is not null", Include: []string{"doc"}, With: map[string]string{"fillfactor": "50"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = admin.CreateIndex(ctx, q, "app.products", []admin.IndexKey{{Column: "doc", OpClass: "jsonb_path_ops"}}, admin.IndexOptions{Method: "gin"}); err != nil {
			t.Fatal(err)
		}
		if err := admin.CommentOn(ctx, q, admin.Indexes(`app."Big One"`), "big"); err != nil {
			t.Error(err)
		}
		got := must(admin.ListIndexes(ctx, q, "app.products"))(t)
		if len(got) != 4 || got[0].Name != "Big One" || got[1].Name != "products_doc_idx" || got[2].Name != "products_name_idx" || got[3].Name != "products_pkey" {
			t.Fatalf("indexes = %+v", got)
		}
		big := got[0]
		if !slices.Equal(big.Keys, []string{"lower(name)", "at", `"odd, one"`}) || !slices.Equal(big.Include, []string{"doc"}) || big.Where != "(at IS NOT NULL)" || big.Unique || !big.Valid ||
			big.Comment != "big" || big.Method != "btree" || big.Size == 0 || big.QualifiedName() != `"app"."Big One"` {
			t.Errorf("Big One = %+v", big)
		}
		for _, part := range []string{"DESC", "NULLS FIRST", "text_pattern_ops", `COLLATE "C"`, "fillfactor='50'", "INCLUDE (doc)"} {
			if !strings.Contains(big.Definition, part) {
				t.Errorf("definition %s lacks %s", big.Definition, part)
			}
		}
		if got[1].Method != "gin" || !got[2].Unique || !got[3].PrimaryKey || got[3].Constraint != "products_pkey" || got[2].Constraint != "" {
			t.Errorf("indexes = %+v", got[1:])
		}
		verdict(t, "IndexExists", true)(admin.IndexExists(ctx, q, "app.products_name_idx"))
		verdict(t, "IndexExists of a table", false)(admin.IndexExists(ctx, q, "app.products"))
		verdict(t, "DropIndex", true)(admin.DropIndex(ctx, q, "app.products_name_idx", admin.DropOptions{}))
		verdict(t, "DropIndex of none", false)(admin.DropIndex(ctx, q, "app.products_name_idx", admin.DropOptions{}))
	})
}

// TestIndexNamesAreTheServers compares the names that are made here with those that the server chooses.
func TestIndexNamesAreTheServers(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, tt := range []struct {
		table   string
		columns []string
	}{
		{"t", []string{"a"}},
		{"t", []string{"a", "b", "c"}},
		{strings.Repeat("t", 63), []string{"a"}},
		{"t", []string{strings.Repeat("c", 63)}},
		{strings.Repeat("t", 63), []string{strings.Repeat("c", 63), "b"}},
		{strings.Repeat("é", 31), []string{strings.Repeat("日", 21), strings.Repeat("ü", 31)}},
		{strings.Repeat("t", 40), []string{strings.Repeat("c", 30), strings.Repeat("é", 15)}},
	} {
		tx := begin(t, db)
		var columns []admin.ColumnDef
		for _, column := range tt.columns {
			columns = append(columns, admin.ColumnDef{Name: column, Type: "int"})
		}
		table := ext.QuoteName(tt.table)
		must(admin.CreateTable(t.Context(), tx, table, columns, admin.TableOptions{}))(t)
		ours, _, err := admin.CreateIndex(t.Context(), tx, table, admin.Keys(tt.columns...), admin.IndexOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, tx, "drop index "+ext.QuoteName(ours), "create index on "+table+" ("+strings.Join(quoted(tt.columns), ", ")+")")
		if theirs := must(admin.ListIndexes(t.Context(), tx, table))(t)[0].Name; ours != theirs {
			t.Errorf("table %s: %q, the server's is %q", tt.table, ours, theirs)
		}
		key, _, err := admin.AddUnique(t.Context(), tx, table, tt.columns, admin.ConstraintOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, tx, "alter table "+table+" drop constraint "+ext.QuoteName(key), "alter table "+table+" add unique ("+strings.Join(quoted(tt.columns), ", ")+")")
		for _, c := range must(admin.ListConstraints(t.Context(), tx, table))(t) {
			if c.Kind == admin.UniqueConstraint && c.Name != key {
				t.Errorf("table %s: constraint %q, the server's is %q", tt.table, key, c.Name)
			}
		}
		tx.Rollback()
	}
}

func quoted(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = ext.QuoteName(name)
	}
	return all
}

func TestCreateIndexConcurrently(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create schema app", "create table app.t (a int, b int)", "insert into app.t values (1, 1), (1, 2)")
	ctx := t.Context()
	for name, q := range map[string]ext.OutsideTx{"DB": db, "Conn": one(t, db), "wrapping driver": wrap(t, db), "Conn of a wrapping driver": one(t, wrap(t, db))} {
		index, created, err := admin.CreateIndexConcurrently(ctx, q, "app.t", admin.Keys("b"), admin.IndexOptions{Unique: true})
		if err != nil || index != "t_b_idx" || !created {
			t.Fatalf("%s: CreateIndexConcurrently = %q, %t, %v", name, index, created, err)
		}
		if _, created, err = admin.CreateIndexConcurrently(ctx, q, "app.t", admin.Keys("b"), admin.IndexOptions{IfNotExists: true}); err != nil || created {
			t.Errorf("%s: again: %t, %v", name, created, err)
		}
		if _, _, err = admin.CreateIndexConcurrently(ctx, q, "app.t", admin.Keys("b"), admin.IndexOptions{}); sqlState(err) != "42P07" {
			t.Errorf("%s: strictly: %v", name, err)
		}
		verdict(t, name+": DropIndexConcurrently", true)(admin.DropIndexConcurrently(ctx, q, "app.t_b_idx"))
		verdict(t, name+": DropIndexConcurrently of none", false)(admin.DropIndexConcurrently(ctx, q, "app.t_b_idx"))

		// A build that fails leaves nothing behind.
		if _, _, err = admin.CreateIndexConcurrently(ctx, q, "app.t", admin.Keys("a"), admin.IndexOptions{Unique: true}); sqlState(err) != "23505" {
			t.Errorf("%s: CreateIndexConcurrently of duplicates: %v", name, err)
		}
		if left := must(admin.ListIndexes(ctx, db, "app.t"))(t); len(left) != 0 {
			t.Errorf("%s: left behind: %+v", name, left)
		}
	}
}

func TestAnIndexThatIsNotValidIsNotTakenForOneThatExists(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int)", "insert into t values (1), (1)")
	if _, err := db.Exec("create unique index concurrently t_a_idx on t (a)"); err == nil {
		t.Fatal("no error")
	}
	_, _, err := admin.CreateIndexConcurrently(t.Context(), db, "t", admin.Keys("a"), admin.IndexOptions{IfNotExists: true})
	if !errors.Is(err, admin.ErrInvalidIndex) || !strings.Contains(err.Error(), "public.t_a_idx") {
		t.Errorf("CreateIndexConcurrently: %v", err)
	}
	if got := must(admin.ListIndexes(t.Context(), db, "t"))(t); len(got) != 1 || got[0].Valid {
		t.Errorf("indexes = %+v", got)
	}
}
