package admin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

func TestViews(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		mustExec(t, q, "create schema app", "create table item (id int primary key, on_sale bool)", "insert into item values (1, true), (2, false)")
		verdict(t, "CreateView", true)(admin.CreateView(ctx, q, "app.On sale", "select id from item where on_sale -- the cheap ones\n", admin.ViewOptions{Columns: []string{"The ID"}, SecurityBarrier: true, CheckOption: "local"}))
		verdict(t, "CreateView again", false)(admin.CreateView(ctx, q, "app.On sale", "select 1", admin.ViewOptions{IfNotExists: true}))
		verdict(t, "CreateView in its place", true)(admin.CreateView(ctx, q, "app.On sale", "select id as \"The ID\", on_sale from item", admin.ViewOptions{Replace: true}))
		verdict(t, "CreateMaterializedView", true)(admin.CreateMaterializedView(ctx, q, "app.m", "select id from item", admin.MaterializedViewOptions{NoData: true}))
		verdict(t, "CreateMaterializedView again", false)(admin.CreateMaterializedView(ctx, q, "app.m", "select 1", admin.MaterializedViewOptions{IfNotExists: true}))
		views := must(admin.ListViews(ctx, q, "app", admin.ListOptions{}))(t)
		if len(views) != 2 || views[0].QualifiedName() != `"app"."On sale"` || views[0].Materialized || !strings.Contains(views[0].Definition, "on_sale") || !views[1].Materialized || views[1].Populated {
			t.Errorf("views = %+v", views)
		}
		if err := admin.RefreshMaterializedView(ctx, q, "app.m", admin.RefreshOptions{}); err != nil {
			t.Fatal(err)
		}
		mustExec(t, q, "create unique index on app.m (id)", "insert into item values (3)")
		if err := admin.RefreshMaterializedView(ctx, q, "app.m", admin.RefreshOptions{Concurrently: true}); err != nil {
			t.Error(err)
		}
		if n := must(admin.RowCount(ctx, q, "app.m", admin.RowCountOptions{}))(t); n != 3 {
			t.Errorf("m has %d rows", n)
		}
		if all := must(admin.ListViews(ctx, q, "", admin.ListOptions{}))(t); len(all) != 2 {
			t.Errorf("views of all schemas = %+v", all)
		}
		verdict(t, "DropView", true)(admin.DropView(ctx, q, "app.On sale", admin.DropOptions{}))
		verdict(t, "DropView again", false)(admin.DropView(ctx, q, "app.On sale", admin.DropOptions{}))
		verdict(t, "DropMaterializedView", true)(admin.DropMaterializedView(ctx, q, "app.m", admin.DropOptions{}))
		verdict(t, "DropMaterializedView again", false)(admin.DropMaterializedView(ctx, q, "app.m", admin.DropOptions{}))
	})
}

func TestSequences(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, func(t *testing.T, q ext.Querier) {
		ctx := t.Context()
		mustExec(t, q, "create schema app", "create table app.t (id serial, other int generated always as identity, n int)")
		verdict(t, "CreateSequence", true)(admin.CreateSequence(ctx, q, "app.s", admin.SequenceOptions{
			Type: "integer", Start: p[int64](5), Min: p[int64](-5), Max: p[int64](100), Increment: 3, Cache: 4, Cycle: true, OwnedByTable: "app.t", OwnedByColumn: "n",
		}))
		verdict(t, "CreateSequence again", false)(admin.CreateSequence(ctx, q, "app.s", admin.SequenceOptions{IfNotExists: true}))
		if err := admin.SetSequence(ctx, q, "app.s", 41); err != nil {
			t.Error(err)
		}
		all := must(admin.ListSequences(ctx, q, "app", admin.ListOptions{}))(t)
		if len(all) != 3 || all[0].Name != "s" || all[0].Last == nil || *all[0].Last != 41 {
			t.Fatalf("sequences = %+v", all)
		}
		s := all[0]
		s.Last, s.Owner = nil, ""
		if want := (admin.Sequence{Schema: "app", Name: "s", Type: "integer", Start: 5, Min: -5, Max: 100, Increment: 3, Cache: 4, Cycle: true, Table: "app.t", Column: "n"}); s != want {
			t.Errorf("s = %+v, want %+v", s, want)
		}
		if all[1].Column != "id" || all[1].Last != nil || all[2].Column != "other" || all[2].Type != "integer" {
			t.Errorf("sequences = %+v", all[1:])
		}
		if got := word(t, q, "select nextval('app.s')"); got != "44" {
			t.Errorf("next value = %s", got)
		}
		verdict(t, "DropSequence", true)(admin.DropSequence(ctx, q, "app.s", admin.DropOptions{}))
		verdict(t, "DropSequence again", false)(admin.DropSequence(ctx, q, "app.s", admin.DropOptions{}))
	})
}

func TestCreateTableWithAllItsOptions(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, "create table users (id int primary key)", "create table pair (a int, b int, primary key (a, b))")
	verdict(t, "CreateTable", true)(admin.CreateTable(ctx, db, "orders", []admin.ColumnDef{
		{Name: "id", Type: "bigint", Identity: admin.IdentityAlways},
		{Name: "code", Type: "text", Collation: "C", NotNull: true, Default: "'a;b'", Unique: true, Check: "code <> ''", Comment: "of the customer"},
		{Name: "owner", Type: "int", References: &admin.Reference{Table: "users", OnDelete: admin.SetNull, OnUpdate: admin.Cascade, InitiallyDeferred: true}},
		{Name: "twice", Type: "bigint", Generated: "id * 2"},
		{Name: "a", Type: "int"},
		{Name: "b", Type: "int"},
		{Name: "during", Type: "tsrange"},
	}, admin.TableOptions{
		Unlogged: false, PrimaryKey: []string{"id"}, Unique: [][]string{{"a", "b"}}, Checks: []string{"a < b"}, Constraints: []string{"exclude using gist (during with &&)"},
		ForeignKeys: []admin.ForeignKey{{Name: "to pair", Columns: []string{"a", "b"}, Reference: admin.Reference{Table: "pair"}}},
		With:        map[string]string{"fillfactor": "70"}, Comment: "what they want",
	}))
	d := must(admin.DescribeTable(ctx, db, "orders"))(t)
	var kinds []string
	for _, c := range d.Constraints {
		if c.Kind != admin.NotNullConstraint {
			kinds = append(kinds, string(c.Kind))
		}
	}
	slices.Sort(kinds)
	if want := []string{"check", "check", "exclude", "foreign key", "foreign key", "primary key", "unique", "unique"}; !slices.Equal(kinds, want) {
		t.Errorf("constraints = %v", kinds)
	}
	if c := d.Columns[1]; c.Default != "'a;b'::text" || c.Collation != "C" || c.Comment != "of the customer" || d.Table.Comment != "what they want" {
		t.Errorf("description = %+v", d)
	}

	verdict(t, "CreateTable with partitions", true)(admin.CreateTable(ctx, db, "log", []admin.ColumnDef{{Name: "at", Type: "date"}}, admin.TableOptions{PartitionBy: "range (at)"}))
	verdict(t, "CreateTable of a partition", true)(admin.CreateTable(ctx, db, "log26", nil, admin.TableOptions{PartitionOf: "log", Values: "from ('2026-01-01') to ('2027-01-01')", IfNotExists: true}))
	verdict(t, "CreateTable of the other partition", true)(admin.CreateTable(ctx, db, "log_other", nil, admin.TableOptions{PartitionOf: "log", Unlogged: true}))
	mustExec(t, db, "insert into log values ('2026-05-05'), ('1999-01-01')")
	if got := word(t, db, "select (select count(*) from log26) || '/' || (select count(*) from log_other)"); got != "1/1" {
		t.Errorf("rows = %s", got)
	}
}

func TestSQLThatDoesNotStayInItsPlaceIsNotSent(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, "create table y (a int)")
	for _, bad := range []string{"int); drop table y; --", "int; drop table y", "int, b int", "int /*", "int --", "numeric(10", "'", `"`, "", "a)", "(]", "e'\\'", "$$", "E'a'\n'\\'' ; drop table y; --'"} {
		for name, err := range map[string]error{
			"type":    second(admin.CreateTable(ctx, db, "t", []admin.ColumnDef{{Name: "a", Type: bad}}, admin.TableOptions{})),
			"using":   admin.AlterColumn(ctx, db, "y", "a", admin.ColumnChange{Type: bad}),
			"seqtype": second(admin.CreateSequence(ctx, db, "t", admin.SequenceOptions{Type: bad + " x"})),
		} {
			if err == nil || sqlState(err) != "" && name != "seqtype" {
				t.Errorf("%s %q: %v", name, bad, err)
			}
		}
		if bad == "" || bad == "int, b int" {
			continue
		}
		for name, err := range map[string]error{
			"default": second(admin.AddColumn(ctx, db, "y", admin.ColumnDef{Name: "b", Type: "int", Default: bad}, admin.AddColumnOptions{})),
			"check":   third(admin.AddCheck(ctx, db, "y", bad, admin.ConstraintOptions{})),
			"where":   third(admin.CreateIndex(ctx, db, "y", admin.Keys("a"), admin.IndexOptions{Where: bad})),
			"key":     third(admin.CreateIndex(ctx, db, "y", []admin.IndexKey{admin.Expr(bad)}, admin.IndexOptions{})),
		} {
			if err == nil || sqlState(err) != "" {
				t.Errorf("%s %q: %v", name, bad, err)
			}
		}
	}
	verdict(t, "y", true)(admin.TableExists(ctx, db, "y"))
}
