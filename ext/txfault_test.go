package ext_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"slices"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// txFault is work that calls cut ahead of the message with which the connection is lost. It inserts 1 into item.
type txFault struct {
	name   string
	want   error // nil: any
	answer error // the same, when the request arrives and its answer is lost
	stored bool  // whether the row is there when the answer is lost
	run    func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error
}

// inBlocks inserts in a nested block. at is where to cut: "savepoint", "release", "rollback to", "commit", "rollback".
func inBlocks(at string, inner, outer error) func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
	return func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
		reach := func(place string) {
			if place == at {
				cut()
			}
		}
		return ext.InTx(ctx, db, ext.TxOptions{Retry: 3}, func(tx *ext.Tx) error {
			mustExec(t, tx, "insert into item values (1)")
			reach("savepoint")
			err := ext.InTx(ctx, tx, ext.TxOptions{}, func(tx *ext.Tx) error {
				reach("release")
				return inner
			})
			if err != nil {
				return err
			}
			reach("commit")
			return outer
		})
	}
}

// twoPhase prepares an insertion and commits it. It cuts ahead of a phase.
func twoPhase(cutPrepare bool) func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
	return func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		tpc, err := ext.BeginTPC(ctx, conn, newXid(t, conn))
		if err != nil {
			return err
		}
		defer tpc.Rollback()
		mustExec(t, tpc, "insert into item values (1)")
		if cutPrepare {
			cut()
		}
		p, err := tpc.Prepare(ctx)
		if err != nil {
			return err
		}
		if !cutPrepare {
			cut()
		}
		return p.Commit(ctx)
	}
}

func inSession(result error) func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
	return func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
		return ext.WithSession(ctx, db, manual, func(ctx context.Context, conn *sql.Conn) error {
			mustExec(t, conn, "insert into item values (1)")
			cut()
			return result
		})
	}
}

var txFaults = []txFault{
	{name: "savepoint", run: inBlocks("savepoint", nil, nil)},
	{name: "release", run: inBlocks("release", nil, nil)},
	{name: "rollback to", run: inBlocks("release", errUser, nil), want: errUser, answer: errUser},
	{name: "commit", run: inBlocks("commit", nil, nil), want: driver.ErrCommitUnknown, answer: driver.ErrCommitUnknown, stored: true},
	{name: "rollback", run: inBlocks("commit", nil, errUser), want: errUser, answer: errUser},
	{name: "prepare", run: twoPhase(true), want: driver.ErrCommitUnknown, answer: driver.ErrCommitUnknown},
	{name: "commit prepared", run: twoPhase(false), stored: true},
	{name: "session commit", run: inSession(nil), want: driver.ErrCommitUnknown, answer: driver.ErrCommitUnknown, stored: true},
	{name: "session rollback", run: inSession(errUser), want: errUser, answer: errUser},
	{name: "session statement", run: func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
		return ext.WithSession(ctx, db, manual, func(ctx context.Context, conn *sql.Conn) error {
			cut()
			_, err := conn.ExecContext(ctx, "insert into item values (1)")
			return err
		})
	}},
	{name: "session restore", run: func(ctx context.Context, t *testing.T, db *sql.DB, cut func()) error {
		return ext.WithSession(ctx, db, ext.SessionOptions{Deferrable: new(bool)}, func(context.Context, *sql.Conn) error {
			cut()
			return errUser
		})
	}, want: errUser, answer: errUser},
}

func TestCutTransactions(t *testing.T) {
	t.Parallel()
	for _, f := range txFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for _, side := range []sqltest.Side{sqltest.Frontend, sqltest.Backend} {
				direct := items(t)
				fault := sqltest.Server(t).Fault(t)
				db, err := sql.Open("pycopg", fault.DSN(dsnOf(t, direct)))
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				db.SetMaxOpenConns(1) // what leaks, blocks
				mustExec(t, db, "select 1")
				var hit <-chan struct{}
				err = f.run(t.Context(), t, db, func() { hit = fault.On(sqltest.Rule{Side: side, Type: sqltest.AnyMessage}) })
				want := f.want
				if side == sqltest.Backend {
					want = f.answer
				}
				if err == nil || errors.Is(err, sqldriver.ErrBadConn) || want != nil && !errors.Is(err, want) {
					t.Errorf("cut at the %v: %v, want %v", side, err, want)
				}
				<-hit
				settle(t, direct)
				wantStored := ""
				if f.stored && side == sqltest.Backend {
					wantStored = "1"
				}
				left := waiting(t, direct)
				if got := stored(t, db); got != wantStored && len(left) == 0 {
					t.Errorf("cut at the %v: stored %q, want %q", side, got, wantStored)
				}
				for _, p := range left { // the second phase can be had again
					if err := ext.CommitPrepared(t.Context(), db, p.Xid); err != nil || stored(t, db) != "1" {
						t.Errorf("cut at the %v: the second phase = %v", side, err)
					}
				}
				mustExec(t, db, "delete from item")
				if err := f.run(t.Context(), t, db, func() {}); err != nil && !errors.Is(err, errUser) {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

// settle waits until the other sessions of the database have ended their work.
func settle(t *testing.T, db *sql.DB) {
	t.Helper()
	for range 1000 {
		if word(t, db, "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'") == "0" {
			return
		}
		mustExec(t, db, "select pg_sleep(0.005)")
	}
	t.Fatal("a session does not end")
}

func TestRetryDoesNotRepeatACommitOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	direct := items(t)
	fault := sqltest.Server(t).Fault(t)
	db, err := sql.Open("pycopg", fault.DSN(dsnOf(t, direct)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs := 0
	err = ext.InTx(t.Context(), db, ext.TxOptions{Retry: 5}, func(tx *ext.Tx) error {
		runs++
		mustExec(t, tx, "insert into item values ($1)", runs)
		fault.On(sqltest.Rule{Side: sqltest.Backend, Type: sqltest.AnyMessage})
		return nil
	})
	settle(t, direct)
	if got := stored(t, direct); !errors.Is(err, driver.ErrCommitUnknown) || runs != 1 || !slices.Contains([]string{"", "1"}, got) {
		t.Errorf("%d runs, stored %q, %v", runs, got, err)
	}
}
