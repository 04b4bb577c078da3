package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func beginAs(mode driver.BeginMode) func(*driver.Config) {
	return func(cfg *driver.Config) { cfg.Begin = mode }
}

func TestBeginModes(t *testing.T) {
	t.Parallel()
	const recently, longAgo = -time.Hour, 1100 * time.Millisecond
	tests := []struct {
		mode driver.BeginMode
		idle time.Duration
		want int // round trips of BeginTx
	}{
		{driver.BeginAuto, recently, 0},
		{driver.BeginAuto, longAgo, 1},
		{driver.BeginEager, recently, 1},
		{driver.BeginEager, longAgo, 1},
		{driver.BeginLazy, recently, 0},
		{driver.BeginLazy, longAgo, 0},
	}
	for _, tt := range tests {
		db, f := counted(t, beginAs(tt.mode))
		conn := one(t, db)
		c := below(t, conn)
		c.Backdate(tt.idle)
		var tx *sql.Tx
		if got := cost(f, func() { tx = begin(t, conn) }); got != tt.want {
			t.Errorf("begin=%s, used %v ago: BeginTx takes %d round trips, want %d", tt.mode, tt.idle, got, tt.want)
		}
		if got := cost(f, func() { mustExec(t, tx, "select 1") }); got != 1 {
			t.Errorf("begin=%s: the first statement takes %d round trips, want 1", tt.mode, got)
		}
		if c.TxStatus() != 'T' {
			t.Errorf("begin=%s: state %c after the first statement", tt.mode, c.TxStatus())
		}
	}
}

// TestBeginIsLazyOnAConnectionInUse checks that any use makes a connection warm, not only its return to the pool.
func TestBeginIsLazyOnAConnectionInUse(t *testing.T) {
	t.Parallel()
	db, f := counted(t, nil)
	conn := one(t, db)
	c := below(t, conn)
	for {
		c.Backdate(time.Hour)
		start := time.Now()
		mustExec(t, conn, "select 1")
		var tx *sql.Tx
		got := cost(f, func() { tx = begin(t, conn) })
		tx.Rollback()
		if time.Since(start) >= time.Second { // the machine has paused
			continue
		}
		if got != 0 {
			t.Errorf("BeginTx behind a statement takes %d round trips, want 0", got)
		}
		return
	}
}

// pending are uses of a transaction whose BEGIN has not been sent. Each inserts a row into item.
var pending = map[string]func(ctx context.Context, t *testing.T, conn *sql.Conn, tx *sql.Tx){
	"a statement": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		mustExec(t, tx, "insert into item values (1)")
	},
	"a statement with arguments": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		mustExec(t, tx, "insert into item values ($1)", 1)
	},
	"a statement that asks": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		mustExec(t, tx, "insert into item select unnest($1::int[])", []int{1})
	},
	"several statements": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		mustExec(t, tx, "insert into item values (1); select 1")
	},
	"the simple protocol": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		mustExec(t, tx, "insert into item values (1)", driver.QueryOptions{Simple: true})
	},
	"rows": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		number(t, tx, "insert into item values (1) returning n")
	},
	"Prepare": func(ctx context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		stmt, err := tx.PrepareContext(ctx, "insert into item values ($1)")
		if err == nil {
			_, err = stmt.ExecContext(ctx, 1)
		}
		if err != nil {
			t.Error(err)
		}
	},
	"Do": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		inside(t, tx, func(ctx context.Context, c *driver.Conn) {
			if _, err := c.ExecContext(ctx, "insert into item values (1)", nil); err != nil {
				t.Error(err)
			}
		})
	},
	"PgConn": func(_ context.Context, t *testing.T, _ *sql.Conn, tx *sql.Tx) {
		inside(t, tx, func(ctx context.Context, c *driver.Conn) {
			if _, err := c.PgConn().Exec(ctx, "insert into item values (1)").ReadAll(); err != nil {
				t.Error(err)
			}
		})
	},
	"Raw and pgx's CopyFrom": func(ctx context.Context, t *testing.T, conn *sql.Conn, _ *sql.Tx) {
		err := conn.Raw(func(dc any) error {
			_, err := dc.(*driver.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"item"}, []string{"n"}, pgx.CopyFromRows([][]any{{1}}))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	},
}

func TestPendingBeginGoesAheadOfEverything(t *testing.T) {
	t.Parallel()
	for name, insert := range pending {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openConfig(t, beginAs(driver.BeginLazy))
			mustExec(t, db, "create table item (n int)")
			conn := one(t, db)
			for _, end := range []struct {
				do   func(*sql.Tx) error
				rows int64
			}{{(*sql.Tx).Rollback, 0}, {(*sql.Tx).Commit, 1}, {(*sql.Tx).Rollback, 1}} {
				tx := begin(t, conn)
				c := rawBelow(t, conn)
				if c.TxStatus() != 'T' {
					t.Errorf("state %c while BEGIN waits, want T", c.TxStatus())
				}
				insert(t.Context(), t, conn, tx)
				if c.TxStatus() != 'T' {
					t.Errorf("state %c behind the insert, want T", c.TxStatus())
				}
				if err := end.do(tx); err != nil {
					t.Error(err)
				}
				if got := number(t, db, "select count(*) from item"); got != end.rows {
					t.Errorf("%d rows are left, want %d", got, end.rows)
				}
			}
		})
	}
}

// rawBelow is the driver's connection below conn, by a way that sends nothing: Raw, not Do.
func rawBelow(t *testing.T, conn *sql.Conn) *driver.Conn {
	t.Helper()
	var c *driver.Conn
	if err := conn.Raw(func(dc any) error { c = dc.(*driver.Conn); return nil }); err != nil {
		t.Fatal(err)
	}
	return c
}

// skipped takes what the client sends up to its Sync and answers the first with an error, as a server does.
func skipped(code, message string) sqltest.Step {
	return sqltest.Script{sqltest.ExpectSync(), sqltest.ReplyError(code, message, 'I')}
}

// refuseBegin is a standby that refuses what begins a transaction.
const refuseBegin = "cannot set transaction read-write mode during recovery"

// openFake returns a pool of one connection on a fake server.
func openFake(t *testing.T, change func(*driver.Config), script ...sqltest.Step) *sql.DB {
	t.Helper()
	f := sqltest.NewFake(t, append(sqltest.Script{sqltest.Accept()}, script...))
	cfg, err := driver.ParseConfig("host=fake user=u dbname=d sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	address := f.Listen()
	cfg.Hosts = []driver.HostSpec{hostSpec(t, address.String())}
	if change != nil {
		change(cfg)
	}
	db := sql.OpenDB(driver.NewConnector(cfg))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// firstUses are statements that may take a BEGIN along.
var firstUses = map[string]func(*sql.Tx) error{
	"Exec": func(tx *sql.Tx) error { _, err := tx.Exec("insert into item values (1)"); return err },
	"Exec with arguments": func(tx *sql.Tx) error {
		_, err := tx.Exec("insert into item values ($1)", 1)
		return err
	},
	"Query":              func(tx *sql.Tx) error { return tx.QueryRow("select 1").Scan(new(int)) },
	"several statements": func(tx *sql.Tx) error { _, err := tx.Exec("insert into item values (1); select 1"); return err },
	"Prepare":            func(tx *sql.Tx) error { _, err := tx.Prepare("insert into item values ($1)"); return err },
	"Do": func(tx *sql.Tx) error {
		_, err := driver.Do(context.Background(), tx, "test", func(context.Context, *driver.Conn) (int64, error) {
			return 0, errors.New("the function must not run")
		})
		return err
	},
}

// TestFailedLazyBeginKillsTheTransaction is about a server that refuses BEGIN and stays idle: a statement sent behind
// it would commit by itself. The fake fails the test when it gets one.
func TestFailedLazyBeginKillsTheTransaction(t *testing.T) {
	t.Parallel()
	for name, first := range firstUses {
		for end, finish := range map[string]func(*sql.Tx) error{"Commit": (*sql.Tx).Commit, "Rollback": (*sql.Tx).Rollback} {
			t.Run(name+" "+end, func(t *testing.T) {
				t.Parallel()
				db := openFake(t, beginAs(driver.BeginLazy),
					skipped("0A000", refuseBegin),
					sqltest.ExpectSQL(";"), // the ping behind
					sqltest.Reply(&pgproto3.EmptyQueryResponse{}, &pgproto3.ReadyForQuery{TxStatus: 'I'}))
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
				if err != nil {
					t.Fatal(err)
				}
				if err := first(tx); sqlState(err) != "0A000" {
					t.Errorf("the first statement: %v, want the error of BEGIN", err)
				}
				for again, use := range firstUses {
					if err := use(tx); sqlState(err) != "0A000" {
						t.Errorf("%s afterwards: %v, want the error of BEGIN", again, err)
					}
				}
				err = finish(tx)
				if end == "Commit" && (!errors.Is(err, driver.ErrCommitRolledBack) || sqlState(err) != "0A000") {
					t.Errorf("Commit = %v, want ErrCommitRolledBack and the error of BEGIN", err)
				}
				if end == "Rollback" && err != nil {
					t.Errorf("Rollback = %v", err)
				}
				if err := db.PingContext(t.Context()); err != nil {
					t.Errorf("the connection behind the transaction: %v", err)
				}
			})
		}
	}
}

// TestLentConnectionIsClosedWhenBeginFails is about Conn and PgConn, which cannot return the error.
func TestLentConnectionIsClosedWhenBeginFails(t *testing.T) {
	t.Parallel()
	db := openFake(t, beginAs(driver.BeginLazy), skipped("0A000", refuseBegin))
	conn := one(t, db)
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Raw(func(dc any) error {
		_, err := dc.(*driver.Conn).Conn().Exec(t.Context(), "insert into item values (1)")
		return err
	})
	if err == nil {
		t.Error("a statement ran through pgx behind a failed BEGIN")
	}
	if err := tx.Commit(); !errors.Is(err, driver.ErrCommitRolledBack) || sqlState(err) != "0A000" {
		t.Errorf("Commit = %v, want ErrCommitRolledBack and the error of BEGIN", err)
	}
}

func TestTransactionTimeStartsWithTheFirstStatement(t *testing.T) {
	t.Parallel()
	db := openConfig(t, beginAs(driver.BeginLazy))
	tx := begin(t, one(t, db))
	before := word(t, db, "select clock_timestamp()::text")
	if got := number(t, tx, "select (now() > $1::text::timestamptz)::int", before); got != 1 {
		t.Error("now() is before the transaction's first statement")
	}
}
