package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// openPooled returns a pool through PgBouncer, and the space that it leads to.
func openPooled(t *testing.T, change func(*driver.Config)) (*sql.DB, space) {
	t.Helper()
	s := newSpace(t)
	address := poolerAddress(t)
	return openSpace(t, s, address, func(cfg *driver.Config) {
		cfg.Pooler = driver.PoolerTransaction
		if change != nil {
			change(cfg)
		}
	}), s
}

// TestPoolerServesEveryOperation runs the operations from more clients than the pooler has sessions, so that hardly two
// transactions of a client meet the same session.
func TestPoolerServesEveryOperation(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, func(cfg *driver.Config) { cfg.PrepareThreshold = 0 })
	mustExec(t, db, itemTable)
	const clients, uses = 2 * poolerSessions, 6
	db.SetMaxOpenConns(clients)
	db.SetMaxIdleConns(clients)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range uses {
				for _, op := range tariff {
					op.use(t, db)
				}
				if got := show(t, db, "select $1::bytea || $2::bytea", []byte{1}, []byte{255}); got != "[]uint8 [1 255]" {
					t.Errorf("bytea = %s", got)
				}
			}
		})
	}
	all.Wait()
	if n := number(t, db, "select count(*) from pg_prepared_statements"); n != 0 {
		t.Errorf("a session of the pooler holds %d prepared statements", n)
	}
}

func TestPoolerKeepsTransactionsTogether(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, nil)
	mustExec(t, db, "create table item (n int)")
	var all sync.WaitGroup
	for u := range 2 * poolerSessions {
		all.Go(func() {
			for range 10 {
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
				if err != nil {
					t.Error(err)
					return
				}
				pid := backendPID(t, tx)
				mustExec(t, tx, "insert into item values ($1)", u)
				mustExec(t, tx, "savepoint s; insert into item values (-1); rollback to savepoint s")
				if n := number(t, tx, "select count(*) from item where n = any($1)", []int{-1, 1000}); n != 0 {
					t.Errorf("%d rows that were rolled back", n)
				}
				if level := word(t, tx, "show transaction_isolation"); level != "repeatable read" {
					t.Errorf("isolation level = %s", level)
				}
				if got := backendPID(t, tx); got != pid {
					t.Error("the transaction moved to another session")
				}
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := number(t, db, "select count(*) from item"); n != 2*poolerSessions*10 {
		t.Errorf("%d rows, want %d", n, 2*poolerSessions*10)
	}
}

func TestPoolerCancelsAndGoesOn(t *testing.T) {
	t.Parallel()
	db, s := openPooled(t, nil)
	admin := openSpace(t, s, "", nil)
	conn := one(t, db)
	for range 5 {
		tx := begin(t, conn)
		pid := backendPID(t, tx) // of the session for as long as the transaction lasts
		err := cancelSleeping(t, admin, pid, func(ctx context.Context) error {
			_, err := tx.ExecContext(ctx, "select pg_sleep($1)", 60)
			return err
		})
		cancelled(t, "Exec", err)
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if n := number(t, conn, "select 7"); n != 7 {
			t.Errorf("the next statement gives %d", n)
		}
	}
	if open := db.Stats().OpenConnections; open != 1 {
		t.Errorf("%d connections, want the one", open)
	}
}

func TestPoolerGetsLeakedTransactionsBack(t *testing.T) {
	t.Parallel()
	db, s := openPooled(t, nil)
	admin := openSpace(t, s, "", nil)
	mustExec(t, admin, "create table item (n int)")
	for range 3 * poolerSessions { // no session would be left
		conn := one(t, db)
		mustExec(t, conn, "begin; lock table item")
		conn.Close()
	}
	mustExec(t, admin, "set lock_timeout = '10s'; select * from item")
}

func TestPoolerRefusesStartupParameters(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, func(cfg *driver.Config) { cfg.RuntimeParams = map[string]string{"statement_timeout": "60000"} })
	err := db.PingContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start-up parameter statement_timeout was refused") || sqlState(err) != "08P01" {
		t.Errorf("connect = %v, want a refusal that names statement_timeout", err)
	}
	db, _ = openPooled(t, func(cfg *driver.Config) {
		cfg.RuntimeParams, cfg.ApplicationName = map[string]string{"statement_timeout": "60000"}, "kept"
		cfg.StartupOptional = []string{"statement_timeout"}
	})
	if got := word(t, db, "show statement_timeout"); got != "0" {
		t.Errorf("statement_timeout = %s: it was set behind the log-in, for every client of the pooler", got)
	}
	if got := word(t, db, "show application_name"); got != "kept" {
		t.Errorf("application_name = %q", got)
	}
}

func TestPoolerExcludesWhatNeedsASession(t *testing.T) {
	t.Parallel()
	for _, reset := range []string{"session", "discard"} {
		var refused *driver.ParseError
		_, err := driver.ParseConfig("pooler=transaction reset=" + reset)
		if !errors.As(err, &refused) || refused.Key != "reset" || !strings.Contains(err.Error(), "pooler=transaction") {
			t.Errorf("reset=%s: %v, want a refusal that names both settings", reset, err)
		}
	}
	for _, ok := range []string{"pooler=transaction reset=none", "pooler=session reset=session", "pooler=transaction"} {
		if _, err := driver.ParseConfig(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	db, s := openPooled(t, nil)
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		if err := c.RequireSession("LISTEN"); err == nil || !strings.Contains(err.Error(), "LISTEN") || !strings.Contains(err.Error(), "pooler=transaction") {
			t.Errorf("RequireSession = %v, want an error that names the operation and the setting", err)
		}
	})
	inside(t, openSpace(t, s, "", nil), func(_ context.Context, c *driver.Conn) {
		if err := c.RequireSession("LISTEN"); pooled() == (err == nil) {
			t.Errorf("RequireSession = %v", err)
		}
	})
}

// TestPoolerCopyHasATransaction checks what PgBouncer needs to see of a COPY outside of a transaction.
func TestPoolerCopyHasATransaction(t *testing.T) {
	t.Parallel()
	db, f := counted(t, func(cfg *driver.Config) { cfg.Pooler = driver.PoolerTransaction })
	mustExec(t, db, "create table item (n int)")
	copyRows := func(h driver.Execer, data string) error {
		_, err := copyIn(t.Context(), h, "copy item from stdin", func(ci *driver.CopyIn) error {
			_, err := ci.Write([]byte(data))
			return err
		})
		return err
	}
	for name, tt := range map[string]struct {
		run     func() error
		state   string
		queries int // that it takes beside the BEGIN of a transaction
	}{
		"alone":            {func() error { return copyRows(db, "1\n2\n") }, "", 2},
		"refused data":     {func() error { return copyRows(db, "1\nx\n") }, "22P02", 2},
		"a refused COPY":   {func() error { _, err := copyIn(t.Context(), db, "copy none from stdin", nil); return err }, "42P01", 2},
		"in a transaction": {func() error { tx := begin(t, db); defer tx.Rollback(); return copyRows(tx, "1\n2\n") }, "", 2},
	} {
		warm(t, db) // else a pause of this test has BEGIN sent on its own
		before := messages(f, "Q")[0]
		if err := tt.run(); sqlState(err) != tt.state || err != nil && tt.state == "" {
			t.Errorf("%s: %v, want SQLSTATE %q", name, err, tt.state)
		}
		if got := messages(f, "Q")[0] - before; got != tt.queries {
			t.Errorf("%s: %d queries, want %d", name, got, tt.queries)
		}
		if status := below(t, db).TxStatus(); status != 'I' {
			t.Errorf("%s: the status is %c", name, status)
		}
	}
	if n := number(t, db, "select count(*) from item"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

// TestPoolerRunsPipelines sends statements that are not known yet behind synchronisation points: PgBouncer gives the session
// away at the answer to a Sync, with what it has passed on behind it.
func TestPoolerRunsPipelines(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, nil)
	mustExec(t, db, "create table item (n int, s text)")
	const pipelines, statements = 20, 10
	for p := range pipelines {
		ctx, cancel := context.WithTimeout(t.Context(), copyTimeout)
		n := 0
		_, err := driver.Do(ctx, db, "pipeline", func(ctx context.Context, c *driver.Conn) (int64, error) {
			return 0, c.Pipeline(ctx, func() (s driver.Statement, ok bool, err error) {
				text := fmt.Sprintf("insert into item values ($1, $2) /* %d */", n/2*pipelines+p)
				n++
				return driver.Statement{SQL: text, Args: []any{n, strings.Repeat("x", 20_000)}, Sync: n%2 == 1}, n <= statements, nil
			}, nil)
		})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := number(t, db, "select count(*) from item"); got != pipelines*statements {
		t.Errorf("%d rows, want %d", got, pipelines*statements)
	}
}
