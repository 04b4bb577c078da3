package mock_test

import (
	"context"
	"database/sql"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
)

var adminTablesCases = map[string]plainCall{
	"admin.CreateTable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create table "users" \("id" bigint primary key\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateTable(ctx, db, "users", []admin.ColumnDef{{Name: "id", Type: "bigint", PrimaryKey: true}}, admin.TableOptions{})
		return want(created, err, true)
	},
	"admin.CreateTableFor": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create table if not exists "users" \("id" bigint not null, "name" text not null\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		created, err := admin.CreateTableFor[user](ctx, db, "users", admin.TableOptions{IfNotExists: true})
		return want(created, err, true)
	},
	"admin.AlterTable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" rename to "people"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.AlterTable(ctx, db, "users", admin.TableChange{Rename: "people"})
	},
	"admin.DropTable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop table if exists "users" cascade`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropTable(ctx, db, "users", admin.DropOptions{Cascade: true})
		return want(dropped, err, true)
	},
	"admin.Truncate": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`truncate "users" restart identity`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.Truncate(ctx, db, []string{"users"}, admin.TruncateOptions{RestartIdentity: true})
	},
	"admin.AddColumn": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" add column if not exists "email" text`).WillReturnResult(sqlmock.NewResult(0, 1))
		added, err := admin.AddColumn(ctx, db, "users", admin.ColumnDef{Name: "email", Type: "text"}, admin.AddColumnOptions{IfNotExists: true})
		return want(added, err, true)
	},
	"admin.AlterColumn": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" alter column "name" type text`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.AlterColumn(ctx, db, "users", "name", admin.ColumnChange{Type: "text"})
	},
	"admin.DropColumn": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" drop column if exists "email"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropColumn(ctx, db, "users", "email", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.AddPrimaryKey": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" add constraint "users_pkey" primary key \("id"\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		_, added, err := admin.AddPrimaryKey(ctx, db, "users", []string{"id"}, admin.ConstraintOptions{})
		return want(added, err, true)
	},
	"admin.AddUnique": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" add constraint "users_name_key" unique \("name"\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		_, added, err := admin.AddUnique(ctx, db, "users", []string{"name"}, admin.ConstraintOptions{})
		return want(added, err, true)
	},
	"admin.AddCheck": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" add constraint "positive" check \(id > 0\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		_, added, err := admin.AddCheck(ctx, db, "users", "id > 0", admin.ConstraintOptions{Name: "positive"})
		return want(added, err, true)
	},
	"admin.AddForeignKey": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "orders" add constraint "orders_user_id_fkey" foreign key \("user_id"\) references "users"`).WillReturnResult(sqlmock.NewResult(0, 1))
		_, added, err := admin.AddForeignKey(ctx, db, "orders", []string{"user_id"}, admin.Reference{Table: "users"}, admin.ConstraintOptions{})
		return want(added, err, true)
	},
	"admin.ValidateConstraint": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" validate constraint "positive"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.ValidateConstraint(ctx, db, "users", "positive")
	},
	"admin.RenameConstraint": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" rename constraint "positive" to "id_positive"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.RenameConstraint(ctx, db, "users", "positive", "id_positive")
	},
	"admin.DropConstraint": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter table "users" drop constraint if exists "positive"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropConstraint(ctx, db, "users", "positive", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.CreateIndex": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create index "users_name_idx" on "users" \("name"\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		name, _, err := admin.CreateIndex(ctx, db, "users", admin.Keys("name"), admin.IndexOptions{})
		return want(name, err, "users_name_idx")
	},
	"admin.CreateIndexConcurrently": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`create index concurrently "users_name_idx" on "users" \("name"\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		name, _, err := admin.CreateIndexConcurrently(ctx, db, "users", admin.Keys("name"), admin.IndexOptions{})
		return want(name, err, "users_name_idx")
	},
	"admin.RenameIndex": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`alter index "users_name_idx" rename to "users_by_name"`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.RenameIndex(ctx, db, "users_name_idx", "users_by_name")
	},
	"admin.DropIndex": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop index if exists "users_name_idx"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropIndex(ctx, db, "users_name_idx", admin.DropOptions{})
		return want(dropped, err, true)
	},
	"admin.DropIndexConcurrently": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`drop index concurrently if exists "users_name_idx"`).WillReturnResult(sqlmock.NewResult(0, 1))
		dropped, err := admin.DropIndexConcurrently(ctx, db, "users_name_idx")
		return want(dropped, err, true)
	},
	"admin.CommentOn": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`comment on table "users" is 'who may log in'`).WillReturnResult(sqlmock.NewResult(0, 1))
		return admin.CommentOn(ctx, db, admin.Tables("users"), "who may log in")
	},
}
