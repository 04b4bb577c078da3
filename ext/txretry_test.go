package ext_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// stateError is an error of a server, as all PostgreSQL drivers have them.
type stateError string

func (e stateError) Error() string    { return "server: " + string(e) }
func (e stateError) SQLState() string { return string(e) }

// inMemory is a driver without a server, for tests in virtual time.
type inMemory struct{ commits *int }

func (d inMemory) Connect(context.Context) (sqldriver.Conn, error) { return d, nil }
func (inMemory) Driver() sqldriver.Driver                          { return nil }
func (inMemory) Prepare(string) (sqldriver.Stmt, error)            { return nil, errors.New("no statements") }
func (inMemory) Close() error                                      { return nil }
func (d inMemory) Begin() (sqldriver.Tx, error)                    { return d, nil }
func (d inMemory) Commit() error                                   { *d.commits++; return nil }
func (inMemory) Rollback() error                                   { return nil }

func TestRetryOfConflicts(t *testing.T) {
	t.Parallel()
	conflict := fmt.Errorf("wrapped: %w", stateError("40001"))
	tests := []struct {
		name  string
		retry int
		fail  func(run int) error
		runs  int
		ok    bool
	}{
		{"none", 0, func(int) error { return conflict }, 1, false},
		{"until it succeeds", 5, func(run int) error {
			if run < 3 {
				return conflict
			}
			return nil
		}, 3, true},
		{"a deadlock", 1, func(run int) error {
			if run < 2 {
				return errors.Join(errUser, stateError("40P01"))
			}
			return nil
		}, 2, true},
		{"not for ever", 4, func(int) error { return conflict }, 5, false},
		{"not of other errors", 4, func(int) error { return stateError("23505") }, 1, false},
		{"not of an unknown outcome", 4, func(int) error { return fmt.Errorf("%w: %w", driver.ErrCommitUnknown, conflict) }, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				commits, runs := 0, 0
				db := sql.OpenDB(inMemory{&commits})
				defer db.Close()
				start := time.Now()
				err := ext.InTx(t.Context(), db, ext.TxOptions{Retry: tt.retry, RetryDelay: time.Second}, func(tx *ext.Tx) error {
					runs++
					return tt.fail(runs)
				})
				if (err == nil) != tt.ok || runs != tt.runs || commits == 0 == tt.ok {
					t.Errorf("%d runs, %d commits, %v; want %d runs", runs, commits, err, tt.runs)
				}
				if waited := time.Since(start); waited > time.Duration(tt.runs-1)*2*time.Second || waited == 0 && tt.runs > 1 {
					t.Errorf("%d runs waited %v", runs, waited)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContextAndByNoRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := sql.OpenDB(inMemory{new(int)})
		defer db.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		runs := 0
		err := ext.InTx(ctx, db, ext.TxOptions{Retry: 1 << 30, RetryDelay: time.Minute}, func(*ext.Tx) error {
			runs++
			return stateError("40001")
		})
		if !errors.Is(err, context.DeadlineExceeded) || sqlState(err) != "40001" {
			t.Errorf("error = %v, want the last conflict and the end of the context", err)
		}
		runs = 0
		err = ext.InTx(t.Context(), db, ext.TxOptions{Retry: 5}, func(tx *ext.Tx) error {
			runs++
			tx.NoRetry()
			return stateError("40001")
		})
		if sqlState(err) != "40001" || runs != 1 {
			t.Errorf("NoRetry: %d runs, %v", runs, err)
		}
	})
}

// TestRetryOfARealConflict lets another transaction write between the reads and writes of the first run.
func TestRetryOfARealConflict(t *testing.T) {
	t.Parallel()
	onOutermost(t, func(t *testing.T, db *sql.DB, q ext.Querier) {
		mustExec(t, db, "insert into item values (1)")
		runs := 0
		err := ext.InTx(t.Context(), q, ext.TxOptions{Retry: 3, RetryDelay: 1}, func(tx *ext.Tx) error {
			runs++
			mustExec(t, tx, "set transaction isolation level serializable")
			if stored(t, tx); runs == 1 {
				mustExec(t, db, "update item set n = n + 10")
			}
			return ext.InTx(t.Context(), tx, ext.TxOptions{Retry: 3}, func(tx *ext.Tx) error {
				_, err := tx.ExecContext(t.Context(), "update item set n = n + 1")
				return err
			})
		})
		if got := stored(t, db); err != nil || runs != 2 || got != "12" {
			t.Errorf("%d runs, stored %s, %v", runs, got, err)
		}
	})
}
