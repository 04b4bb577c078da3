package migrate_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin/migrate"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func TestUpAppliesOnceAndDownTakesBack(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	var started []string
	opts := migrate.Options{OnStart: func(s migrate.Step) { started = append(started, s.String()) }}
	want(t, "up", up(t, db, shop(), opts), "up 001_users", "up 002_orders")
	want(t, "started", started, "up 001_users", "up 002_orders")
	want(t, "up again", up(t, db, shop(), opts))
	if got := tables(t, db); got != "orders users" {
		t.Errorf("tables: %s", got)
	}
	steps, err := migrate.Down(ctx, db, shop(), 1, opts)
	if want(t, "down 1", names(steps), "down 002_orders"); err != nil {
		t.Error(err)
	}
	if got := tables(t, db); got != "users" {
		t.Errorf("tables after one step down: %s", got)
	}
	steps, err = migrate.Down(ctx, db, shop(), 5, opts)
	if want(t, "down 5", names(steps), "down 001_users"); err != nil {
		t.Error(err)
	}
	if got := tables(t, db) + word(t, db, "select count(*)::text from schema_migrations"); got != "0" {
		t.Errorf("left at the end: %s", got)
	}
	if _, err := migrate.Down(ctx, db, shop(), -1, opts); err == nil {
		t.Error("-1 steps down are no error")
	}
}

func TestToGoesUpAndDown(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	fsys := files("10_a.sql", "select 1;\n-- DOWN\nselect 1", "20_b.sql", "select 1;\n-- DOWN\nselect 1", "30_c.sql", "select 1;\n-- DOWN\nselect 1")
	for _, c := range []struct {
		version int64
		want    string
	}{
		{20, "[up 010_a up 020_b]"},
		{25, "[]"},
		{10, "[down 020_b]"},
		{30, "[up 020_b up 030_c]"},
		{0, "[down 030_c down 020_b down 010_a]"},
		{15, "[up 010_a]"},
	} {
		steps, err := migrate.To(ctx, db, fsys, c.version, migrate.Options{})
		if got := fmt.Sprint(names(steps)); err != nil || got != c.want {
			t.Errorf("to %d: %s, %v, want %s", c.version, got, err, c.want)
		}
	}
}

func TestAFailureLeavesNothingOfItsMigration(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	fsys := shop()
	fsys["003_bad.sql"] = files("x", "-- a comment\n-- UP\ncreate table gone ();\nselect 'é',\n  nonsense;\n")["x"]
	fsys["004_never.sql"] = files("x", "create table never ()")["x"]
	steps, err := migrate.Up(ctx, db, fsys, migrate.Options{})
	want(t, "steps ahead of the failure", names(steps), "up 001_users", "up 002_orders")
	var failed *migrate.Error
	if !errors.As(err, &failed) || failed.Version != 3 || failed.File != "003_bad.sql" || failed.Line != 5 || failed.Down {
		t.Errorf("error: %#v", failed)
	}
	if !strings.HasPrefix(err.Error(), "migrate: 003_bad.sql:5: up: ") || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("message: %v", err)
	}
	if got := tables(t, db); got != "orders users" {
		t.Errorf("tables: %s", got)
	}
	if got := word(t, db, "select string_agg(version::text, ' ') from schema_migrations"); got != "1 2" {
		t.Errorf("recorded: %s", got)
	}
	if got := locks(t, db); got != "0" {
		t.Errorf("%s advisory locks are held", got)
	}
	fsys["003_bad.sql"] = files("x", "create table good ()")["x"]
	want(t, "after the repair", up(t, db, fsys, migrate.Options{}), "up 003_bad", "up 004_never")
}

func TestChangedAndMisplacedMigrationsAreRefused(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	fsys := files("1_a.sql", "select 1", "3_c.sql", "select 3")
	up(t, db, fsys, migrate.Options{})
	fsys["2_b.sql"] = files("x", "select 2")["x"]
	if _, err := migrate.Up(ctx, db, fsys, migrate.Options{}); !errors.Is(err, migrate.ErrOutOfOrder) || !strings.Contains(err.Error(), "002_b") {
		t.Errorf("out of order: %v", err)
	}
	if _, err := migrate.To(ctx, db, fsys, 2, migrate.Options{}); !errors.Is(err, migrate.ErrNoDown) || !strings.Contains(err.Error(), "3_c.sql") {
		t.Errorf("to 2 past one without a way back: %v", err)
	}
	want(t, "allowed", up(t, db, fsys, migrate.Options{AllowOutOfOrder: true}), "up 002_b")

	fsys["1_a.sql"] = files("x", "select 11")["x"]
	if _, err := migrate.Up(ctx, db, fsys, migrate.Options{}); !errors.Is(err, migrate.ErrChanged) || !strings.Contains(err.Error(), "1_a.sql") {
		t.Errorf("changed: %v", err)
	}
	want(t, "accepted", up(t, db, fsys, migrate.Options{AllowChanged: true}))
	want(t, "accepted for good", up(t, db, fsys, migrate.Options{}))

	delete(fsys, "3_c.sql")
	want(t, "an older program", up(t, db, fsys, migrate.Options{}))
	if _, err := migrate.Down(ctx, db, fsys, 1, migrate.Options{}); !errors.Is(err, migrate.ErrNoDown) || !strings.Contains(err.Error(), "003_c") {
		t.Errorf("down without the files: %v", err)
	}
}

func TestRunsAtTheSameTimeApplyEachMigrationOnce(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	// An index that is built concurrently waits for every snapshot, so for runs that would wait inside a statement.
	fsys := files("1_a.sql", "create table a (id int)", "2_b.sql", "-- NO TRANSACTION\ncreate index concurrently a_id on a (id)")
	var all sync.WaitGroup
	var mu sync.Mutex
	var applied []string
	for range 5 {
		all.Go(func() {
			steps, err := migrate.Up(context.Background(), db, fsys, migrate.Options{})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			applied = append(applied, names(steps)...)
		})
	}
	all.Wait()
	want(t, "applied by all", applied, "up 001_a", "up 002_b")
}

func TestARunWaitsForTheLockAsLongAsItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	inside, leave := make(chan bool), make(chan bool)
	done := make(chan error)
	go func() {
		_, err := migrate.Up(context.Background(), db, shop(), migrate.Options{OnStart: func(s migrate.Step) {
			if s.Version == 1 {
				close(inside)
				<-leave
			}
		}})
		done <- err
	}()
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := migrate.Up(ctx, db, shop(), migrate.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another holds the lock: %v", err)
	}
	want(t, "with a record of its own", up(t, db, files("1_x.sql", "select 1"), migrate.Options{Table: "other"}), "up 001_x")
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAMigrationDoesNotChangeTheSessionOfTheNext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create schema app")
	up(t, db, files(
		"1_a.sql", "select set_config('search_path', '', false); set work_mem = '7MB'; set role pg_monitor; set role none; create temp table mine (); create table public.a ();",
		"2_b.sql", "create table b (); create table seen as select current_setting('work_mem') as work_mem, to_regclass('mine') is null as clean",
		"3_c.sql", "set role pg_monitor",
		"4_d.sql", "create table app.d ()",
	), migrate.Options{})
	if got := word(t, db, "select row(work_mem <> '7MB', clean)::text from seen"); got != "(t,t)" {
		t.Errorf("the second migration saw: %s", got)
	}
	if got := word(t, db, "select current_user = session_user and current_setting('search_path') <> ''"); got != "true" {
		t.Error("the pool's connection has kept what the migrations set")
	}
}

func TestPoolsOfOtherPlaceholdersAndWrappers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Placeholder = driver.PlaceholderFormat
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()
	fsys := files("1_a.sql", "create table a as select 100 % 7 as x, '50%' as y, '$1' as z\n-- DOWN\ndrop table a", "2_b.sql", "-- NO TRANSACTION\ncreate table b as select 100 % 7 as x\n-- DOWN\ndrop table b")
	want(t, "format", up(t, struct{ *sql.DB }{db}, fsys, migrate.Options{}), "up 001_a", "up 002_b")
	if states, err := migrate.Status(ctx, db, fsys, migrate.Options{}); err != nil || !states[1].Applied {
		t.Errorf("status: %+v, %v", states, err)
	}
	steps, err := migrate.Down(ctx, db, fsys, 2, migrate.Options{})
	if want(t, "down", names(steps), "down 002_b", "down 001_a"); err != nil {
		t.Error(err)
	}
}

func TestATransactionPoolerCannotHoldTheLock(t *testing.T) {
	t.Parallel()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Pooler = driver.PoolerTransaction
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()
	if _, err := migrate.Up(context.Background(), db, shop(), migrate.Options{}); err == nil || !strings.Contains(err.Error(), "an advisory lock") {
		t.Errorf("through a transaction pooler: %v", err)
	}
}
