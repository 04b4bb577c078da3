package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"testing"
)

// Tx begins a transaction that is rolled back when the test ends, so that nothing of what the test does stays. Tests that share a
// database may each have one. A test that commits it, or rolls it back, fails: use [DB] for code that ends transactions by itself.
// (ext.InTx on it is a savepoint.)
func Tx(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil) // t.Context ends before the cleanup
	if err != nil {
		t.Fatalf("sqltest: begin: %v", err)
	}
	t.Cleanup(func() {
		switch err := tx.Rollback(); {
		case errors.Is(err, sql.ErrTxDone):
			t.Errorf("sqltest: the test has ended the transaction of Tx")
		case err != nil:
			t.Errorf("sqltest: roll back: %v", err)
		}
	})
	return tx
}
