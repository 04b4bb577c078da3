package stdlib_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/driver/stdlib"
	"github.com/pycopg/pycopg/sqltest"
)

// newPool is a pool of at most n connections to a fresh database.
func newPool(t testing.TB, n int32) *pgxpool.Pool {
	t.Helper()
	c, err := pgxpool.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	c.MaxConns, c.MinConns = n, 0
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestPoolLendsItsConnections(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	db := closed(t, stdlib.OpenDBFromPool(pool))
	var pid int
	if err := pool.QueryRow(t.Context(), "select pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := value[int](t, db, "select pg_backend_pid()"); got != pid {
			t.Errorf("backend %d, want the pool's %d", got, pid)
		}
		if n := pool.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%d connections are still acquired", n)
		}
	}
	conn := one(t, db)
	if n := pool.Stat().AcquiredConns(); n != 1 {
		t.Errorf("%d connections are acquired, want one", n)
	}
	raw(t, conn, func(px *pgx.Conn) error { return px.Ping(t.Context()) })
	conn.Close()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := pool.Ping(t.Context()); err != nil {
		t.Errorf("the pool after the handle was closed: %v", err)
	}
}

func TestPoolKeepsPreparedStatements(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	db := closed(t, stdlib.OpenDBFromPool(pool))
	prepared := func() (n int) {
		err := pool.QueryRow(t.Context(), "select count(*) from pg_prepared_statements where statement = 'select $1::int'",
			pgx.QueryExecModeExec).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 12 {
		if got := value[int](t, db, "select $1::int", i); got != i {
			t.Errorf("got %d, want %d", got, i)
		}
	}
	if n := prepared(); n != 1 {
		t.Errorf("%d prepared statements after twelve uses, want one", n)
	}
	other := closed(t, stdlib.OpenDBFromPool(pool))
	for i := range 12 {
		if got := value[int](t, other, "select $1::int", i); got != i {
			t.Errorf("second handle: got %d, want %d", got, i)
		}
	}
	if n := prepared(); n != 1 {
		t.Errorf("%d prepared statements after a second handle's, want one", n)
	}
	if _, err := pool.Exec(t.Context(), "deallocate all"); err != nil {
		t.Fatal(err)
	}
	if got := value[int](t, db, "select $1::int", 5); got != 5 {
		t.Errorf("after DEALLOCATE ALL of another user: got %d", got)
	}
}

func TestPoolStatementsSurviveReleases(t *testing.T) {
	t.Parallel()
	db := closed(t, stdlib.OpenDBFromPool(newPool(t, 2)))
	st, err := db.PrepareContext(t.Context(), "select $1::int + 1")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i := range 5 {
		var got int
		if err := st.QueryRowContext(t.Context(), i).Scan(&got); err != nil || got != i+1 {
			t.Errorf("got %d, %v", got, err)
		}
	}
}

func TestPoolGetsCleanConnectionsBack(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	db := closed(t, stdlib.OpenDBFromPool(pool))
	mustExec(t, db, "create table item (id int)")
	for name, leave := range map[string]func(conn *sql.Conn){
		"an open transaction": func(conn *sql.Conn) {
			mustExec(t, conn, "begin")
			mustExec(t, conn, "insert into item values (1)")
		},
		"a failed transaction": func(conn *sql.Conn) {
			mustExec(t, conn, "begin")
			conn.ExecContext(t.Context(), "select 1/0")
		},
		"a cancelled statement": func(conn *sql.Conn) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := conn.ExecContext(ctx, "select pg_sleep(60)"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %v", err)
			}
		},
		"a COPY": func(conn *sql.Conn) {
			st, err := conn.PrepareContext(t.Context(), "copy item from stdin")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.ExecContext(t.Context(), 1); err != nil {
				t.Error(err)
			}
		},
		"a closed connection": func(conn *sql.Conn) {
			raw(t, conn, func(px *pgx.Conn) error { return px.Close(t.Context()) })
		},
		"a query that pgx reads": func(conn *sql.Conn) {
			raw(t, conn, func(px *pgx.Conn) error {
				_, err := px.Query(t.Context(), "select generate_series(1, 100000)")
				return err
			})
		},
	} {
		conn := one(t, db)
		leave(conn)
		conn.Close()
		var rows int
		var idle bool
		err := pool.QueryRow(t.Context(), `select (select count(*) from item),
			pg_current_xact_id_if_assigned() is null and current_setting('transaction_isolation') = 'read committed'`).Scan(&rows, &idle)
		if err != nil || rows != 0 || !idle {
			t.Errorf("%s: the next user of the pool sees %d rows, idle %t, error %v", name, rows, idle, err)
		}
		if n := pool.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%s: %d connections are still acquired", name, n)
		}
	}
}

func TestPoolConnectionIsReusedAfterALeak(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	db := closed(t, stdlib.OpenDBFromPool(pool))
	conn := one(t, db)
	pid := value[int](t, conn, "select pg_backend_pid()")
	mustExec(t, conn, "begin")
	conn.Close()
	if got := value[int](t, db, "select pg_backend_pid()"); got != pid {
		t.Errorf("backend %d, want %d: the transaction could be rolled back", got, pid)
	}
}

func TestPoolOptions(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, *pgx.Conn) error { return errHook }
	resets := 0
	connector := stdlib.GetPoolConnector(newPool(t, 1), stdlib.OptionAfterConnect(refuse),
		stdlib.OptionBeforeConnect(func(context.Context, *pgx.ConnConfig) error { return errHook }),
		stdlib.OptionResetSession(func(context.Context, *pgx.Conn) error { resets++; return nil }))
	db := closed(t, sql.OpenDB(connector))
	for range 3 {
		mustExec(t, db, "select 1")
	}
	if resets != 2 {
		t.Errorf("ResetSession ran %d times, want before each of two further uses", resets)
	}
}

func TestPoolErrorIsTheCallers(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	db := closed(t, stdlib.OpenDBFromPool(pool))
	taken, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.PingContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the context's", err)
	}
}

func TestPoolTracerSeesTheStatements(t *testing.T) {
	t.Parallel()
	c, err := pgxpool.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	tr := &tracer{}
	c.ConnConfig.Tracer = tr
	pool, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := closed(t, stdlib.OpenDBFromPool(pool))
	for range 2 {
		mustExec(t, db, "select 1")
		tr.take()
	}
	mustExec(t, db, "select 2")
	tr.want(t, "exec", "start query select 2 []", "end query select 2 []: ok SELECT 1")
}

// TestPoolForgetsWhatRawMayHaveDropped: what ran through the *pgx.Conn may have dropped what the driver prepared, which
// inside a transaction would be too late to find out.
func TestPoolForgetsWhatRawMayHaveDropped(t *testing.T) {
	t.Parallel()
	db := closed(t, stdlib.OpenDBFromPool(newPool(t, 1)))
	for i := range 7 {
		value[int](t, db, "select $1::int", i)
	}
	conn := one(t, db)
	raw(t, conn, func(px *pgx.Conn) error {
		_, err := px.Exec(t.Context(), "deallocate all")
		return err
	})
	conn.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	mustExec(t, tx, "select 1")
	if got := value[int](t, tx, "select $1::int", 5); got != 5 {
		t.Errorf("got %d, want 5", got)
	}
}
