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

var errUser = errors.New("the function's own error")

// items makes a database with a table item, which the tests of transactions fill.
func items(t testing.TB) *sql.DB {
	t.Helper()
	db := openDB(t)
	mustExec(t, db, "create table item (n int primary key)")
	return db
}

// stored is what the table holds, "1 2 3".
func stored(t testing.TB, q ext.Querier) string {
	t.Helper()
	return word(t, q, "select coalesce(string_agg(n::text, ' ' order by n), '') from item")
}

// insert returns a function for InTx that inserts a row and returns err.
func insert(t testing.TB, n int, err error) func(*ext.Tx) error {
	return func(tx *ext.Tx) error {
		mustExec(t, tx, "insert into item values ($1)", n)
		return err
	}
}

// onOutermost runs a subtest on each kind of handle that begins transactions.
func onOutermost(t *testing.T, test func(t *testing.T, db *sql.DB, q ext.Querier)) {
	t.Helper()
	t.Run("DB", func(t *testing.T) { db := items(t); test(t, db, db) })
	t.Run("Conn", func(t *testing.T) { db := items(t); test(t, db, one(t, db)) })
	t.Run("embedded DB", func(t *testing.T) { db := items(t); test(t, db, struct{ *sql.DB }{db}) })
	t.Run("wrapping driver", func(t *testing.T) { db := items(t); test(t, db, wrap(t, db)) })
	t.Run("Conn of a wrapping driver", func(t *testing.T) { db := items(t); test(t, db, one(t, wrap(t, db))) })
}

func TestInTxCommitsWhatSucceeds(t *testing.T) {
	t.Parallel()
	onOutermost(t, func(t *testing.T, db *sql.DB, q ext.Querier) {
		if err := ext.InTx(t.Context(), q, ext.TxOptions{}, insert(t, 1, nil)); err != nil {
			t.Error(err)
		}
		if err := ext.InTx(t.Context(), q, ext.TxOptions{}, insert(t, 2, errUser)); err != errUser {
			t.Errorf("error = %v, want the function's as it is", err)
		}
		if err := ext.InTx(t.Context(), q, ext.TxOptions{ForceRollback: true}, insert(t, 3, nil)); err != nil {
			t.Error(err)
		}
		func() {
			defer func() {
				if p := recover(); p != "oh" {
					t.Errorf("panic = %v, want that of the function", p)
				}
			}()
			ext.InTx(t.Context(), q, ext.TxOptions{}, func(tx *ext.Tx) error {
				mustExec(t, tx, "insert into item values (4)")
				panic("oh")
			})
		}()
		if got := stored(t, q); got != "1" {
			t.Errorf("stored: %s, want 1", got)
		}
	})
}

// configOf is the configuration of a pool of the driver.
func configOf(t testing.TB, db *sql.DB) *driver.Config {
	t.Helper()
	var cfg *driver.Config
	_, err := driver.Do(context.Background(), db, "config", func(_ context.Context, c *driver.Conn) (int64, error) {
		cfg = c.Connector().Config()
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// dsnOf is the address of a pool's database.
func dsnOf(t testing.TB, db *sql.DB) string {
	t.Helper()
	return sqltest.Server(t).TCP(configOf(t, db).Database)
}

// logged returns another pool on the database of db, and what it has sent so far.
func logged(t testing.TB, db *sql.DB) (*sql.DB, func() []string) {
	t.Helper()
	var log []string
	cfg := configOf(t, db)
	cfg.OnQueryStart = func(ctx context.Context, q driver.QueryStart) context.Context {
		log = append(log, q.SQL)
		return ctx
	}
	logging := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { logging.Close() })
	return logging, func() []string {
		all := log
		log = nil
		return all
	}
}

func TestExplicitCommitAndRollbackAreRefused(t *testing.T) {
	t.Parallel()
	db := items(t)
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		mustExec(t, tx, "insert into item values (1)")
		if err := tx.Commit(); !errors.Is(err, ext.ErrExplicitCommit) {
			t.Errorf("Commit = %v", err)
		}
		if err := tx.Rollback(); !errors.Is(err, ext.ErrExplicitCommit) {
			t.Errorf("Rollback = %v", err)
		}
		return nil
	})
	if got := stored(t, db); err != nil || got != "1" {
		t.Errorf("stored: %s, %v", got, err)
	}
}

func TestFailureThatWasNotReturnedIsFoundByCommit(t *testing.T) {
	t.Parallel()
	db := items(t)
	fail := func(tx *ext.Tx) error {
		mustExec(t, tx, "insert into item values (1)")
		tx.ExecContext(t.Context(), "select 1/0")
		return nil
	}
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, fail)
	if !errors.Is(err, driver.ErrCommitRolledBack) || sqlState(err) != "22012" {
		t.Errorf("InTx = %v, want ErrCommitRolledBack and why", err)
	}
	err = ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		if err := ext.InTx(t.Context(), tx, ext.TxOptions{}, fail); !errors.Is(err, driver.ErrCommitRolledBack) || !strings.Contains(err.Error(), "22012") {
			t.Errorf("nested InTx = %v, want ErrCommitRolledBack and why", err)
		}
		mustExec(t, tx, "insert into item values (2)")
		return nil
	})
	if got := stored(t, db); err != nil || got != "2" {
		t.Errorf("stored: %s, %v", got, err)
	}
}

func TestEndOfTheContextRollsBack(t *testing.T) {
	t.Parallel()
	cause := errors.New("the cause")
	onOutermost(t, func(t *testing.T, db *sql.DB, q ext.Querier) {
		for _, result := range []error{nil, errUser} {
			ctx, cancel := context.WithCancelCause(t.Context())
			err := ext.InTx(ctx, q, ext.TxOptions{}, func(tx *ext.Tx) error {
				mustExec(t, tx, "insert into item values (1)")
				cancel(cause)
				return result
			})
			if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || result != nil && !errors.Is(err, result) {
				t.Errorf("error = %v, want that of the context, its cause, and %v", err, result)
			}
			if got := stored(t, q); got != "" {
				t.Errorf("stored: %s", got)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := ext.InTx(t.Context(), q, ext.TxOptions{}, func(tx *ext.Tx) error {
			mustExec(t, tx, "insert into item values (2)")
			err := ext.InTx(ctx, tx, ext.TxOptions{}, func(tx *ext.Tx) error {
				mustExec(t, tx, "insert into item values (3)")
				cancel()
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the inner block = %v", err)
			}
			return nil
		})
		if got := stored(t, q); err != nil || got != "2" {
			t.Errorf("stored: %s, %v, want what is outside of the inner block", got, err)
		}
		if err := ext.InTx(ctx, q, ext.TxOptions{}, insert(t, 4, nil)); !errors.Is(err, context.Canceled) {
			t.Errorf("InTx of an ended context = %v", err)
		}
	})
}

// TestEndOfTheContextIsNotBehindTheNextStatement is about a *sql.Conn: database/sql's own rollback, of another goroutine,
// could come behind a statement that follows the transaction, and take it along.
func TestEndOfTheContextIsNotBehindTheNextStatement(t *testing.T) {
	t.Parallel()
	db := items(t)
	conn := one(t, db)
	for n := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		ext.InTx(ctx, conn, ext.TxOptions{}, func(tx *ext.Tx) error {
			tx.ExecContext(context.Background(), "select 1")
			return nil
		})
		mustExec(t, conn, "insert into item values ($1)", n)
	}
	if got := word(t, db, "select count(*) from item"); got != "100" {
		t.Errorf("%s of 100 statements behind the transactions are stored", got)
	}
}

const showMode = "select concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable'))"

func TestTransactionCharacteristics(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	tests := []struct {
		opts ext.TxOptions
		want string
	}{
		{ext.TxOptions{}, "read committed on off"},
		{ext.TxOptions{ReadOnly: &no}, "read committed off off"},
		{ext.TxOptions{ReadOnly: &no, Deferrable: &yes}, "read committed off on"},
		{ext.TxOptions{ReadOnly: &yes, Deferrable: &yes}, "read committed on on"},
		{ext.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: &no, Deferrable: &no}, "serializable off off"},
	}
	readOnly := openDB(t)
	mustExec(t, readOnly, `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`)
	fresh, _ := logged(t, readOnly)
	for name, q := range map[string]ext.Querier{"DB": fresh, "Conn": one(t, fresh), "wrapping driver": wrap(t, fresh)} {
		for _, tt := range tests {
			err := ext.InTx(t.Context(), q, tt.opts, func(tx *ext.Tx) error {
				if got := word(t, tx, showMode); got != tt.want {
					t.Errorf("%s, %+v: mode = %q, want %q", name, tt.opts, got, tt.want)
				}
				return nil
			})
			refused := name == "wrapping driver" && (tt.opts.Isolation != 0 || tt.opts.ReadOnly == &yes) // by database/sql: it has no BeginTx
			if (err != nil) != refused {
				t.Errorf("%s, %+v: %v", name, tt.opts, err)
			}
		}
	}
	db := openDB(t)
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		for _, opts := range []ext.TxOptions{{Isolation: sql.LevelSerializable}, {ReadOnly: &no}, {Deferrable: &no}} {
			if err := ext.InTx(t.Context(), tx, opts, func(*ext.Tx) error { return nil }); !errors.Is(err, ext.ErrInTransaction) {
				t.Errorf("nested with %+v = %v, want ErrInTransaction", opts, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := ext.InTx(t.Context(), db, ext.TxOptions{Isolation: sql.LevelLinearizable}, func(*ext.Tx) error { return nil }); err == nil {
		t.Error("LevelLinearizable: no error")
	}
}

func TestInTxNeedsAHandleThatBegins(t *testing.T) {
	t.Parallel()
	type otherTx struct{ ext.Querier }
	err := ext.InTx(t.Context(), otherTx{openDB(t)}, ext.TxOptions{}, func(*ext.Tx) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "ext.Savepoint") {
		t.Errorf("error = %v, want one that names ext.Savepoint", err)
	}
}

func TestTransactionsLeakNothing(t *testing.T) {
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	mustExec(t, db, "create table item (n int primary key)")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 3 {
		ext.InTx(ctx, db, ext.TxOptions{Retry: 2}, func(tx *ext.Tx) error {
			cancel()
			return nil
		})
	}
}
