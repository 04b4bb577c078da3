package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// operation is something that a program does with a pool, with at most one effect: a row in table item.
type operation struct {
	name  string
	warm  int // how often it runs undisturbed first
	tries func(ctx context.Context, db *sql.DB) error
	clean bool // leaves no row even when all goes well
	moot  bool // changes nothing: ErrBadConn may be its error, where database/sql does not retry
	reset driver.ResetPolicy
}

func execute(query string, args ...any) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, query, args...)
		return err
	}
}

func queryAll(query string, args ...any) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, query, args...)
		if err == nil {
			_, err = readSets(rows)
		}
		return err
	}
}

func prepareAndExec(ctx context.Context, db *sql.DB) error {
	stmt, err := db.PrepareContext(ctx, "insert into item values ($1)")
	if err != nil {
		return err
	}
	defer stmt.Close()
	_, err = stmt.ExecContext(ctx, 1)
	return err
}

// transact inserts a row in a transaction that finish ends.
func transact(finish func(*sql.Tx) error) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "insert into item values ($1)", 1); err != nil {
			return err
		}
		return finish(tx)
	}
}

func earlyClose(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "insert into item values ($1) returning n", 1)
	if err != nil {
		return err
	}
	return rows.Close()
}

// copyOfOne commits after a COPY as lib/pq has it, of the one row that the transaction has stored.
func copyOfOne(tx *sql.Tx) error {
	stmt, err := tx.Prepare("copy item from stdin")
	if err != nil {
		return err
	}
	defer stmt.Close()
	if _, err := stmt.Exec(2); err != nil {
		return err
	}
	if _, err := stmt.Exec(); err != nil {
		return err
	}
	if _, err := tx.Exec("delete from item where n = 1"); err != nil {
		return err
	}
	return tx.Commit()
}

func ping(ctx context.Context, db *sql.DB) error { return db.PingContext(ctx) }

var operations = []operation{
	{name: "Exec", tries: execute("insert into item values (1)")},
	{name: "Exec with arguments", tries: execute("insert into item values ($1)", 1)},
	{name: "Exec prepared", tries: execute("insert into item values ($1)", 1), warm: 7},
	{name: "Exec known", tries: execute("insert into item values ($1)", 1), warm: 2},
	{name: "Exec of several", tries: execute("select 1; insert into item values (1); select 2")},
	{name: "Query", tries: queryAll("insert into item values ($1) returning n", 1)},
	{name: "Query prepared", tries: queryAll("insert into item values ($1) returning n", 1), warm: 7},
	{name: "Query of several", tries: queryAll("select 1; insert into item values (1) returning n; select 2")},
	{name: "Rows closed early", tries: earlyClose},
	{name: "Prepare and Exec", tries: prepareAndExec},
	{name: "Prepare and Exec again", tries: prepareAndExec, warm: 1},
	{name: "Commit", tries: transact((*sql.Tx).Commit)},
	{name: "Rollback", tries: transact((*sql.Tx).Rollback), clean: true},
	{name: "Ping", tries: ping, clean: true, moot: true},
	{name: "COPY by Prepare", tries: transact(copyOfOne)},
	{name: "COPY", tries: func(ctx context.Context, db *sql.DB) error {
		_, err := copyIn(ctx, db, "copy item from stdin", lines(1))
		return err
	}},
	{name: "Exec behind a reset", tries: execute("insert into item values ($1)", 1), reset: driver.ResetSession},
	{name: "Exec prepared behind a reset", tries: execute("insert into item values ($1)", 1), warm: 7, reset: driver.ResetDiscard},
	{name: "Exec of several behind a reset", tries: execute("insert into item values (1); select 2"), reset: driver.ResetSession},
	{name: "Commit behind a reset", tries: transact((*sql.Tx).Commit), reset: driver.ResetSession},
	{name: "Ping behind a reset", tries: ping, clean: true, moot: true, reset: driver.ResetSession},
}

// TestCutConnectionsNeverRunAnythingTwice cuts the connection before, during and after each message of each operation.
func TestCutConnectionsNeverRunAnythingTwice(t *testing.T) {
	t.Parallel()
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			s := newSpace(t)
			p := newProxy(t)
			admin := openSpace(t, s, "", nil)
			mustExec(t, admin, "create table item (n int)")
			for _, d := range []direction{toServer, toClient} {
				for n := 0; ; n++ {
					reached := false
					for _, at := range []place{before, during, after} {
						reached = cutOnce(t, op, p, s, admin, cut{d, n, at})
					}
					if !reached {
						break
					}
				}
			}
		})
	}
}

// cutOnce runs op with one cut, and reports whether the cut was reached.
func cutOnce(t *testing.T, op operation, p *proxy, s space, admin *sql.DB, c cut) bool {
	t.Helper()
	db := openSpace(t, s, p.address(), resetBy(op.reset))
	defer db.Close()
	db.SetMaxOpenConns(1)
	pid := backendPID(t, db)
	eventually(t, admin, "select count(*) = 2 from pg_stat_activity where datname = current_database() and backend_type = 'client backend'") // the pool before has said goodbye
	for range op.warm {
		if err := op.tries(t.Context(), db); err != nil {
			t.Fatalf("undisturbed: %v", err)
		}
	}
	mustExec(t, admin, "truncate item")
	p.arm(c)
	err := op.tries(t.Context(), db)
	if !p.disarm() {
		if err != nil {
			t.Errorf("without a cut: %v", err)
		}
		return false
	}
	gone(t, admin, pid) // what the server still does for the cut connection counts, too
	rows := number(t, admin, "select count(*) from item")
	want := int64(1)
	if op.clean {
		want = 0
	}
	switch {
	case rows > want:
		t.Errorf("cut %s message %d %s: %d rows: executed %d times; error %v", c.place, c.n, c.direction, rows, rows, err)
	case err == nil && rows != want:
		t.Errorf("cut %s message %d %s: no error, but %d rows, want %d", c.place, c.n, c.direction, rows, want)
	case !op.moot && errors.Is(err, sqldriver.ErrBadConn):
		t.Errorf("cut %s message %d %s: ErrBadConn is no true error: %v", c.place, c.n, c.direction, err)
	case errors.Is(err, driver.ErrCommitRolledBack) && rows != 0:
		t.Errorf("cut %s message %d %s: %v, but the row is there", c.place, c.n, c.direction, err)
	}
	if err := db.PingContext(t.Context()); err != nil {
		t.Errorf("cut %s message %d %s: the pool does not recover: %v", c.place, c.n, c.direction, err)
	}
	return true
}

func TestCutCommitIsUnknown(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	p := newProxy(t)
	admin := openSpace(t, s, "", nil)
	mustExec(t, admin, "create table item (n int)")
	for _, tt := range []struct {
		cut  cut
		rows []int64 // that may remain
		err  error
	}{
		{cut{toServer, 0, before}, []int64{0}, driver.ErrCommitUnknown},
		{cut{toServer, 0, during}, []int64{0}, driver.ErrCommitUnknown},
		{cut{toClient, 0, before}, []int64{1}, driver.ErrCommitUnknown},
		{cut{toClient, 0, during}, []int64{1}, driver.ErrCommitUnknown},
		{cut{toClient, 0, after}, []int64{1}, driver.ErrCommitUnknown},
		{cut{toClient, 1, during}, []int64{1}, driver.ErrCommitUnknown},
		{cut{toClient, 1, after}, []int64{1}, nil},
	} {
		mustExec(t, admin, "truncate item")
		db := openSpace(t, s, p.address(), nil)
		tx := begin(t, db)
		mustExec(t, tx, "insert into item values (1)")
		pid := backendPID(t, tx)
		p.arm(tt.cut)
		err := tx.Commit()
		if !p.disarm() {
			t.Fatalf("%v was not reached", tt.cut)
		}
		if !errors.Is(err, tt.err) || errors.Is(err, sqldriver.ErrBadConn) {
			t.Errorf("cut %s message %d %s: Commit = %v, want %v", tt.cut.place, tt.cut.n, tt.cut.direction, err, tt.err)
		}
		gone(t, admin, pid)
		rows, ok := number(t, admin, "select count(*) from item"), false
		for _, n := range tt.rows {
			ok = ok || n == rows
		}
		if !ok {
			t.Errorf("cut %s message %d %s: %d rows, want one of %v", tt.cut.place, tt.cut.n, tt.cut.direction, rows, tt.rows)
		}
		db.Close()
	}
}

func TestHalfWrittenRequestIsNotRetried(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	p := newProxy(t)
	mustExec(t, openSpace(t, s, "", nil), "create table item (n int)")
	big := strings.Repeat("x", 32<<20)
	for _, tt := range []struct {
		message int // the one that is half written
		query   string
		args    []any
	}{
		{0, "insert into item values (1); select '" + big + "'", nil},
		{2, "insert into item select 1 where length($1::text) > 0", []any{big}},
	} {
		db := openSpace(t, s, p.address(), nil)
		mustExec(t, db, "select 1")
		p.arm(cut{toServer, tt.message, before})
		_, err := db.ExecContext(t.Context(), tt.query, tt.args...)
		if !p.disarm() || err == nil || errors.Is(err, sqldriver.ErrBadConn) {
			t.Errorf("cut at message %d: error = %v, want the loss of the connection", tt.message, err)
		}
	}
}

func TestLostBeginAndPrepareAreDoneAgain(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	p := newProxy(t)
	for _, c := range []cut{{toServer, 0, before}, {toServer, 0, during}, {toClient, 0, before}, {toClient, 1, during}} {
		db := openSpace(t, s, p.address(), func(cfg *driver.Config) { cfg.Begin = driver.BeginEager })
		mustExec(t, db, "select 1")
		p.arm(c)
		tx, err := db.BeginTx(t.Context(), nil)
		if !p.disarm() || err != nil {
			t.Fatalf("cut %s message %d %s: Begin = %v, want it done on another connection", c.place, c.n, c.direction, err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		p.arm(c)
		stmt, err := db.PrepareContext(t.Context(), "select $1::int")
		if !p.disarm() || err != nil {
			t.Fatalf("cut %s message %d %s: Prepare = %v, want it done on another connection", c.place, c.n, c.direction, err)
		}
		stmt.Close()
		db.Close()
	}
}
