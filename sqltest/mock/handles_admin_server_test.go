package mock_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
)

var adminServerCases = map[string]plainCall{
	"admin.Vacuum": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`vacuum \(analyze\) "users"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.Vacuum(ctx, db, admin.VacuumOptions{Tables: []string{"users"}, Analyze: true})
	},
	"admin.Analyze": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`analyze "users"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.Analyze(ctx, db, admin.AnalyzeOptions{Tables: []string{"users"}})
	},
	"admin.Cluster": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`cluster "users" using "users_pkey"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.Cluster(ctx, db, "users", admin.ClusterOptions{Index: "users_pkey"})
	},
	"admin.ReindexTable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`reindex \(concurrently\) table "users"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.ReindexTable(ctx, db, "users", admin.ReindexOptions{Concurrently: true})
	},
	"admin.ReindexIndex": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`reindex index "users_pkey"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.ReindexIndex(ctx, db, "users_pkey", admin.ReindexOptions{})
	},
	"admin.ReindexSchema": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`reindex schema "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.ReindexSchema(ctx, db, "app", admin.ReindexOptions{})
	},
	"admin.ReindexDatabase": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`current_database`).WillReturnRows(sqlmock.NewRows([]string{"current_database"}).AddRow("shop"))
		m.ExpectExec(`reindex database "shop"`).WillReturnResult(sqlmock.NewResult(0, 0))
		return admin.ReindexDatabase(ctx, db, admin.ReindexOptions{})
	},
	"admin.CancelBackend": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_cancel_backend`).WithArgs(4711).WillReturnRows(sqlmock.NewRows([]string{"sent"}).AddRow(true))
		sent, err := admin.CancelBackend(ctx, db, 4711)
		return want(sent, err, true)
	},
	"admin.TerminateBackend": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_terminate_backend`).WillReturnRows(sqlmock.NewRows([]string{"ended"}).AddRow(true))
		ended, err := admin.TerminateBackend(ctx, db, 4711, time.Second)
		return want(ended, err, true)
	},
	"admin.ListActivity": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_stat_activity`).WillReturnRows(sqlmock.NewRows([]string{"pid", "state", "query"}).AddRow(4711, "active", "select 1"))
		sessions, err := admin.ListActivity(ctx, db, admin.ActivityOptions{})
		return want(head(sessions).State, err, "active")
	},
	"admin.BlockingChains": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_blocking_pids`).WillReturnRows(sqlmock.NewRows([]string{"pid", "blocked_by"}).AddRow(1, "{}").AddRow(2, "{1}"))
		chains, err := admin.BlockingChains(ctx, db)
		return want(head(head(chains).Waiting).Session.PID, err, 2)
	},
	"admin.ListLocks": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_locks`).WillReturnRows(sqlmock.NewRows([]string{"pid", "kind", "object", "mode", "granted"}).AddRow(4711, "relation", "public.users", "AccessShareLock", true))
		locks, err := admin.ListLocks(ctx, db, admin.LocksOptions{})
		return want(head(locks).Object, err, "public.users")
	},
	"admin.ListBloat": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`select`).WillReturnRows(sqlmock.NewRows([]string{"schema", "table", "wasted"}).AddRow("public", "users", 8192))
		bloat, err := admin.ListBloat(ctx, db, admin.BloatOptions{})
		return want(head(bloat).Wasted, err, 8192)
	},
	"admin.UnusedIndexes": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_stat`).WillReturnRows(sqlmock.NewRows([]string{"schema", "table", "index", "scans"}).AddRow("public", "users", "users_name_idx", 0))
		unused, err := admin.UnusedIndexes(ctx, db, admin.UnusedOptions{})
		return want(head(unused).Index, err, "users_name_idx")
	},
	"admin.Explain": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`explain`).WillReturnRows(sqlmock.NewRows([]string{"QUERY PLAN"}).AddRow(`[{"Plan": {"Node Type": "Seq Scan", "Relation Name": "users"}}]`))
		plan, err := admin.Explain(ctx, db, admin.ExplainOptions{}, "select * from users")
		return want(plan.Root.Relation, err, "users")
	},
	"admin.ExplainText": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`explain`).WillReturnRows(sqlmock.NewRows([]string{"QUERY PLAN"}).AddRow("Seq Scan on users"))
		lines, err := admin.ExplainText(ctx, db, admin.ExplainOptions{}, "text", "select * from users")
		return want(head(lines), err, "Seq Scan on users")
	},
}
