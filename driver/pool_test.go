package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestLeakedTransactionFreesItsLocksWithoutReuse(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, other := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	mustExec(t, other, "create table item (n int); insert into item values (1)")
	for _, leave := range []string{"update item set n = 2", "select 1/0"} {
		conn := one(t, db)
		pid := backendPID(t, conn)
		mustExec(t, conn, "begin; lock table item")
		conn.ExecContext(t.Context(), leave)
		conn.Close()
		// The connection idles in its pool: only what was sent on its return can free the lock.
		mustExec(t, other, "set lock_timeout = '10s'; select * from item")
		if n := number(t, other, "select n from item"); n != 1 {
			t.Errorf("n = %d, want the change rolled back", n)
		}
		again := one(t, db)
		inside(t, again, func(_ context.Context, c *driver.Conn) {
			if c.TxStatus() != 'I' {
				t.Errorf("the connection comes back in state %c", c.TxStatus())
			}
		})
		if got := backendPID(t, again); got != pid {
			t.Errorf("the connection was replaced: backend %d instead of %d", got, pid)
		}
		again.Close()
	}
}

func TestResetNoneLeavesTheTransactionOpen(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Reset = driver.ResetNone })
	db.SetMaxOpenConns(1)
	mustExec(t, db, "begin; create table item (n int)")
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		if c.TxStatus() != 'T' {
			t.Errorf("state %c, want T", c.TxStatus())
		}
	})
	mustExec(t, db, "rollback")
}

func TestResetPolicies(t *testing.T) {
	t.Parallel()
	for _, policy := range []driver.ResetPolicy{driver.ResetTx, driver.ResetSession, driver.ResetDiscard} {
		db := openConfig(t, func(cfg *driver.Config) { cfg.Reset = policy })
		db.SetMaxOpenConns(1)
		path := word(t, db, "show search_path")
		pid := backendPID(t, db)
		mustExec(t, db, "set extra_float_digits = 0; set role pg_monitor; listen x; select pg_advisory_lock(hashtext('"+path+"'))")
		mustExec(t, db, "create temp table if not exists scratch (n int)")
		kept := policy == driver.ResetTx
		checks := map[string]bool{
			"select (current_setting('extra_float_digits') = '0')::int":                                      kept,
			"select (current_user = 'pg_monitor')::int":                                                      kept,
			"select count(*) from pg_listening_channels()":                                                   kept,
			"select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()":           kept,
			"select count(*) from pg_class where relname = 'scratch' and relnamespace = pg_my_temp_schema()": policy != driver.ResetDiscard,
			"select (current_setting('search_path') = '" + path + "')::int":                                  true,
		}
		for query, want := range checks {
			if got := number(t, db, query) == 1; got != want {
				t.Errorf("reset=%s: %s is %v, want %v", policy, query, got, want)
			}
		}
		if got := backendPID(t, db); got != pid {
			t.Errorf("reset=%s: the connection was replaced", policy)
		}
	}
}

func TestBrokenConnectionsDoNotComeBack(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	before := backendPID(t, db)
	if _, err := db.ExecContext(t.Context(), "select pg_terminate_backend(pg_backend_pid())"); sqlState(err) != "57P01" {
		t.Fatalf("suicide = %v, want 57P01", err)
	}
	if n := db.Stats().OpenConnections; n != 0 {
		t.Errorf("%d connections in the pool, want the broken one gone at once", n)
	}
	if after := backendPID(t, db); after == before {
		t.Error("the same backend again")
	}
}

func TestConnectionKilledWhileIdleIsReplacedUnseen(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	admin := openSpace(t, s, "", nil)
	mustExec(t, admin, "create sequence s")
	uses := map[string]func(*testing.T, *sql.DB){
		"Exec":      func(t *testing.T, db *sql.DB) { mustExec(t, db, "select nextval('s')") },
		"arguments": func(t *testing.T, db *sql.DB) { mustExec(t, db, "select nextval('s') where $1 = 1", 1) },
		"Begin": func(t *testing.T, db *sql.DB) {
			tx := begin(t, db)
			mustExec(t, tx, "select nextval('s')")
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
		},
		"Prepare": func(t *testing.T, db *sql.DB) {
			stmt, err := db.PrepareContext(t.Context(), "select nextval('s')")
			if err != nil {
				t.Fatal(err)
			}
			defer stmt.Close()
			if _, err := stmt.ExecContext(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"Ping": func(t *testing.T, db *sql.DB) {
			if err := db.PingContext(t.Context()); err != nil {
				t.Error(err)
			}
			mustExec(t, db, "select nextval('s')")
		},
		"Do": func(t *testing.T, db *sql.DB) {
			inside(t, db, func(ctx context.Context, c *driver.Conn) {
				if _, err := c.ExecContext(ctx, "select nextval('s')", nil); err != nil {
					t.Error(err)
				}
			})
		},
	}
	var used int64
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			db := openSpace(t, s, "", nil)
			db.SetMaxOpenConns(1)
			for range 5 {
				terminate(t, admin, backendPID(t, db))
				use(t, db)
				used++
			}
		})
	}
	if n := executions(t, admin, "s"); n != used {
		t.Errorf("%d executions of %d statements", n, used)
	}
}

func TestBackendKilledMidStatementIsNotRetried(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	mustExec(t, admin, "create sequence s")
	calls := map[string]func(*sql.Conn) error{
		"Exec": func(c *sql.Conn) error {
			_, err := c.ExecContext(t.Context(), "select nextval('s'), pg_sleep(60)")
			return err
		},
		"Query": func(c *sql.Conn) error {
			return c.QueryRowContext(t.Context(), "select nextval('s'), pg_sleep(60) where $1 = 1", 1).Scan(new(int), new(any))
		},
		"several": func(c *sql.Conn) error {
			_, err := c.ExecContext(t.Context(), "select nextval('s'); select pg_sleep(60)")
			return err
		},
		"*sql.Stmt": func(c *sql.Conn) error {
			stmt, err := c.PrepareContext(t.Context(), "select nextval('s'), pg_sleep(60)")
			if err == nil {
				_, err = stmt.ExecContext(t.Context())
			}
			return err
		},
	}
	var called int64
	for name, call := range calls {
		called++
		conn := one(t, db)
		pid := backendPID(t, conn)
		result := make(chan error, 1)
		go func() { result <- call(conn) }()
		sleeping(t, admin, pid)
		mustExec(t, admin, "select pg_terminate_backend($1)", pid)
		err := <-result
		if sqlState(err) != "57P01" {
			t.Errorf("%s: %v, want 57P01", name, err)
		}
		if n := executions(t, admin, "s"); n != called {
			t.Errorf("%s: %d executions after %d calls", name, n, called)
		}
		conn.Close()
	}
}

func TestConnectionKilledInsideATransaction(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	tx := begin(t, db)
	terminate(t, admin, backendPID(t, tx))
	if _, err := tx.ExecContext(t.Context(), "select 1"); sqlState(err) != "57P01" {
		t.Errorf("first statement: %v, want 57P01", err)
	}
	_, err := tx.ExecContext(t.Context(), "select 1")
	if sqlState(err) != "57P01" {
		t.Errorf("second statement: %v, want 57P01 named as the cause", err)
	}
	if err := tx.Commit(); !errors.Is(err, driver.ErrCommitRolledBack) || sqlState(err) != "57P01" {
		t.Errorf("Commit = %v, want ErrCommitRolledBack: nothing was sent", err)
	}
	tx = begin(t, db)
	terminate(t, admin, backendPID(t, tx))
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback = %v, want nil: the server has rolled back", err)
	}
}
