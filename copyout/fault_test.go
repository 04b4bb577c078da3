package copyout_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/sqltest"
)

// unloaders read many rows in every way.
var unloaders = map[string]func(ctx context.Context, db *sql.DB) error{
	"CSV": func(ctx context.Context, db *sql.DB) error {
		_, err := copyout.CSV(ctx, db, copyout.Query(manyRows), io.Discard, copyout.CSVOptions{})
		return err
	},
	"CSV to a user's writer": func(ctx context.Context, db *sql.DB) error {
		_, err := copyout.CSV(ctx, db, copyout.Query(manyRows), userWriter{io.Discard}, copyout.CSVOptions{})
		return err
	},
	"Rows": func(ctx context.Context, db *sql.DB) error {
		type row struct {
			I      int
			Repeat string
		}
		_, err := failure[row](ctx, db, copyout.Query(manyRows))
		return err
	},
	"Rows as maps": func(ctx context.Context, db *sql.DB) error {
		_, err := failure[map[string]any](ctx, db, copyout.Query(manyRows))
		return err
	},
	"Reader": func(ctx context.Context, db *sql.DB) error {
		r, err := copyout.NewReader(ctx, db, "copy ("+manyRows+") to stdout")
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	},
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	cuts := map[string]sqltest.Rule{
		"the statement": {Side: sqltest.Frontend, Type: 'Q'}, "its answer": {Side: sqltest.Backend, Type: 'H'}, "the first row": {Side: sqltest.Backend, Type: 'd'},
		"a row": {Side: sqltest.Backend, Type: 'd', Nth: 90_000}, "half a row": {Side: sqltest.Backend, Type: 'd', Nth: 5000, Do: sqltest.ActTruncate, Offset: 20},
		"the end": {Side: sqltest.Backend, Type: 'c'}, "the tag": {Side: sqltest.Backend, Type: 'C', Nth: 1},
	}
	for name, unload := range unloaders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := sqltest.DSN(t, sqltest.Options{})
			fault := sqltest.Server(t).Fault(t)
			db, err := sql.Open("pycopg", fault.DSN(dsn))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1) // what leaks, blocks
			for stage, rule := range cuts {
				mustExec(t, db, "select 1")
				hit := fault.On(rule)
				if err := unload(t.Context(), db); err == nil || errors.Is(err, sqldriver.ErrBadConn) {
					t.Fatalf("%s: %v", stage, err)
				}
				<-hit
			}
			if err := unload(t.Context(), db); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := unload(ctx, db); !errors.Is(err, context.Canceled) {
				t.Errorf("ended before: %v", err)
			}
			mustExec(t, db, "select 1")
		})
	}
}

// TestTransactionThatEndsUnderACopy ends the transaction that a COPY is in from the loop over its rows: the connection goes on.
func TestTransactionThatEndsUnderACopy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for name, end := range map[string]func(*sql.Tx, context.CancelFunc){
		"its context": func(tx *sql.Tx, cancel context.CancelFunc) {
			cancel()
			for err := error(nil); !errors.Is(err, sql.ErrTxDone); { // until database/sql has noticed
				_, err = tx.ExecContext(t.Context(), "select 1")
			}
		},
		"a ROLLBACK": func(tx *sql.Tx, _ context.CancelFunc) { tx.Rollback() },
		"a COMMIT":   func(tx *sql.Tx, _ context.CancelFunc) { tx.Commit() },
	} {
		conn := one(t, db)
		pid := word(t, conn, "select pg_backend_pid()")
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err = range copyout.Rows[int](t.Context(), tx, copyout.Query("select generate_series(1, 1000000)")) {
			if n++; n == 1 {
				end(tx, cancel)
			}
		}
		cancel()
		if err == nil || n > 500_000 {
			t.Errorf("%s: %v after %d rows", name, err, n)
		}
		if got := word(t, conn, "select pg_backend_pid()"); got != pid {
			t.Errorf("%s: process %s, want %s", name, got, pid)
		}
		conn.Close()
	}
}
