package admin_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func TestMaintenanceRunsAndTells(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, `create schema "Odd; s"`, `create table "Odd; s"."T ""x" (id int primary key, "B b" text)`, `insert into "Odd; s"."T ""x" select g, g from generate_series(1, 100) g`,
		"create table other (id int)")
	const table, index = `"Odd; s"."T ""x"`, `"Odd; s"."T ""x_pkey"`
	yes, two := true, 2
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct {
		name string
		run  func(q ext.OutsideTx, told func(driver.Notice)) error
		want string // that it tells
	}{
		{"vacuum", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Vacuum(ctx, q, admin.VacuumOptions{Tables: []string{table, "other"}, Analyze: true, Freeze: true, SkipLocked: true, DisablePageSkipping: true, IndexCleanup: &yes, Truncate: &yes, Parallel: &two, NoToast: true, Verbose: told})
		}, `T "x"`},
		{"vacuum columns", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Vacuum(ctx, q, admin.VacuumOptions{Tables: []string{table}, Columns: []string{"B b"}, Analyze: true, Verbose: told})
		}, `analyzing "Odd; s.T "x"`},
		{"vacuum full", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Vacuum(ctx, q, admin.VacuumOptions{Tables: []string{table}, Full: true, Verbose: told})
		}, `T "x"`},
		{"vacuum all", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Vacuum(ctx, q, admin.VacuumOptions{Verbose: told})
		}, "public.other"},
		{"analyze", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Analyze(ctx, q, admin.AnalyzeOptions{Tables: []string{table}, Columns: []string{"id"}, SkipLocked: true, Verbose: told})
		}, `T "x"`},
		{"reindex index", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.ReindexIndex(ctx, q, index, admin.ReindexOptions{Concurrently: true, Tablespace: "pg_default", Verbose: told})
		}, `T "x_pkey`},
		{"reindex table", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.ReindexTable(ctx, q, table, admin.ReindexOptions{Verbose: told})
		}, `T "x_pkey`},
		{"reindex schema", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.ReindexSchema(ctx, q, "Odd; s", admin.ReindexOptions{Verbose: told})
		}, `T "x`},
		{"reindex database", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.ReindexDatabase(ctx, q, admin.ReindexOptions{Concurrently: true, Verbose: told})
		}, `T "x`},
		{"cluster", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Cluster(ctx, q, table, admin.ClusterOptions{Index: `T "x_pkey`, Verbose: told})
		}, `T "x`},
		{"cluster all", func(q ext.OutsideTx, told func(driver.Notice)) error {
			return admin.Cluster(ctx, q, "", admin.ClusterOptions{Verbose: told})
		}, `T "x`},
	} {
		for _, q := range []ext.OutsideTx{db, conn} {
			var told []string
			if err := c.run(q, func(n driver.Notice) { told = append(told, n.Message) }); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if !strings.Contains(strings.Join(told, "\n"), c.want) {
				t.Errorf("%s told %q, want %q", c.name, told, c.want)
			}
		}
	}
}

func TestMaintenanceIsRefusedInsideATransaction(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mustExec(t, conn, "create table t (id int primary key)", "begin", "insert into t values (1)")
	for name, run := range map[string]func() error{
		"vacuum":           func() error { return admin.Vacuum(ctx, conn, admin.VacuumOptions{}) },
		"reindex database": func() error { return admin.ReindexDatabase(ctx, conn, admin.ReindexOptions{}) },
		"cluster":          func() error { return admin.Cluster(ctx, conn, "t", admin.ClusterOptions{}) },
	} {
		if err := run(); !errors.Is(err, ext.ErrInTransaction) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := admin.Analyze(ctx, conn, admin.AnalyzeOptions{Tables: []string{"t"}}); err != nil {
		t.Errorf("analyze: %v", err)
	}
	mustExec(t, conn, "commit")
	if n, err := ext.QueryVal[int](ctx, db, "select count(*) from t"); err != nil || n != 1 {
		t.Errorf("the transaction is lost: %d, %v", n, err)
	}
}

func TestACancelledVacuumKeepsItsConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create table t as select g as id from generate_series(1, 1000) g")
	ctx, cancel := context.WithCancel(t.Context())
	err := admin.Vacuum(ctx, db, admin.VacuumOptions{Verbose: func(driver.Notice) { cancel() }})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := admin.Vacuum(t.Context(), db, admin.VacuumOptions{Tables: []string{"t"}}); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestMaintenanceNamesTheTableThatIsMissing(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, "create table there (id int)", "create table folded (id int)")
	for name, run := range map[string]func() error{
		"vacuum":  func() error { return admin.Vacuum(ctx, db, admin.VacuumOptions{Tables: []string{"there", "Folded"}}) },
		"analyze": func() error { return admin.Analyze(ctx, db, admin.AnalyzeOptions{Tables: []string{"Folded"}}) },
		"reindex": func() error { return admin.ReindexTable(ctx, db, "Folded", admin.ReindexOptions{}) },
		"cluster": func() error { return admin.Cluster(ctx, db, "Folded", admin.ClusterOptions{}) },
	} {
		if err := run(); !errors.Is(err, admin.ErrTableNotFound) || !strings.Contains(err.Error(), "folded does") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
