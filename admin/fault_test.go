package admin_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// faults are functions of each way to the server, and where the connection is cut.
var faults = []struct {
	name string
	run  func(ctx context.Context, db *sql.DB) error
	cuts []sqltest.Rule
}{
	{"ListTables", func(ctx context.Context, db *sql.DB) error {
		return second(admin.ListTables(ctx, db, "", admin.TablesOptions{System: true}))
	}, []sqltest.Rule{{Side: sqltest.Backend, Type: 'D', Nth: 2}, {Side: sqltest.Backend, Type: 'C'}}},
	{"TableInfo", func(ctx context.Context, db *sql.DB) error {
		return second(admin.TableInfo(ctx, db, "item"))
	}, []sqltest.Rule{{Side: sqltest.Frontend, Type: 'S'}, {Side: sqltest.Backend, Type: 'D'}}},
	{"CreateTable", func(ctx context.Context, db *sql.DB) error {
		return second(admin.CreateTable(ctx, db, "made", nil, admin.TableOptions{IfNotExists: true}))
	}, []sqltest.Rule{{Side: sqltest.Frontend, Type: 'S'}, {Side: sqltest.Backend, Type: 'C'}, {Side: sqltest.Frontend, Type: 'S', Nth: 2}}},
	{"DropTable", func(ctx context.Context, db *sql.DB) error {
		return second(admin.DropTable(ctx, db, "item", admin.DropOptions{}))
	}, []sqltest.Rule{{Side: sqltest.Frontend, Type: 'S'}, {Side: sqltest.Backend, Type: 'C'}, {Side: sqltest.Frontend, Type: 'S', Nth: 2}}},
	{"GrantRole", func(ctx context.Context, db *sql.DB) error {
		return second(admin.GrantRole(ctx, db, "pg_monitor", admin.CurrentUser, admin.GrantRoleOptions{}))
	}, []sqltest.Rule{{Side: sqltest.Frontend, Type: 'S'}, {Side: sqltest.Frontend, Type: 'S', Nth: 2}}},
	{"CreateIndexConcurrently", func(ctx context.Context, db *sql.DB) error {
		return third(admin.CreateIndexConcurrently(ctx, db, "item", admin.Keys("id"), admin.IndexOptions{IfNotExists: true}))
	}, []sqltest.Rule{{Side: sqltest.Frontend, Type: 'P', Nth: 2}, {Side: sqltest.Backend, Type: 'C'}}}, // behind Execute, the server would go on
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			dsn := sqltest.DSN(t, sqltest.Options{})
			fault := sqltest.Server(t).Fault(t)
			open := func() *sql.DB {
				db := must(sql.Open("pycopg", fault.DSN(dsn)))(t)
				t.Cleanup(func() { db.Close() })
				db.SetMaxOpenConns(1) // what leaks, blocks
				return db
			}
			db := open()
			mustExec(t, db, "create table item (id int)")
			for i, rule := range f.cuts {
				db = open()
				mustExec(t, db, "select 1")
				hit := fault.On(rule)
				if err := f.run(t.Context(), db); err == nil || errors.Is(err, sqldriver.ErrBadConn) {
					t.Fatalf("cut %d: %v, want the loss of the connection", i, err)
				}
				<-hit
				if got := word(t, db, "select (to_regclass('made') is null and to_regclass('item') is not null)"); got != "true" {
					t.Errorf("cut %d: the statement was run all the same, or twice", i)
				}
			}
			if err := f.run(t.Context(), db); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestADeadConnectionOfThePoolIsReplaced ends the idle connection of a pool: nothing has been sent, so another one does it.
func TestADeadConnectionOfThePoolIsReplaced(t *testing.T) {
	t.Parallel()
	killer := openDB(t)
	db := reopen(t, killer, func(*driver.Config) {})
	db.SetMaxOpenConns(1)
	for name, fn := range map[string]func() (bool, error){
		"CreateSchema": func() (bool, error) {
			return admin.CreateSchema(t.Context(), db, "app", admin.SchemaOptions{IfNotExists: true})
		},
		"DropSchema": func() (bool, error) { return admin.DropSchema(t.Context(), db, "none", admin.DropOptions{}) },
	} {
		pid := word(t, db, "select pg_backend_pid()")
		mustExec(t, killer, "select pg_terminate_backend("+pid+", 10000)")
		if _, err := fn(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestACancelledBuildLeavesNoIndex holds up a concurrent build by an open transaction, and cancels it.
func TestACancelledBuildLeavesNoIndex(t *testing.T) {
	t.Parallel()
	db := reopen(t, openDB(t), func(cfg *driver.Config) { cfg.CancelTimeout = time.Minute }) // else the server may still build it
	mustExec(t, db, "create table item (id int)")
	holder := begin(t, db)
	mustExec(t, holder, "insert into item values (1)")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := admin.CreateIndexConcurrently(ctx, db, "item", admin.Keys("id"), admin.IndexOptions{})
		done <- err
	}()
	awaitLock(t, db)
	cancel()
	awaitLockEnd(t, db)
	holder.Rollback() // the drop waits for it as well
	if err := <-done; !errors.Is(err, context.Canceled) || sqlState(err) != "57014" {
		t.Errorf("error = %v", err)
	}
	if left := must(admin.ListIndexes(t.Context(), db, "item"))(t); len(left) != 0 {
		t.Errorf("left behind: %+v", left)
	}
}

// awaitLockEnd waits until the build of an index has been cancelled.
func awaitLockEnd(t *testing.T, q ext.Querier) {
	t.Helper()
	for t.Context().Err() == nil {
		if word(t, q, "select count(*) from pg_stat_activity where datname = current_database() and query like 'create index%' and state = 'active'") == "0" {
			return
		}
	}
}

func TestACancelledStatementLeavesTheConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int)")
	conn := one(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := admin.DropTable(ctx, conn, "item", admin.DropOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if _, err := admin.TableInfo(ctx, conn, "item"); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	verdict(t, "DropTable", true)(admin.DropTable(t.Context(), conn, "item", admin.DropOptions{}))
}
