package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// TestSavepointNamesArePsycopgs is psycopg's table of what a block sends.
func TestSavepointNamesArePsycopgs(t *testing.T) {
	t.Parallel()
	db, sent := logged(t, openDB(t))
	want := func(what string, statements ...string) {
		t.Helper()
		if got := strings.Join(sent(), " | "); got != strings.Join(statements, " | ") {
			t.Errorf("%s: %s", what, got)
		}
	}
	nothing := func(*ext.Tx) error { return nil }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	check(ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		if tx.SavepointName() != "" || tx.Depth() != 1 {
			t.Errorf("outermost: savepoint %q, depth %d", tx.SavepointName(), tx.Depth())
		}
		want("outermost")
		check(ext.InTx(t.Context(), tx, ext.TxOptions{}, func(inner *ext.Tx) error {
			if inner.SavepointName() != "_pg3_2" || inner.Depth() != 2 {
				t.Errorf("nested: savepoint %q, depth %d", inner.SavepointName(), inner.Depth())
			}
			want("nested", `savepoint "_pg3_2"`)
			check(ext.InTx(t.Context(), inner, ext.TxOptions{}, nothing))
			want("in it", `savepoint "_pg3_3"`, `release savepoint "_pg3_3"`)
			check(ext.InTx(t.Context(), tx, ext.TxOptions{}, nothing)) // of the outer handle, which is in the block too
			want("in it", `savepoint "_pg3_3"`, `release savepoint "_pg3_3"`)
			return nil
		}))
		want("its end", `release savepoint "_pg3_2"`)
		if err := ext.InTx(t.Context(), tx, ext.TxOptions{Savepoint: `a"b`}, func(*ext.Tx) error { return errUser }); err != errUser {
			t.Error(err)
		}
		want("a failed one", `savepoint "a""b"`, `rollback to savepoint "a""b"; release savepoint "a""b"`)
		return nil
	}))
	check(ext.InTx(t.Context(), db, ext.TxOptions{Savepoint: "foo"}, func(tx *ext.Tx) error {
		if tx.SavepointName() != "foo" {
			t.Errorf("outermost: savepoint %q", tx.SavepointName())
		}
		return nil
	}))
	want("outermost with a name", `savepoint "foo"`)
	check(ext.InTx(t.Context(), begin(t, db), ext.TxOptions{}, nothing))
	want("in database/sql's own", `savepoint "_pg3_1"`, `release savepoint "_pg3_1"`)
}

func TestNestedBlocksRollBackOnTheirOwn(t *testing.T) {
	t.Parallel()
	onOutermost(t, func(t *testing.T, db *sql.DB, q ext.Querier) {
		err := ext.InTx(t.Context(), q, ext.TxOptions{}, func(tx *ext.Tx) error {
			mustExec(t, tx, "insert into item values (1)")
			if err := ext.InTx(t.Context(), tx, ext.TxOptions{}, insert(t, 2, errUser)); err != errUser {
				t.Error(err)
			}
			err := ext.InTx(t.Context(), tx, ext.TxOptions{}, func(tx *ext.Tx) error {
				_, err := tx.ExecContext(t.Context(), "insert into item values (3), (1)")
				return err
			})
			if sqlState(err) != "23505" {
				t.Error(err)
			}
			if err := ext.InTx(t.Context(), tx, ext.TxOptions{ForceRollback: true}, insert(t, 4, nil)); err != nil {
				t.Error(err)
			}
			func() {
				defer func() { recover() }()
				ext.InTx(t.Context(), tx, ext.TxOptions{}, func(tx *ext.Tx) error {
					mustExec(t, tx, "insert into item values (5)")
					panic("oh")
				})
			}()
			return ext.InTx(t.Context(), tx, ext.TxOptions{}, insert(t, 6, nil))
		})
		if got := stored(t, db); err != nil || got != "1 6" {
			t.Errorf("stored: %s, %v, want 1 6", got, err)
		}
	})
}

func TestRollbackUnwindsToItsBlockSilently(t *testing.T) {
	t.Parallel()
	db := items(t)
	var reached []string
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(outer *ext.Tx) error {
		mustExec(t, outer, "insert into item values (1)")
		err := ext.InTx(t.Context(), outer, ext.TxOptions{}, func(middle *ext.Tx) error {
			mustExec(t, middle, "insert into item values (2)")
			err := ext.InTx(t.Context(), middle, ext.TxOptions{}, func(inner *ext.Tx) error {
				mustExec(t, inner, "insert into item values (3)")
				return fmt.Errorf("wrapped: %w", ext.Rollback(middle))
			})
			reached = append(reached, "middle")
			return err
		})
		if err != nil {
			t.Errorf("the middle block = %v", err)
		}
		if err := ext.InTx(t.Context(), outer, ext.TxOptions{}, func(tx *ext.Tx) error {
			mustExec(t, tx, "insert into item values (4)")
			return ext.Rollback(nil)
		}); err != nil {
			t.Errorf("the innermost block = %v", err)
		}
		reached = append(reached, "outer")
		return nil
	})
	if got := stored(t, db); err != nil || got != "1" || len(reached) != 2 {
		t.Errorf("stored: %s, %v; reached %v", got, err, reached)
	}
	err = ext.InTx(t.Context(), db, ext.TxOptions{}, func(outer *ext.Tx) error {
		mustExec(t, outer, "insert into item values (5)")
		return ext.InTx(t.Context(), outer, ext.TxOptions{}, func(inner *ext.Tx) error { return ext.Rollback(outer) })
	})
	if got := stored(t, db); err != nil || got != "1" {
		t.Errorf("both: stored %s, %v", got, err)
	}
	err = ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error { return errors.Join(errUser, ext.Rollback(tx)) })
	if !errors.Is(err, errUser) {
		t.Errorf("joined with an error: %v, want it not lost", err)
	}
}

func TestEndedBlocksAreNotActive(t *testing.T) {
	t.Parallel()
	db := items(t)
	var ended, endedInner *ext.Tx
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		ended = tx
		ext.InTx(t.Context(), tx, ext.TxOptions{}, func(inner *ext.Tx) error { endedInner = inner; return nil })
		if err := ext.InTx(t.Context(), endedInner, ext.TxOptions{}, insert(t, 1, nil)); !errors.Is(err, ext.ErrTxNotActive) {
			t.Errorf("a block in an ended one = %v", err)
		}
		return ext.InTx(t.Context(), tx, ext.TxOptions{}, func(tx *ext.Tx) error { return ext.Rollback(endedInner) })
	})
	if !errors.Is(err, ext.ErrTxNotActive) {
		t.Errorf("Rollback of an ended inner block = %v", err)
	}
	if err := ext.InTx(t.Context(), ended, ext.TxOptions{}, insert(t, 1, nil)); !errors.Is(err, ext.ErrTxNotActive) {
		t.Errorf("a block in an ended transaction = %v", err)
	}
	if err := ext.Rollback(ended); !errors.Is(err, ext.ErrTxNotActive) || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("Rollback outside = %v", err)
	}
	if got := stored(t, db); got != "" {
		t.Errorf("stored: %s", got)
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

// TestBlockThatCannotBeRolledBackDoomsTheTransaction leaves rows open, behind which no statement can be sent.
func TestBlockThatCannotBeRolledBackDoomsTheTransaction(t *testing.T) {
	t.Parallel()
	db := items(t)
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		err := ext.InTx(t.Context(), tx, ext.TxOptions{}, func(tx *ext.Tx) error {
			mustExec(t, tx, "insert into item values (1)")
			rows, err := tx.QueryContext(t.Context(), "select generate_series(1, 10000)")
			if err == nil {
				t.Cleanup(func() { rows.Close() })
			}
			return errUser
		})
		if !errors.Is(err, errUser) || !errors.Is(err, driver.ErrRowsOpen) {
			t.Errorf("the block = %v, want the function's error and why it was not rolled back", err)
		}
		return nil
	})
	if got := stored(t, db); got != "" || !errors.Is(err, driver.ErrRowsOpen) {
		t.Errorf("stored: %q, %v, want nothing", got, err)
	}
}

func TestBlocksSideBySideAreRefused(t *testing.T) {
	t.Parallel()
	db := items(t)
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		inner, firstEnds := make(chan bool), make(chan error)
		go func() {
			firstEnds <- ext.InTx(t.Context(), tx, ext.TxOptions{}, func(*ext.Tx) error { inner <- true; <-inner; return nil })
		}()
		<-inner
		ext.InTx(t.Context(), tx, ext.TxOptions{}, func(*ext.Tx) error {
			inner <- true
			if err := <-firstEnds; err == nil {
				t.Error("the block that ends while one inside it is open: no error")
			}
			return nil
		})
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("error = %v", err)
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

func TestSavepointServesTransactionsOfOthers(t *testing.T) {
	t.Parallel()
	type otherTx struct{ ext.Querier }
	for _, db := range []*sql.DB{items(t), nil} {
		inner := db
		if db == nil {
			db = items(t)
			inner = wrap(t, db)
		}
		tx := begin(t, inner)
		q := otherTx{tx}
		mustExec(t, q, "insert into item values (1)")
		err := ext.Savepoint(t.Context(), q, "", func(ctx context.Context) error {
			mustExec(t, q, "insert into item values (2)")
			err := ext.Savepoint(ctx, q, "named", func(context.Context) error {
				_, err := q.ExecContext(ctx, "insert into item values (3), (1)")
				return err
			})
			if sqlState(err) != "23505" {
				t.Error(err)
			}
			return ext.Savepoint(ctx, q, "", func(context.Context) error {
				mustExec(t, q, "insert into item values (4)")
				return ext.Rollback(nil)
			})
		})
		if err != nil {
			t.Error(err)
		}
		if err := tx.Commit(); err != nil || stored(t, db) != "1 2" {
			t.Errorf("stored: %s, %v", stored(t, db), err)
		}
		err = ext.Savepoint(t.Context(), inner, "", func(context.Context) error { t.Error("ran outside of a transaction"); return nil })
		if sqlState(err) != "25P01" {
			t.Errorf("outside of a transaction: %v", err)
		}
	}
}

func TestSavepointOfATxIsABlockOfIt(t *testing.T) {
	t.Parallel()
	db := items(t)
	err := ext.InTx(t.Context(), db, ext.TxOptions{}, func(tx *ext.Tx) error {
		mustExec(t, tx, "insert into item values (1)")
		err := ext.Savepoint(t.Context(), tx, "s", func(context.Context) error {
			mustExec(t, tx, "insert into item values (2)")
			return ext.Rollback(tx)
		})
		if err == nil {
			t.Error("Rollback of the outer block ended in Savepoint")
		}
		return err
	})
	if got := stored(t, db); err != nil || got != "" {
		t.Errorf("stored: %s, %v", got, err)
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
