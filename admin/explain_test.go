package admin_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func TestExplainTellsThePlanAndWhatHappened(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, "create table t as select g as id from generate_series(1, 1000) g", "create index on t (id)", "analyze t")
	plan, err := admin.Explain(ctx, db, admin.ExplainOptions{}, "select * from t where id = $1", 7)
	if err != nil || plan.Root.Relation != "t" || plan.Root.TotalCost <= 0 || plan.Root.Analyzed || !strings.Contains(plan.String(), "(id = 7)") {
		t.Errorf("plan: %v, %v", plan, err)
	}
	on := true
	plan, err = admin.Explain(ctx, db, admin.ExplainOptions{Analyze: true, Buffers: &on}, "select count(*) from t")
	if err != nil {
		t.Fatal(err)
	}
	if plan.ExecutionTime <= 0 || !plan.Root.Analyzed || plan.Root.Loops != 1 || plan.Root.Children[0].ActualRows != 1000 {
		t.Errorf("plan: %s", plan)
	}
	if text := plan.String(); !strings.Contains(text, "Buffers: shared hit=") || !strings.Contains(text, "Execution Time: ") || !strings.Contains(text, "actual time=") {
		t.Errorf("text: %s", text)
	}
	for format, want := range map[string]string{"text": "Seq Scan on t", "json": `"Node Type": "Seq Scan"`, "xml": "<Node-Type>Seq Scan</Node-Type>", "yaml": `Node Type: "Seq Scan"`} {
		lines, err := admin.ExplainText(ctx, db, admin.ExplainOptions{}, format, "select * from t")
		if err != nil || !strings.Contains(strings.Join(lines, "\n"), want) || strings.Contains(lines[0], "\n") {
			t.Errorf("%s: %q, %v", format, lines, err)
		}
	}
}

func TestAnalyzeOfAWriteIsUndoneUnlessAsked(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, "create table t (id int)")
	count := func(q ext.Querier) int {
		t.Helper()
		n, err := ext.QueryVal[int](ctx, q, "select count(*) from t")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	explain := func(q ext.Querier, o admin.ExplainOptions) {
		t.Helper()
		o.Analyze = true
		plan, err := admin.Explain(ctx, q, o, "insert into t select generate_series(1, $1)", 3)
		if err != nil || plan.Root.Operation != "Insert" || plan.Root.Children[0].ActualRows != 3 {
			t.Errorf("%T: %v, %v", q, plan, err)
		}
	}
	explain(db, admin.ExplainOptions{})
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	explain(conn, admin.ExplainOptions{})
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tx, "insert into t values (1)")
	explain(tx, admin.ExplainOptions{})
	explain(struct{ ext.Querier }{tx}, admin.ExplainOptions{}) // a transaction of another package
	if got := count(tx); got != 1 {
		t.Errorf("inside the transaction: %d rows, want its own", got)
	}
	if _, err := admin.Explain(ctx, tx, admin.ExplainOptions{Analyze: true}, "select 1 / (select 0)"); err == nil {
		t.Error("a failing statement is no error")
	}
	if got := count(tx); got != 1 {
		t.Error("the transaction is lost")
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := count(db); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
	explain(db, admin.ExplainOptions{Commit: true})
	if got := count(db); got != 4 {
		t.Errorf("with Commit: %d rows, want 4", got)
	}
}

func TestExplainRefusesWhatItCannotExplain(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, "create table t (id int)")
	for _, c := range []struct {
		opts admin.ExplainOptions
		sql  string
		want string
	}{
		{admin.ExplainOptions{}, "select 1; drop table t", "2 statements"},
		{admin.ExplainOptions{}, "-- nothing", "0 statements"},
		{admin.ExplainOptions{Commit: true}, "select 1", "need Analyze"},
		{admin.ExplainOptions{Analyze: true, Serialize: "x"}, "select 1", `serialize "x"`},
		{admin.ExplainOptions{Analyze: true, GenericPlan: true}, "select 1", "GenericPlan excludes Analyze"},
		{admin.ExplainOptions{}, "nonsense", "42601"},
	} {
		if _, err := admin.Explain(ctx, db, c.opts, c.sql); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.sql, err, c.want)
		}
	}
	if _, err := admin.ExplainText(ctx, db, admin.ExplainOptions{}, "toml", "select 1"); err == nil || !strings.Contains(err.Error(), `"toml"`) {
		t.Errorf("format: %v", err)
	}
	mustExec(t, db, "drop table t") // which is still there
}

func TestOptionsOfNewerServers(t *testing.T) {
	t.Parallel()
	ctx, db, major := t.Context(), openDB(t), sqltest.Server(t).MajorVersion()
	for _, c := range []struct {
		name  string
		since int
		run   func() error
	}{
		{"GenericPlan", 16, func() error {
			plan, err := admin.Explain(ctx, db, admin.ExplainOptions{GenericPlan: true}, "select $1::int")
			if err == nil && plan.Root.Type != "Result" {
				t.Errorf("generic plan: %s", plan)
			}
			return err
		}},
		{"Memory", 17, func() error {
			plan, err := admin.Explain(ctx, db, admin.ExplainOptions{Memory: true}, "select 1")
			if err == nil && !strings.Contains(plan.String(), "Memory: used=") {
				t.Errorf("memory: %s", plan)
			}
			return err
		}},
		{"Serialize", 17, func() error {
			plan, err := admin.Explain(ctx, db, admin.ExplainOptions{Analyze: true, Serialize: "text"}, "select 1")
			if err == nil && !strings.Contains(plan.String(), "Serialization: time=") {
				t.Errorf("serialize: %s", plan)
			}
			return err
		}},
		{"BufferUsageLimit", 16, func() error {
			return admin.Vacuum(ctx, db, admin.VacuumOptions{Tables: []string{"pg_catalog.pg_class"}, BufferUsageLimit: "1 MB"})
		}},
		{"NoMain", 16, func() error {
			return admin.Vacuum(ctx, db, admin.VacuumOptions{Tables: []string{"pg_catalog.pg_class"}, NoMain: true})
		}},
		{"OnlyDatabaseStats", 16, func() error { return admin.Vacuum(ctx, db, admin.VacuumOptions{OnlyDatabaseStats: true}) }},
		{"Only", 18, func() error {
			return admin.Analyze(ctx, db, admin.AnalyzeOptions{Tables: []string{"pg_catalog.pg_class"}, Only: true})
		}},
	} {
		err := c.run()
		if major >= c.since && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if major < c.since && (err == nil || !strings.Contains(err.Error(), "option "+c.name+" needs PostgreSQL")) {
			t.Errorf("%s on an older server: %v", c.name, err)
		}
	}
}
