package admin_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// awaitWaiting waits until n sessions of the database run a statement that begins with text and wait for a lock of that kind.
func awaitWaiting(t *testing.T, q ext.Querier, n, text, lock string) {
	t.Helper()
	await(t, q, n+" sessions wait to "+text, func() bool {
		return n == word(t, q, "select count(*) from pg_stat_activity where datname = current_database() and query like $1 || '%' and wait_event_type = 'Lock' and wait_event = $2", text, lock)
	})
}

// buildBeside builds the index item_id_idx in the background, and tells how that ended.
func buildBeside(ctx context.Context, q ext.OutsideTx, o admin.IndexOptions) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, created, err := admin.CreateIndexConcurrently(ctx, q, "item", admin.Keys("id"), o)
		if err == nil && !created {
			err = errors.New("not created")
		}
		done <- err
	}()
	return done
}

// TestACancelledBuildLeavesTheIndexOfAnotherSession has one session build an index, held up by an open transaction, and cancels
// another one that waits to build an index of that name.
func TestACancelledBuildLeavesTheIndexOfAnotherSession(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		o      admin.IndexOptions
		before bool // the first session has begun before the second one asks what exists
		hidden bool // the second session does not see what the first one does
	}{
		"begun before":            {before: true},
		"begun after":             {},
		"if not exists":           {o: admin.IndexOptions{IfNotExists: true}},
		"begun after by a hidden": {hidden: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table item (id int)")
			first, second := db, db
			if test.hidden {
				first, second = ownersOf(t, db, "item")
			}
			gate, writer := begin(t, db), begin(t, db)
			mustExec(t, writer, "insert into item values (1)")
			mustExec(t, gate, "lock table item in share update exclusive mode")

			built := buildBeside(t.Context(), first, admin.IndexOptions{})
			awaitWaiting(t, db, "1", "create index", "relation")
			if test.before {
				gate.Rollback()
				awaitWaiting(t, db, "1", "create index", "virtualxid")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cancelled := buildBeside(ctx, second, test.o)
			if !test.before {
				awaitWaiting(t, db, "2", "create index", "relation")
				gate.Rollback()
				awaitWaiting(t, db, "1", "create index", "virtualxid")
			}
			awaitWaiting(t, db, "1", "create index", "relation")

			cancel()
			if err := <-cancelled; !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "is building it") == test.before {
				t.Errorf("the second session: %v", err)
			}
			writer.Rollback()
			if err := <-built; err != nil {
				t.Errorf("the first session: %v", err)
			}
			if got := must(admin.ListIndexes(t.Context(), db, "item"))(t); len(got) != 1 || !got[0].Valid {
				t.Errorf("indexes = %+v", got)
			}
		})
	}
}

// ownersOf are two pools of users who own a table, by a role of which both are members, and know nothing of each other.
func ownersOf(t *testing.T, db *sql.DB, table string) (first, second *sql.DB) {
	t.Helper()
	owner := createRole(t, db, admin.RoleOptions{})
	mustExec(t, db, "alter table "+table+" owner to "+owner, "grant create on schema public to "+owner)
	var pools []*sql.DB
	for range 2 {
		user := createRole(t, db, admin.RoleOptions{Login: true, Password: "secret", MemberOf: []string{owner}})
		pools = append(pools, reopen(t, db, func(cfg *driver.Config) { cfg.User, cfg.Password = user, "secret" }))
	}
	return pools[0], pools[1]
}

// TestACancelledBuildLeavesWhatExistedBefore cancels a build that waits for the table, on which another build has failed.
func TestACancelledBuildLeavesWhatExistedBefore(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int)", "insert into item values (1), (1)")
	if _, err := db.Exec("create unique index concurrently item_id_idx on item (id)"); err == nil {
		t.Fatal("no error")
	}
	gate := begin(t, db)
	mustExec(t, gate, "lock table item in share update exclusive mode")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cancelled := buildBeside(ctx, db, admin.IndexOptions{})
	awaitWaiting(t, db, "1", "create index", "relation")
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if got := must(admin.ListIndexes(t.Context(), db, "item"))(t); len(got) != 1 || got[0].Valid {
		t.Errorf("indexes = %+v", got)
	}
}

// open is a pool that the test closes.
func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db := must(sql.Open("pycopg", dsn))(t)
	t.Cleanup(func() { db.Close() })
	return db
}

// TestABuildWhoseConnectionIsLostIsLeft cuts the connection of a build that is held up: the server goes on with it.
func TestABuildWhoseConnectionIsLostIsLeft(t *testing.T) {
	t.Parallel()
	fault, dsn := sqltest.Server(t).Fault(t), sqltest.DSN(t, sqltest.Options{})
	db, behind := open(t, dsn), open(t, fault.DSN(dsn))
	mustExec(t, db, "create table item (id int)")
	writer := begin(t, db)
	mustExec(t, writer, "insert into item values (1)")
	built := buildBeside(t.Context(), behind, admin.IndexOptions{})
	awaitWaiting(t, db, "1", "create index", "virtualxid")
	fault.Cut()
	if err := <-built; err == nil || !strings.Contains(err.Error(), "is building it") {
		t.Errorf("error = %v", err)
	}
	_, _, err := admin.CreateIndexConcurrently(t.Context(), db, "item", admin.Keys("id"), admin.IndexOptions{IfNotExists: true})
	if !errors.Is(err, admin.ErrInvalidIndex) || !strings.Contains(err.Error(), "is building it") {
		t.Errorf("meanwhile: %v", err)
	}
	writer.Rollback()
	await(t, db, "the server has built it", func() bool {
		return word(t, db, "select indisvalid from pg_index where indexrelid = 'item_id_idx'::regclass") == "true"
	})
}

// TestAFailedBuildLeavesNoIndex lets a build fail on its rows.
func TestAFailedBuildLeavesNoIndex(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int)", "insert into item values (1), (1)")
	fails := func(t *testing.T, q ext.OutsideTx, o admin.IndexOptions) {
		o.Unique = true
		if _, _, err := admin.CreateIndexConcurrently(t.Context(), q, "item", admin.Keys("id"), o); sqlState(err) != "23505" {
			t.Errorf("error = %v", err)
		}
		if left := must(admin.ListIndexes(t.Context(), db, "item"))(t); len(left) != 0 {
			t.Errorf("left behind: %+v", left)
			mustExec(t, db, "drop index item_id_idx")
		}
	}
	for name, o := range map[string]admin.IndexOptions{"strictly": {}, "if not exists": {IfNotExists: true}} {
		t.Run(name, func(t *testing.T) { fails(t, db, o) })
		t.Run(name+" in manual commit", func(t *testing.T) {
			err := ext.WithSession(t.Context(), db, ext.SessionOptions{ManualCommit: true}, func(_ context.Context, conn *sql.Conn) error {
				fails(t, conn, o)
				fails(t, conn, o) // no transaction is left open
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
