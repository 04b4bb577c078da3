package compat

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"github.com/pycopg/pycopg/sqltest"
)

var migrations = fstest.MapFS{
	"00001_users.sql": {Data: []byte(`-- +goose Up
create table users (id int8 primary key, name text);
insert into users values (1, 'a'), (2, 'b;c');
-- +goose StatementBegin
create function twice(n int8) returns int8 language plpgsql as $$ begin return n * 2; end; $$;
-- +goose StatementEnd
-- +goose Down
drop function twice;
drop table users;
`)},
	"00002_index.sql": {Data: []byte(`-- +goose NO TRANSACTION
-- +goose Up
create index concurrently users_name on users (name);
-- +goose Down
drop index concurrently users_name;
`)},
}

func TestGooseProgram(t *testing.T) {
	t.Parallel()
	db := open(t, ours, dsnOf(t, sqltest.Options{}))
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations, goose.WithGoMigrations(goose.NewGoMigration(3, &goose.GoFunc{
		RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "update users set name = upper(name) where twice(id) = $1", 4)
			if calls := doThrough(t, tx); calls != 1 {
				t.Errorf("driver.Do ran %d times", calls)
			}
			return err
		},
	}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	results, err := provider.Up(t.Context())
	if err != nil || len(results) != 3 {
		t.Fatalf("up: %v, %v", results, err)
	}
	if got := queryVal[string](t, db, "select string_agg(name, ',' order by id) from users"); got != "a,B;C" {
		t.Errorf("names %s, want a,B;C", got)
	}
	if version, err := provider.GetDBVersion(t.Context()); version != 3 || err != nil {
		t.Errorf("version %d, %v, want 3", version, err)
	}
	if _, err := provider.DownTo(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if queryVal[bool](t, db, "select to_regclass('users') is not null") {
		t.Error("the table is still there")
	}
	if _, err := provider.ApplyVersion(t.Context(), 1, false); !errors.Is(err, goose.ErrNotApplied) {
		t.Errorf("down again: %v, want goose.ErrNotApplied", err)
	}
}
