package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/migrate"
	"github.com/pycopg/pycopg/sqltest"
)

func TestWithoutATransactionAFailureIsRemembered(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	fsys := files("1_t.sql", "create table t (id int); insert into t values (1), (1)",
		"2_i.sql", "-- NO TRANSACTION\n-- UP\ncreate table first ();\n\n-- the index\ncreate unique index concurrently t_id\n  on t (id);\ncreate table third ();\n-- DOWN\ndrop index concurrently t_id;\ndrop table first, third;")
	_, err := migrate.Up(ctx, db, fsys, migrate.Options{})
	var failed *migrate.Error
	if !errors.As(err, &failed) || failed.Line != 6 || failed.Statement != 2 || !errors.Is(err, migrate.ErrUnfinished) || !strings.Contains(err.Error(), "23505") {
		t.Fatalf("error: %v", err)
	}
	states, err := migrate.Status(ctx, db, fsys, migrate.Options{})
	if err != nil || states[1].Unfinished != "up, statement 2 of 3" {
		t.Errorf("status: %+v, %v", states, err)
	}
	if _, err := migrate.Up(ctx, db, fsys, migrate.Options{}); !errors.Is(err, migrate.ErrUnfinished) || !strings.Contains(err.Error(), "statement 2 of 3") {
		t.Errorf("the next run: %v", err)
	}
	if err := migrate.Resolve(ctx, db, 1, true, migrate.Options{}); !errors.Is(err, migrate.ErrNotUnfinished) {
		t.Errorf("resolve what is finished: %v", err)
	}
	mustExec(t, db, "drop table first; drop index t_id; truncate t")
	if err := migrate.Resolve(ctx, db, 2, false, migrate.Options{}); err != nil {
		t.Fatal(err)
	}
	want(t, "after the repair", up(t, db, fsys, migrate.Options{}), "up 002_i")
	if got := word(t, db, "select unfinished is null and applied_at is not null from schema_migrations where version = 2"); got != "true" {
		t.Error("the record does not say that it is finished")
	}
	mustExec(t, db, "drop table third")
	if _, err := migrate.Down(ctx, db, fsys, 1, migrate.Options{}); !errors.Is(err, migrate.ErrUnfinished) {
		t.Errorf("down: %v", err)
	}
	if err := migrate.Resolve(ctx, db, 2, true, migrate.Options{}); err != nil {
		t.Fatal(err)
	}
	states, err = migrate.Status(ctx, db, fsys, migrate.Options{})
	if err != nil || !states[1].Applied || states[1].Unfinished != "" {
		t.Errorf("resolved as applied: %+v, %v", states, err)
	}
}

func TestConnectionLostOutsideOfATransactionIsRemembered(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	fsys := files("1_x.sql", "-- NO TRANSACTION\ncreate table a ();\nselect pg_terminate_backend(pg_backend_pid());\ncreate table b ();")
	_, err := migrate.Up(ctx, db, fsys, migrate.Options{})
	var failed *migrate.Error
	if !errors.As(err, &failed) || failed.Statement != 2 || failed.Line != 3 || !errors.Is(err, migrate.ErrUnfinished) {
		t.Fatalf("error: %v", err)
	}
	if got := tables(t, db); got != "a" {
		t.Errorf("tables: %s", got)
	}
	if _, err := migrate.Up(ctx, db, fsys, migrate.Options{}); !errors.Is(err, migrate.ErrUnfinished) {
		t.Errorf("the next run: %v", err)
	}
	if got := locks(t, db); got != "0" {
		t.Errorf("%s advisory locks are held", got)
	}
}

func TestACancelledRunRollsBackAndGivesTheLockBack(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx, cancel := context.WithCancel(context.Background())
	fsys := files("1_a.sql", "create table a ()", "2_b.sql", "create table b (); select pg_sleep(600)")
	steps, err := migrate.Up(ctx, db, fsys, migrate.Options{OnStart: func(s migrate.Step) {
		if s.Version == 2 {
			cancel()
		}
	}})
	if want(t, "steps", names(steps), "up 001_a"); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	if got := tables(t, db); got != "a" {
		t.Errorf("tables: %s", got)
	}
	delete(fsys, "2_b.sql")
	want(t, "the next run", up(t, db, fsys, migrate.Options{}))
	sqltest.Check(t, db)
}
