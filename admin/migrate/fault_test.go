package migrate_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"testing"

	"github.com/pycopg/pycopg/admin/migrate"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// open is a pool that the test closes.
func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// awaitNoSession waits until the server has ended the sessions of that application name in the database: one whose connection was
// cut goes on with what it had got.
func awaitNoSession(t *testing.T, q ext.Querier, name string) {
	t.Helper()
	for word(t, q, "select count(*)::text from pg_stat_activity where datname = current_database() and application_name = $1", name) != "0" {
		runtime.Gosched()
	}
}

func TestConnectionCutBeforeEachMessageLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	ctx, server, dsn := context.Background(), sqltest.Server(t), sqltest.DSN(t, sqltest.Options{})
	direct := open(t, dsn)
	fsys := files("1_a.sql", "-- UP\ncreate table a (); create table b ();\n-- DOWN\ndrop table a, b")
	for nth := 1; ; nth++ {
		fault := server.Fault(t)
		done := fault.On(sqltest.Rule{Type: sqltest.AnyMessage, Nth: nth})
		cfg, err := driver.ParseConfig(fault.DSN(dsn))
		if err != nil {
			t.Fatal(err)
		}
		cfg.ApplicationName = "cut"
		db := sql.OpenDB(driver.NewConnector(cfg))
		steps, err := migrate.Up(ctx, db, fsys, migrate.Options{})
		uncut := fault.Disarm() == 1
		if !uncut {
			<-done
		}
		db.Close()
		awaitNoSession(t, direct, "cut")
		made := tables(t, direct)
		recorded := "none"
		if word(t, direct, "select coalesce(to_regclass('schema_migrations')::text, '')") != "" {
			recorded = word(t, direct, "select count(*)::text from schema_migrations")
		}
		if uncut {
			if err != nil || nth < 10 {
				t.Errorf("without a cut, the client sending %d messages: %v", nth-1, err)
			}
			return
		}
		switch {
		case err == nil && made == "a b" && recorded == "1" && len(steps) == 1: // cut behind the work, or at a new connection
		case err != nil && made == "" && recorded != "1" && len(steps) == 0:
		case errors.Is(err, driver.ErrCommitUnknown) && (made == "a b") == (recorded == "1"):
		default:
			t.Errorf("cut before message %d: %v, tables %q, recorded %s, steps %v", nth, err, made, recorded, steps)
		}
		if _, err := migrate.Up(ctx, direct, fsys, migrate.Options{}); err != nil {
			t.Errorf("cut before message %d, the next run: %v", nth, err)
		}
		mustExec(t, direct, "drop table a, b, schema_migrations")
	}
}

func TestALostAnswerOfTheCommitIsNamed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	fault, dsn := sqltest.Server(t).Fault(t), sqltest.DSN(t, sqltest.Options{})
	db, direct := open(t, fault.DSN(dsn)), open(t, dsn)
	fsys := files("1_a.sql", "create table a ()")
	cut := make(chan (<-chan struct{}), 1)
	_, err := migrate.Up(ctx, db, fsys, migrate.Options{OnStart: func(migrate.Step) {
		// CommandComplete of BEGIN, insert, create table and COMMIT.
		cut <- fault.On(sqltest.Rule{Side: sqltest.Backend, Type: 'C', Nth: 4})
	}})
	var failed *migrate.Error
	if !errors.As(err, &failed) || failed.Version != 1 {
		t.Fatalf("error: %v", err)
	}
	<-<-cut
	states, statusErr := migrate.Status(ctx, direct, fsys, migrate.Options{})
	if statusErr != nil || !errors.Is(err, driver.ErrCommitUnknown) || !states[0].Applied {
		t.Errorf("error %v, status %+v, %v: want ErrCommitUnknown of a migration that was applied", err, states, statusErr)
	}
}
