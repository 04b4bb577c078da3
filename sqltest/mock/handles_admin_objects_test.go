package mock_test

import (
	"context"
	"database/sql"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
)

var adminObjectsCases = map[string]plainCall{
	"admin.CreateSchema": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create schema if not exists "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateSchema(ctx, db, "app", admin.SchemaOptions{IfNotExists: true})
		return want(created, err, true)
	},
	"admin.DropSchema": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop schema if exists "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropSchema(ctx, db, "app", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.CreateSequence": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create sequence "ticket"`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateSequence(ctx, db, "ticket", admin.SequenceOptions{})
		return want(created, err, true)
	},
	"admin.SetSequence": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`setval`).WithArgs(`"ticket"`, 100).WillReturnRows(sqlmock.NewRows([]string{"setval"}).AddRow(100))
		return admin.SetSequence(ctx, db, "ticket", 100)
	},
	"admin.DropSequence": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop sequence if exists "ticket"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropSequence(ctx, db, "ticket", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.CreateView": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create view "names" as select name from users`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateView(ctx, db, "names", "select name from users", admin.ViewOptions{})
		return want(created, err, true)
	},
	"admin.DropView": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop view if exists "names"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropView(ctx, db, "names", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.CreateMaterializedView": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create materialized view "counts" as select count\(\*\) from users`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateMaterializedView(ctx, db, "counts", "select count(*) from users", admin.MaterializedViewOptions{})
		return want(created, err, true)
	},
	"admin.RefreshMaterializedView": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`refresh materialized view concurrently "counts"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.RefreshMaterializedView(ctx, db, "counts", admin.RefreshOptions{Concurrently: true})
	},
	"admin.DropMaterializedView": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop materialized view if exists "counts"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropMaterializedView(ctx, db, "counts", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.CreateDatabase": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create database "shop"`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateDatabase(ctx, db, "shop", admin.DatabaseOptions{})
		return want(created, err, true)
	},
	"admin.AlterDatabase": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter database "shop" owner to "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.AlterDatabase(ctx, db, "shop", admin.DatabaseChange{Owner: "app"})
	},
	"admin.DropDatabase": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop database if exists "shop" with \(force\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropDatabase(ctx, db, "shop", admin.DropDatabaseOptions{Force: true})
		return want(dropped, err, true)
	},
	"admin.CreateExtension": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create extension if not exists "hstore"`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateExtension(ctx, db, "hstore", admin.ExtensionOptions{IfNotExists: true})
		return want(created, err, true)
	},
	"admin.UpdateExtension": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter extension "hstore" update to '1.8'`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.UpdateExtension(ctx, db, "hstore", "1.8")
	},
	"admin.DropExtension": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop extension if exists "hstore"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropExtension(ctx, db, "hstore", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.CreateRole": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create role "app" login`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateRole(ctx, db, "app", admin.RoleOptions{Login: true})
		return want(created, err, true)
	},
	"admin.AlterRole": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter role "app" rename to "shop"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.AlterRole(ctx, db, "app", admin.RoleChange{Rename: "shop"})
	},
	"admin.DropRole": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop role if exists "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropRole(ctx, db, "app", admin.DropRoleOptions{})
		return want(dropped, err, true)
	},
	"admin.GrantRole": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`grant "readers" to "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		changed, err := admin.GrantRole(ctx, db, "readers", "app", admin.GrantRoleOptions{})
		return want(changed, err, true)
	},
	"admin.RevokeRole": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`revoke "readers" from "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		changed, err := admin.RevokeRole(ctx, db, "readers", "app", admin.RevokeRoleOptions{})
		return want(changed, err, true)
	},
	"admin.Grant": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`grant select on table "users" to "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.Grant(ctx, db, "select", admin.Tables("users"), "app", admin.GrantOptions{})
	},
	"admin.Revoke": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`revoke select on table "users" from "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.Revoke(ctx, db, "select", admin.Tables("users"), "app", admin.RevokeOptions{})
	},
	"admin.GrantDefault": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter default privileges grant select on tables to "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.GrantDefault(ctx, db, "select", admin.FutureTables, "app", admin.DefaultOptions{})
	},
	"admin.RevokeDefault": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter default privileges revoke select on tables from "app"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.RevokeDefault(ctx, db, "select", admin.FutureTables, "app", admin.DefaultOptions{})
	},
}
