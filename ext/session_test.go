package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// onPools runs a subtest on a pool of one connection, of the driver and of a wrapping driver.
func onPools(t *testing.T, test func(t *testing.T, db *sql.DB)) {
	t.Helper()
	t.Run("DB", func(t *testing.T) { db := items(t); db.SetMaxOpenConns(1); test(t, db) })
	t.Run("wrapping driver", func(t *testing.T) {
		db := wrap(t, items(t))
		db.SetMaxOpenConns(1)
		test(t, db)
	})
}

var manual = ext.SessionOptions{ManualCommit: true}

func TestSessionIsOneConnection(t *testing.T) {
	t.Parallel()
	onPools(t, func(t *testing.T, db *sql.DB) {
		err := ext.WithSession(t.Context(), db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
			mustExec(t, conn, "create temp table mine (n int)")
			mustExec(t, conn, "insert into item select 1 from mine right join (values (1)) v on true")
			mustExec(t, conn, "vacuum item") // each statement commits by itself
			return errUser
		})
		if got := stored(t, db); err != errUser || got != "1" {
			t.Errorf("stored: %s, %v", got, err)
		}
	})
}

func TestManualCommitBeginsWithTheFirstStatement(t *testing.T) {
	t.Parallel()
	onPools(t, func(t *testing.T, db *sql.DB) {
		err := ext.WithSession(t.Context(), db, manual, func(ctx context.Context, conn *sql.Conn) error {
			if err := ext.CommitSession(ctx, conn); err != nil {
				t.Errorf("commit of nothing: %v", err)
			}
			mustExec(t, conn, "insert into item values (1)")
			mustExec(t, conn, "insert into item values (2)")
			if err := ext.CommitSession(ctx, conn); err != nil {
				t.Error(err)
			}
			mustExec(t, conn, "insert into item values (3)")
			if err := ext.RollbackSession(ctx, conn); err != nil {
				t.Error(err)
			}
			if err := ext.RollbackSession(ctx, conn); err != nil {
				t.Errorf("rollback of nothing: %v", err)
			}
			mustExec(t, conn, "insert into item values (4)")
			err := ext.Savepoint(ctx, conn, "", func(context.Context) error {
				mustExec(t, conn, "insert into item values (5)")
				return ext.Rollback(nil)
			})
			if err != nil {
				t.Error(err)
			}
			return nil
		})
		if got := stored(t, db); err != nil || got != "1 2 4" {
			t.Errorf("stored: %s, %v", got, err)
		}
	})
}

func TestEndOfASessionEndsItsTransaction(t *testing.T) {
	t.Parallel()
	onPools(t, func(t *testing.T, db *sql.DB) {
		for name, opts := range map[string]ext.SessionOptions{"manual": manual, "begin": {}} {
			use := func(ctx context.Context, n int, then func(*sql.Conn) error) error {
				return ext.WithSession(ctx, db, opts, func(_ context.Context, conn *sql.Conn) error {
					if !opts.ManualCommit {
						mustExec(t, conn, "begin")
					}
					mustExec(t, conn, "insert into item values ($1)", n)
					return then(conn)
				})
			}
			if err := use(t.Context(), 1, func(*sql.Conn) error { return nil }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := use(t.Context(), 2, func(*sql.Conn) error { return errUser }); err != errUser {
				t.Errorf("%s: %v, want the function's own error", name, err)
			}
			func() {
				defer func() {
					if p := recover(); p != "oh" {
						t.Errorf("panic = %v", p)
					}
				}()
				use(t.Context(), 3, func(*sql.Conn) error { panic("oh") })
			}()
			ctx, cancel := context.WithCancel(t.Context())
			if err := use(ctx, 4, func(*sql.Conn) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want the context's error", name, err)
			}
			err := use(t.Context(), 5, func(conn *sql.Conn) error {
				conn.ExecContext(context.Background(), "select 1/0")
				return nil
			})
			if !errors.Is(err, driver.ErrCommitRolledBack) || sqlState(err) != "22012" {
				t.Errorf("%s: %v, want ErrCommitRolledBack and why", name, err)
			}
			if got := stored(t, db); got != "1" {
				t.Errorf("%s: stored: %s, want 1", name, got)
			}
			mustExec(t, db, "delete from item")
		}
	})
}

func TestSessionsDoNotNest(t *testing.T) {
	t.Parallel()
	db, other := openDB(t), openDB(t)
	nothing := func(context.Context, *sql.Conn) error { return nil }
	err := ext.WithSession(t.Context(), db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
		if err := ext.WithSession(ctx, db, ext.SessionOptions{}, nothing); !errors.Is(err, ext.ErrNestedSession) {
			t.Errorf("inside = %v, want ErrNestedSession", err)
		}
		if err := ext.WithSession(ctx, other, ext.SessionOptions{}, nothing); err != nil {
			t.Errorf("of another pool: %v", err)
		}
		return ext.WithSession(t.Context(), db, ext.SessionOptions{}, nothing)
	})
	if err != nil {
		t.Errorf("with a context of its own: %v", err)
	}
}

// TestSessionCharacteristics checks transactions and single statements, and that nothing stays.
func TestSessionCharacteristics(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	db, _ := logged(t, items(t))
	db.SetMaxOpenConns(1)
	const sources = "select string_agg(setting || ' ' || source, ', ' order by name) from pg_settings where name like 'default\\_transaction\\_%'"
	for _, before := range []string{"select 1", "set default_transaction_read_only = on; set default_transaction_isolation = 'repeatable read'"} {
		mustExec(t, db, before)
		wantMode, wantSources := word(t, db, showMode), word(t, db, sources)
		for _, manual := range []bool{false, true} {
			opts := ext.SessionOptions{ManualCommit: manual, Isolation: sql.LevelSerializable, ReadOnly: &no, Deferrable: &yes}
			err := ext.WithSession(t.Context(), db, opts, func(ctx context.Context, conn *sql.Conn) error {
				if got := word(t, conn, showMode); got != "serializable off on" {
					t.Errorf("manual %v: %s", manual, got)
				}
				if err := ext.CommitSession(ctx, conn); err != nil {
					t.Error(err)
				}
				tx := begin(t, conn)
				if got := word(t, tx, showMode); got != "serializable off on" {
					t.Errorf("manual %v, transaction: %s", manual, got)
				}
				tx.Rollback()
				if err := ext.SetSession(ctx, conn, ext.SessionOptions{ManualCommit: !manual, ReadOnly: &yes}); err != nil {
					t.Error(err)
				}
				if got := word(t, conn, "select current_setting('transaction_read_only')"); got != "on" {
					t.Errorf("manual %v, after SetSession: %s", manual, got)
				}
				if got := word(t, conn, "select current_setting('default_transaction_deferrable')"); got != "off" {
					t.Errorf("manual %v, after SetSession: deferrable is %s", manual, got)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if got := word(t, db, showMode); got != wantMode {
				t.Errorf("manual %v: left behind: %s, was %s", manual, got, wantMode)
			}
			if got := word(t, db, sources); got != wantSources {
				t.Errorf("manual %v: left behind: %s, was %s", manual, got, wantSources)
			}
		}
	}
}

func TestReadOnlySessionRefusesSingleWrites(t *testing.T) {
	t.Parallel()
	yes := true
	onPools(t, func(t *testing.T, db *sql.DB) {
		for _, manual := range []bool{false, true} {
			err := ext.WithSession(t.Context(), db, ext.SessionOptions{ManualCommit: manual, ReadOnly: &yes}, func(ctx context.Context, conn *sql.Conn) error {
				_, err := conn.ExecContext(ctx, "insert into item values (1)")
				return err
			})
			if sqlState(err) != "25006" {
				t.Errorf("manual %v: %v, want 25006", manual, err)
			}
			mustExec(t, db, "insert into item values ($1::bool::int)", manual)
		}
	})
}

func TestSessionChangesOnlyWhenIdle(t *testing.T) {
	t.Parallel()
	yes := true
	onPools(t, func(t *testing.T, db *sql.DB) {
		err := ext.WithSession(t.Context(), db, manual, func(ctx context.Context, conn *sql.Conn) error {
			mustExec(t, conn, "select 1")
			for _, opts := range []ext.SessionOptions{{}, manual, {ReadOnly: &yes}, {Isolation: sql.LevelSerializable, ManualCommit: true}} {
				if err := ext.SetSession(ctx, conn, opts); !errors.Is(err, ext.ErrInTransaction) || !strings.Contains(err.Error(), "INTRANS") {
					t.Errorf("%+v: %v, want ErrInTransaction", opts, err)
				}
			}
			conn.ExecContext(ctx, "select 1/0")
			if err := ext.SetSession(ctx, conn, ext.SessionOptions{}); !errors.Is(err, ext.ErrInTransaction) || !strings.Contains(err.Error(), "INERROR") {
				t.Errorf("in a failed transaction: %v", err)
			}
			if err := ext.RollbackSession(ctx, conn); err != nil {
				t.Error(err)
			}
			if err := ext.SetSession(ctx, conn, ext.SessionOptions{}); err != nil {
				t.Error(err)
			}
			mustExec(t, conn, "vacuum item")
			if err := ext.SetSession(context.Background(), conn, ext.SessionOptions{}); err == nil {
				t.Error("SetSession without the session's context: no error")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := ext.WithSession(t.Context(), db, ext.SessionOptions{Isolation: sql.LevelLinearizable}, nil); err == nil {
			t.Error("LevelLinearizable: no error")
		}
	})
}

// TestSessionSurvivesWhatIsLeftOpen leaves a *sql.Tx and rows open, for which closing the connection would wait.
func TestSessionSurvivesWhatIsLeftOpen(t *testing.T) {
	t.Parallel()
	onPools(t, func(t *testing.T, db *sql.DB) {
		err := ext.WithSession(t.Context(), db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
			tx, err := conn.BeginTx(ctx, nil)
			if err == nil {
				_, err = tx.ExecContext(ctx, "insert into item values (1)")
			}
			return errors.Join(err, errUser)
		})
		if got := stored(t, db); !errors.Is(err, errUser) || got != "" {
			t.Errorf("a transaction left open: stored %s, %v", got, err)
		}
		err = ext.WithSession(t.Context(), db, manual, func(ctx context.Context, conn *sql.Conn) error {
			mustExec(t, conn, "insert into item values (2)")
			_, err := conn.QueryContext(ctx, "select generate_series(1, 100000)") //nolint:rowserrcheck,sqlclosecheck // that is the test
			return err
		})
		if got := stored(t, db); !errors.Is(err, driver.ErrRowsOpen) || got != "" {
			t.Errorf("rows left open: stored %s, %v, want ErrRowsOpen", got, err)
		}
	})
}

func TestSessionsLeakNothing(t *testing.T) {
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	for range 3 {
		err := ext.WithSession(t.Context(), db, manual, func(ctx context.Context, conn *sql.Conn) error {
			mustExec(t, conn, "create table if not exists item (n int)")
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestTransactionHelpersOnAnotherDriver(t *testing.T) {
	t.Parallel()
	db := foreignDB(t)
	conn := one(t, db)
	wantForeign(t, "WithSession", ext.WithSession(t.Context(), db, manual, nil))
	wantForeign(t, "CommitSession", ext.CommitSession(t.Context(), conn))
	wantForeign(t, "RollbackSession", ext.RollbackSession(t.Context(), conn))
	xid, err := ext.ParseXid("x")
	if err != nil {
		t.Fatal(err)
	}
	wantForeign(t, "CommitPrepared", ext.CommitPrepared(t.Context(), conn, xid))
	other := sql.OpenDB(inMemory{new(int)})
	defer other.Close()
	tpc, err := ext.BeginTPC(t.Context(), one(t, other), xid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpc.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "does not lead to a pycopg connection") {
		t.Errorf("Prepare on another driver: %v", err)
	}
}
