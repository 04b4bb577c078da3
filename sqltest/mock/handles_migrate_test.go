package mock_test

import (
	"context"
	"database/sql"
	"testing/fstest"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin/migrate"
)

var migrations = fstest.MapFS{"1_users.sql": {Data: []byte("-- UP\ncreate table users (id bigint);\n-- DOWN\ndrop table users;\n")}}

// expectRecord expects a run of migrations to take the lock, and to find in its record that these versions are applied. A run ends with
// the lock given back, by expectRecordLeft.
func expectRecord(m sqlmock.Sqlmock, unfinished string, applied ...int64) {
	m.ExpectExec("migrate").WillReturnResult(sqlmock.NewResult(0, 0))
	m.ExpectQuery("current_schema").WillReturnRows(sqlmock.NewRows([]string{"schema"}).AddRow("public"))
	m.ExpectQuery("pg_try_advisory_lock").WillReturnRows(sqlmock.NewRows([]string{"got"}).AddRow(true))
	m.ExpectQuery("pg_attribute").WillReturnRows(sqlmock.NewRows([]string{"columns"}).AddRow(""))
	m.ExpectExec("create table if not exists").WillReturnResult(sqlmock.NewResult(0, 0))
	rows := sqlmock.NewRows([]string{"version", "name", "applied_at", "checksum", "unfinished"})
	for _, version := range applied {
		rows.AddRow(version, "users", time.Now(), checksumOf(version), unfinished)
	}
	m.ExpectQuery("select version").WillReturnRows(rows)
}

func checksumOf(version int64) string {
	all, _ := migrate.Load(migrations)
	return all[version-1].Checksum()
}

func expectRecordLeft(m sqlmock.Sqlmock) {
	m.ExpectExec("pg_advisory_unlock").WillReturnResult(sqlmock.NewResult(0, 1))
}

// expectMigration expects a migration to run, and how the record gets to know.
func expectMigration(m sqlmock.Sqlmock, text, record string) {
	m.ExpectQuery("pg_settings").WillReturnRows(sqlmock.NewRows([]string{"name", "setting"}))
	m.ExpectBegin()
	m.ExpectExec(record).WillReturnResult(sqlmock.NewResult(0, 1))
	m.ExpectExec(text).WillReturnResult(sqlmock.NewResult(0, 0))
	m.ExpectCommit()
}

var migrateCases = map[string]plainCall{
	"migrate.Status": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("pg_attribute").WillReturnRows(sqlmock.NewRows([]string{"columns"}).AddRow("")) // there is no record yet
		states, err := migrate.Status(ctx, db, migrations, migrate.Options{})
		return want(head(states).Applied, err, false)
	},
	"migrate.Up": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		expectRecord(m, "")
		expectMigration(m, "create table users", "insert into")
		expectRecordLeft(m)
		steps, err := migrate.Up(ctx, db, migrations, migrate.Options{})
		return want(len(steps), err, 1)
	},
	"migrate.Down": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		expectRecord(m, "", 1)
		expectMigration(m, "drop table users", "delete from")
		expectRecordLeft(m)
		steps, err := migrate.Down(ctx, db, migrations, 1, migrate.Options{})
		return want(len(steps), err, 1)
	},
	"migrate.To": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		expectRecord(m, "")
		expectMigration(m, "create table users", "insert into")
		expectRecordLeft(m)
		steps, err := migrate.To(ctx, db, migrations, 1, migrate.Options{})
		return want(len(steps), err, 1)
	},
	"migrate.Resolve": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		expectRecord(m, "up, statement 2 of 3", 1)
		m.ExpectExec("update .*schema_migrations").WillReturnResult(sqlmock.NewResult(0, 1))
		expectRecordLeft(m)
		return migrate.Resolve(ctx, db, 1, true, migrate.Options{})
	},
}
