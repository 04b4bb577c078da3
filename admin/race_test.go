package admin_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

// atOnce runs a function on several connections at a time, and returns how often it said that it had done something.
func atOnce(t *testing.T, n int, fn func() (bool, error)) (done int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	start := make(chan struct{})
	for range n {
		group.Go(func() {
			<-start
			ok, err := fn()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ok {
				done++
			}
		})
	}
	close(start)
	group.Wait()
	return done
}

func TestOneOfManySessionsCreatesAndOneDrops(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	db.SetMaxOpenConns(6)
	role := newRole(t, db)
	column := []admin.ColumnDef{{Name: "id", Type: "bigint", PrimaryKey: true}}
	for name, pair := range map[string][2]func() (bool, error){
		"schema": {
			func() (bool, error) {
				return admin.CreateSchema(ctx, db, "app", admin.SchemaOptions{IfNotExists: true})
			},
			func() (bool, error) { return admin.DropSchema(ctx, db, "app", admin.DropOptions{}) },
		},
		"table": {
			func() (bool, error) {
				return admin.CreateTable(ctx, db, "t", column, admin.TableOptions{IfNotExists: true})
			},
			func() (bool, error) { return admin.DropTable(ctx, db, "t", admin.DropOptions{}) },
		},
		"role": {
			func() (bool, error) {
				return admin.CreateRole(ctx, db, role, admin.RoleOptions{IfNotExists: true})
			},
			func() (bool, error) { return admin.DropRole(ctx, db, role, admin.DropRoleOptions{}) },
		},
	} {
		for range 5 {
			if n := atOnce(t, 6, pair[0]); n != 1 {
				t.Errorf("%s: %d sessions created it", name, n)
			}
			if n := atOnce(t, 6, pair[1]); n != 1 {
				t.Errorf("%s: %d sessions dropped it", name, n)
			}
		}
	}
}

// awaitLock waits until a session of the database waits for a lock.
func awaitLock(t *testing.T, q ext.Querier) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if word(t, q, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") != "0" {
			return
		}
	}
	t.Fatal("no session waits for a lock")
}

func TestATransactionOutlivesALostRace(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(ctx context.Context, q ext.Querier) (bool, error){
		"create": func(ctx context.Context, q ext.Querier) (bool, error) {
			return admin.CreateTable(ctx, q, "made", []admin.ColumnDef{{Name: "a", Type: "int"}}, admin.TableOptions{IfNotExists: true})
		},
		"drop": func(ctx context.Context, q ext.Querier) (bool, error) {
			return admin.DropTable(ctx, q, "old", admin.DropOptions{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table old ()")
			first, second := begin(t, db), begin(t, db)
			verdict(t, "the first", true)(fn(t.Context(), first))
			lost := make(chan error)
			go func() {
				done, err := fn(t.Context(), second)
				if done {
					err = errors.Join(err, errors.New("the second session did it too"))
				}
				lost <- err
			}()
			awaitLock(t, db)
			if err := first.Commit(); err != nil {
				t.Error(err)
			}
			if err := <-lost; err != nil {
				t.Error(err)
			}
			mustExec(t, second, "create table behind ()")
			if err := second.Commit(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFailedTransactionIsToldSo(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	if _, err := tx.Exec("select 1/0"); err == nil {
		t.Fatal("no error")
	}
	if _, err := admin.DropTable(t.Context(), tx, "t", admin.DropOptions{}); sqlState(err) != "25P02" {
		t.Errorf("DropTable: %v", err)
	}
}

func TestAConnectionInATransactionIsRefusedWhatNoTransactionHolds(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int)")
	conn := one(t, db)
	mustExec(t, conn, "begin")
	ctx := t.Context()
	for name, fn := range map[string]func() error{
		"CreateDatabase": func() error { _, err := admin.CreateDatabase(ctx, conn, "x", admin.DatabaseOptions{}); return err },
		"CreateDatabase if not exists": func() error {
			_, err := admin.CreateDatabase(ctx, conn, "x", admin.DatabaseOptions{IfNotExists: true})
			return err
		},
		"DropDatabase": func() error { _, err := admin.DropDatabase(ctx, conn, "x", admin.DropDatabaseOptions{}); return err },
		"CreateIndexConcurrently": func() error {
			_, _, err := admin.CreateIndexConcurrently(ctx, conn, "t", admin.Keys("a"), admin.IndexOptions{})
			return err
		},
		"DropIndexConcurrently": func() error { _, err := admin.DropIndexConcurrently(ctx, conn, "t_a_idx"); return err },
	} {
		if err := fn(); !errors.Is(err, ext.ErrInTransaction) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustExec(t, conn, "select 1", "rollback")
}

func TestASessionInManualCommitCreatesIndexesConcurrently(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a int)")
	err := ext.WithSession(t.Context(), db, ext.SessionOptions{ManualCommit: true}, func(ctx context.Context, conn *sql.Conn) error {
		_, created, err := admin.CreateIndexConcurrently(ctx, conn, "t", admin.Keys("a"), admin.IndexOptions{IfNotExists: true})
		if !created {
			t.Error("not created")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
