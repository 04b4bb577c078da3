package admin_test

import (
	"database/sql"
	"errors"
	"regexp"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
)

func mock(t *testing.T) (*sql.DB, sqlmock.Sqlmock) {
	t.Helper()
	db, m, err := sqlmock.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.ExpectationsWereMet(); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return db, m
}

func TestStatementsAreVisibleToAMock(t *testing.T) {
	t.Parallel()
	db, m := mock(t)
	ctx := t.Context()
	exec := func(text string, rows int64) {
		m.ExpectExec(regexp.QuoteMeta(text)).WillReturnResult(sqlmock.NewResult(0, rows))
	}
	exec(`create schema "app"`, 0)
	verdict(t, "CreateSchema", true)(admin.CreateSchema(ctx, db, "app", admin.SchemaOptions{}))
	for _, rows := range []int64{1, 0} { // the mock's count of rows says whether something was done
		exec(`create table if not exists "app"."t" ("id" bigint)`, rows)
		verdict(t, "CreateTable", rows == 1)(admin.CreateTable(ctx, db, "app.t", []admin.ColumnDef{{Name: "id", Type: "bigint"}}, admin.TableOptions{IfNotExists: true}))
		exec(`drop table if exists "app"."t" cascade`, rows)
		verdict(t, "DropTable", rows == 1)(admin.DropTable(ctx, db, "app.t", admin.DropOptions{Cascade: true}))
		exec(`grant "a" to "b"`, rows)
		verdict(t, "GrantRole", rows == 1)(admin.GrantRole(ctx, db, "a", "b", admin.GrantRoleOptions{}))
		exec(`drop database if exists "d"`, rows)
		verdict(t, "DropDatabase", rows == 1)(admin.DropDatabase(ctx, db, "d", admin.DropDatabaseOptions{}))
	}
	exec(`create unique index "t_id_idx" on "t" ("id")`, 0)
	if name, created, err := admin.CreateIndex(ctx, db, "t", admin.Keys("id"), admin.IndexOptions{Unique: true}); name != "t_id_idx" || !created || err != nil {
		t.Errorf("CreateIndex = %q, %t, %v", name, created, err)
	}
	exec(`grant insert, update on table "orders" to "appuser"`, 0)
	if err := admin.Grant(ctx, db, "insert, update", admin.Tables("orders"), "appuser", admin.GrantOptions{}); err != nil {
		t.Error(err)
	}
	exec(`alter role "appuser" password 'SCRAM-SHA-256$4096:`, 0)
	if err := admin.AlterRole(ctx, db, "appuser", admin.RoleChange{Password: "secret"}); err != nil {
		t.Error(err)
	}
	refused := errors.New("refused")
	m.ExpectExec(`create database "d"`).WillReturnError(refused)
	if _, err := admin.CreateDatabase(ctx, db, "d", admin.DatabaseOptions{}); !errors.Is(err, refused) {
		t.Errorf("CreateDatabase: %v", err)
	}
}

func TestQuestionsAreVisibleToAMock(t *testing.T) {
	t.Parallel()
	db, m := mock(t)
	ctx := t.Context()
	m.ExpectQuery("pg_namespace").WillReturnRows(sqlmock.NewRows([]string{"name"}).AddRow("app").AddRow("public"))
	if got := must(admin.ListSchemas(ctx, db, admin.ListOptions{}))(t); len(got) != 2 || got[0].Name != "app" {
		t.Errorf("schemas = %+v", got)
	}
	m.ExpectQuery("pg_attribute").WithArgs("app", "users").WillReturnRows(sqlmock.NewRows([]string{"name", "type"}).AddRow("id", "bigint"))
	if got := must(admin.TableInfo(ctx, db, "app.users"))(t); len(got) != 1 || got[0].Type != "bigint" {
		t.Errorf("columns = %+v", got)
	}
	m.ExpectQuery("pg_attribute").WillReturnRows(sqlmock.NewRows([]string{"name"}))
	if got := must(admin.ListColumns(ctx, db, "users"))(t); got != nil {
		t.Errorf("columns = %+v", got)
	}
	m.ExpectQuery("pg_attribute").WillReturnRows(sqlmock.NewRows([]string{"missing"}).AddRow(true))
	if _, err := admin.ListColumns(ctx, db, "users"); !errors.Is(err, admin.ErrTableNotFound) {
		t.Errorf("ListColumns: %v", err)
	}
	m.ExpectQuery(regexp.QuoteMeta(`select pg_catalog.count(*) from "users"`)).WillReturnRows(sqlmock.NewRows([]string{"count"}).AddRow(7))
	if n := must(admin.RowCount(ctx, db, "users", admin.RowCountOptions{}))(t); n != 7 {
		t.Errorf("rows = %d", n)
	}
	m.ExpectQuery("pg_roles").WithArgs("appuser").WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
	verdict(t, "RoleExists", true)(admin.RoleExists(ctx, db, "appuser"))
	m.ExpectQuery("aclexplode").WillReturnRows(sqlmock.NewRows([]string{"kind", "name", "privilege"}).AddRow("table", "t", "SELECT"))
	if got := must(admin.ListRoleGrants(ctx, db, "appuser", admin.ListOptions{}))(t); len(got) != 1 || got[0].Privilege != "SELECT" {
		t.Errorf("grants = %+v", got)
	}
	m.ExpectQuery("pg_extension").WillReturnRows(sqlmock.NewRows([]string{"installed", "available"}).AddRow(false, true))
	if err := admin.RequireExtension(ctx, db, "postgis"); !errors.Is(err, admin.ErrExtensionNotAvailable) {
		t.Errorf("RequireExtension: %v", err)
	}
	if _, err := admin.OpenDatabase(ctx, db, "x"); err == nil {
		t.Error("OpenDatabase: no error")
	}
}
