package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// newXid returns an Xid of this test's own: prepared transactions are the whole server's.
func newXid(t testing.TB, db ext.Querier) ext.Xid {
	t.Helper()
	xid, err := ext.NewXid(1, word(t, db, "select current_database()"), word(t, db, "select gen_random_uuid()"))
	if err != nil {
		t.Fatal(err)
	}
	return xid
}

// prepared inserts a row in a two-phase transaction and prepares it.
func prepared(t testing.TB, conn *sql.Conn, xid ext.Xid, n int) *ext.PreparedTPC {
	t.Helper()
	tpc, err := ext.BeginTPC(t.Context(), conn, xid)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tpc, "insert into item values ($1)", n)
	p, err := tpc.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// waiting returns the prepared transactions of the database.
func waiting(t testing.TB, db *sql.DB) []ext.Prepared {
	t.Helper()
	all, err := ext.RecoverPrepared(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	name := word(t, db, "select current_database()")
	return slices.DeleteFunc(all, func(p ext.Prepared) bool { return p.Database != name })
}

// onConns runs a subtest on a connection of the driver and on one of a wrapping driver.
func onConns(t *testing.T, test func(t *testing.T, db *sql.DB, conn *sql.Conn)) {
	t.Helper()
	t.Run("Conn", func(t *testing.T) { db := items(t); test(t, db, one(t, db)) })
	t.Run("Conn of a wrapping driver", func(t *testing.T) { db := items(t); test(t, db, one(t, wrap(t, db))) })
}

func TestTwoPhaseCommit(t *testing.T) {
	t.Parallel()
	onConns(t, func(t *testing.T, db *sql.DB, conn *sql.Conn) {
		xid := newXid(t, db)
		p := prepared(t, conn, xid, 1)
		if got := stored(t, db); got != "" {
			t.Errorf("stored before the second phase: %s", got)
		}
		found := waiting(t, db)
		if len(found) != 1 || found[0].Xid != xid || found[0].Owner != word(t, db, "select current_user") || time.Since(found[0].At).Abs() > time.Hour {
			t.Errorf("waiting: %+v", found)
		}
		if got := stored(t, conn); got != "" { // the connection is free for something else
			t.Errorf("stored: %s", got)
		}
		if err := p.Commit(t.Context()); err != nil || p.Xid() != xid {
			t.Error(err)
		}
		if err := p.Commit(t.Context()); !errors.Is(err, ext.ErrNotPrepared) || sqlState(err) != "42704" {
			t.Errorf("a second commit = %v, want ErrNotPrepared", err)
		}
		if err := prepared(t, conn, xid, 2).Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		if got := stored(t, db); got != "1" || len(waiting(t, db)) != 0 {
			t.Errorf("stored: %s, waiting: %v", got, waiting(t, db))
		}
	})
}

func TestOnePhaseCommit(t *testing.T) {
	t.Parallel()
	onConns(t, func(t *testing.T, db *sql.DB, conn *sql.Conn) {
		for n, end := range []func(*ext.TPC) error{(*ext.TPC).Commit, (*ext.TPC).Rollback} {
			tpc, err := ext.BeginTPC(t.Context(), conn, newXid(t, db))
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, tpc, "insert into item values ($1)", n)
			if err := end(tpc); err != nil {
				t.Error(err)
			}
			wantDone(t, tpc)
		}
		if got := stored(t, db); got != "0" {
			t.Errorf("stored: %s", got)
		}
	})
}

// wantDone checks that a two-phase transaction refuses everything.
func wantDone(t *testing.T, tpc *ext.TPC) {
	t.Helper()
	_, exec := tpc.ExecContext(t.Context(), "insert into item values (99)")
	_, query := tpc.QueryContext(t.Context(), "select 1") //nolint:rowserrcheck,sqlclosecheck // there are none
	row := tpc.QueryRowContext(t.Context(), "select 1").Err()
	_, prepare := tpc.Prepare(t.Context())
	for name, err := range map[string]error{
		"ExecContext": exec, "QueryContext": query, "QueryRowContext": row, "Prepare": prepare,
		"Commit": tpc.Commit(), "Rollback": tpc.Rollback(),
	} {
		if !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("%s of a finished transaction = %v, want ErrTxDone", name, err)
		}
	}
}

func TestNothingRunsBehindPrepare(t *testing.T) {
	t.Parallel()
	db := items(t)
	conn := one(t, db)
	tpc, err := ext.BeginTPC(t.Context(), conn, newXid(t, db))
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tpc, "insert into item values (1)")
	p, err := tpc.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantDone(t, tpc)
	if err := p.Commit(t.Context()); err != nil || stored(t, db) != "1" {
		t.Errorf("stored %s, %v", stored(t, db), err)
	}
}

// TestPreparedOutlivesItsConnection also puts odd gids into SQL text, under both string syntaxes.
func TestPreparedOutlivesItsConnection(t *testing.T) {
	t.Parallel()
	db := items(t)
	base := word(t, db, "select current_database()")
	handles := map[string]ext.OutsideTx{"DB": db, "Conn": one(t, db), "wrapping driver": wrap(t, db), "Conn of a wrapping driver": one(t, wrap(t, db))}
	for i, gid := range []string{`it's`, `back\slash'`, `1_Z3RyaWQ=_YnF1YWw=`, "é" + strings.Repeat("x", 150)} {
		for name, q := range handles {
			for _, standard := range []string{"on", "off"} {
				xid, err := ext.ParseXid(gid + base)
				if err != nil {
					t.Fatal(err)
				}
				conn := one(t, db)
				mustExec(t, conn, "set standard_conforming_strings = "+standard)
				p := prepared(t, conn, xid, i)
				mustExec(t, conn, "set standard_conforming_strings = on")
				conn.Close()
				if err := p.Commit(t.Context()); !errors.Is(err, sql.ErrConnDone) {
					t.Errorf("%s: on the closed connection: %v", name, err)
				}
				found := waiting(t, db)
				if len(found) != 1 || found[0].Xid != xid || !found[0].Xid.Foreign() {
					t.Fatalf("%s: waiting: %+v", name, found)
				}
				end := ext.RollbackPrepared
				if standard == "on" {
					end = ext.CommitPrepared
				}
				if err := end(t.Context(), q, found[0].Xid); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				mustExec(t, db, "delete from item")
			}
		}
	}
}

func TestTwoPhaseNeedsAnIdleConnection(t *testing.T) {
	t.Parallel()
	onConns(t, func(t *testing.T, db *sql.DB, conn *sql.Conn) {
		xid := newXid(t, db)
		p := prepared(t, conn, xid, 1)
		tx := begin(t, conn)
		if _, err := ext.BeginTPC(t.Context(), conn, newXid(t, db)); !errors.Is(err, ext.ErrInTransaction) || !strings.Contains(err.Error(), "INTRANS") {
			t.Errorf("BeginTPC inside a transaction = %v", err)
		}
		tx.ExecContext(t.Context(), "select 1/0")
		if err := p.Commit(t.Context()); !errors.Is(err, ext.ErrInTransaction) || !strings.Contains(err.Error(), "INERROR") {
			t.Errorf("Commit inside a failed transaction = %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if err := p.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFailedTransactionIsNotPrepared(t *testing.T) {
	t.Parallel()
	onConns(t, func(t *testing.T, db *sql.DB, conn *sql.Conn) {
		for query, want := range map[string]error{"select 1/0": driver.ErrCommitRolledBack, "create temp table x ()": nil} {
			tpc, err := ext.BeginTPC(t.Context(), conn, newXid(t, db))
			if err != nil {
				t.Fatal(err)
			}
			tpc.ExecContext(t.Context(), query)
			if _, err = tpc.Prepare(t.Context()); err == nil || want != nil && (!errors.Is(err, want) || sqlState(err) != "22012") {
				t.Errorf("%s: Prepare = %v", query, err)
			}
			wantDone(t, tpc)
			mustExec(t, conn, "select 1") // the connection is out of the transaction
		}
		if len(waiting(t, db)) != 0 {
			t.Error("something was prepared")
		}
	})
}

func TestEndOfTheContextRollsBackATwoPhaseTransaction(t *testing.T) {
	t.Parallel()
	db := items(t)
	ctx, cancel := context.WithCancel(t.Context())
	tpc, err := ext.BeginTPC(ctx, one(t, db), newXid(t, db))
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tpc, "insert into item values (1)")
	cancel()
	if _, err := tpc.Prepare(t.Context()); err == nil {
		t.Error("Prepare: no error")
	}
	if got := stored(t, db); got != "" || len(waiting(t, db)) != 0 {
		t.Errorf("stored: %s", got)
	}
}

func TestZeroXidIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	_, begin := ext.BeginTPC(t.Context(), one(t, db), ext.Xid{})
	for name, err := range map[string]error{
		"BeginTPC": begin, "CommitPrepared": ext.CommitPrepared(t.Context(), db, ext.Xid{}), "RollbackPrepared": ext.RollbackPrepared(t.Context(), db, ext.Xid{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "zero Xid") {
			t.Errorf("%s of the zero Xid: %v", name, err)
		}
	}
}

func TestServerWithoutPreparedTransactionsSaysWhatToSet(t *testing.T) {
	t.Parallel()
	server, err := sqltest.Start(t.Context(), sqltest.StartOptions{Settings: map[string]string{"max_prepared_transactions": "0"}})
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { server.Close() })
	db, err := sql.Open("pycopg", server.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	xid, err := ext.NewXid(1, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	tpc, err := ext.BeginTPC(t.Context(), one(t, db), xid)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tpc, "select 1")
	if _, err := tpc.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "max_prepared_transactions is 0") || sqlState(err) != "55000" {
		t.Errorf("Prepare = %v", err)
	}
}
