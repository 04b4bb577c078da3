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
)

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
