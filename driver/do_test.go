package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
)

func TestDoReachesTheConnectionOfEveryHandle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	handles := map[string]interface {
		driver.Execer
		querier
	}{"DB": db, "Conn": one(t, db), "Tx": begin(t, db), "Tx of a Conn": begin(t, one(t, db))}
	for name, h := range handles {
		var pid uint32
		n, err := driver.Do(t.Context(), h, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
			pid = c.Info().BackendPID
			res, err := c.ExecContext(ctx, "select * from generate_series(1, 3)", nil)
			if err != nil {
				return 0, err
			}
			return res.RowsAffected()
		})
		if n != 3 || err != nil {
			t.Errorf("%s: %d, %v, want 3", name, n, err)
		}
		if _, isPool := h.(*sql.DB); !isPool && uint32(backendPID(t, h)) != pid {
			t.Errorf("%s: Do ran on backend %d, the handle is on another", name, pid)
		}
	}
}

func TestDoReturnsTheFunctionsErrorAsItIs(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx := begin(t, db)
	db.SetMaxOpenConns(2)
	pid := backendPID(t, db)
	for _, want := range []error{io.EOF, sqldriver.ErrBadConn, fmt.Errorf("wrapped: %w", sqldriver.ErrBadConn), sql.ErrTxDone, context.Canceled} {
		for _, h := range []driver.Execer{db, tx} {
			runs := 0
			n, err := driver.Do(t.Context(), h, "test", func(context.Context, *driver.Conn) (int64, error) {
				runs++
				return 4, want
			})
			if err != want || n != 4 || runs != 1 {
				t.Errorf("%T: %d, %v after %d runs, want 4 and %v after one", h, n, err, runs, want)
			}
		}
	}
	if n := number(t, tx, "select 1"); n != 1 {
		t.Error("the transaction is lost")
	}
	if got := backendPID(t, db); got != pid {
		t.Error("the connection was replaced")
	}
}

func TestDoOnHandlesThatLeadNowhere(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	never := func(context.Context, *driver.Conn) (int64, error) {
		t.Error("the function ran")
		return 0, nil
	}
	tx := begin(t, db)
	tx.Rollback()
	if _, err := driver.Do(t.Context(), tx, "test", never); !errors.Is(err, sql.ErrTxDone) || strings.Contains(err.Error(), "pycopg") {
		t.Errorf("finished Tx: %v, want ErrTxDone", err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err := driver.Do(t.Context(), conn, "test", never); !errors.Is(err, sql.ErrConnDone) {
		t.Errorf("closed Conn: %v, want ErrConnDone", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := driver.Do(ctx, db, "test", never); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "lead to") {
		t.Errorf("ended context: %v, want Canceled", err)
	}
}

func TestDoInsideDoIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	for _, h := range []driver.Execer{db, conn, begin(t, db)} {
		_, err := driver.Do(t.Context(), h, "outer", func(ctx context.Context, _ *driver.Conn) (int64, error) {
			for _, inner := range []driver.Execer{h, db} {
				_, err := driver.Do(ctx, inner, "inner", func(context.Context, *driver.Conn) (int64, error) {
					t.Error("the inner function ran")
					return 0, nil
				})
				if !errors.Is(err, driver.ErrInsideDo) || !strings.Contains(err.Error(), "inner") {
					t.Errorf("inner Do = %v, want ErrInsideDo naming it", err)
				}
			}
			return 0, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestPanicInDoDiscardsTheConnection(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	db.SetMaxOpenConns(1)
	leave := map[string]func(){"panic": func() { panic("in fn") }, "Goexit": runtime.Goexit}
	for name, leave := range leave {
		before := backendPID(t, db)
		ended := make(chan any)
		go func() {
			var recovered any
			defer func() { ended <- recovered }()
			defer func() { recovered = recover() }()
			driver.Do(t.Context(), db, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
				if _, err := c.ExecContext(ctx, "begin", nil); err != nil {
					t.Error(err)
				}
				leave()
				return 0, nil
			})
		}()
		if got := <-ended; name == "panic" && got != "in fn" {
			t.Errorf("the caller recovered %v, want the panic", got)
		}
		if after := backendPID(t, db); after == before {
			t.Errorf("%s: the connection is in use again", name)
		}
		gone(t, admin, before)
		if open := db.Stats().OpenConnections; open != 1 {
			t.Errorf("%s: %d connections are open, want 1", name, open)
		}
	}
}

func TestDoOnAPreparedHandle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	h := preparing{db: db}
	_, err := driver.Do(t.Context(), h, "select $1", func(context.Context, *driver.Conn) (int64, error) {
		t.Error("the function ran")
		return 0, nil
	})
	if err == nil || !strings.Contains(err.Error(), "prepared handle") {
		t.Errorf("error = %v, want one about the prepared handle", err)
	}
}

// preparing is a handle that prepares whatever it executes.
type preparing struct{ db *sql.DB }

func (p preparing) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	return stmt.ExecContext(ctx, args...)
}

// replaying is a handle that keeps the arguments that pass, to use them again.
type replaying struct {
	*sql.DB
	query string
	args  []any
}

func (r *replaying) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.query, r.args = query, args
	return r.DB.ExecContext(ctx, query, args...)
}

func TestCommandOfDoRunsOnceAndThroughExecOnly(t *testing.T) {
	t.Parallel()
	h := &replaying{DB: openDB(t)}
	runs := 0
	_, err := driver.Do(t.Context(), h, "select 'text'", func(context.Context, *driver.Conn) (int64, error) {
		runs++
		return 0, nil
	})
	if err != nil || runs != 1 {
		t.Fatalf("%d runs, %v", runs, err)
	}
	if _, err := h.DB.ExecContext(t.Context(), h.query, h.args...); err == nil {
		t.Error("a command ran again")
	}
	if rows, err := h.DB.QueryContext(t.Context(), h.query, h.args...); err == nil {
		rows.Close()
		t.Error("a command ran through Query")
	}
	if runs != 1 {
		t.Errorf("%d runs, want 1", runs)
	}
}

func TestTheTextOfACommandIsNotSent(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	mustExec(t, conn, "create sequence s")
	send := func(text string) {
		if _, err := driver.Do(t.Context(), conn, text, func(context.Context, *driver.Conn) (int64, error) { return 0, nil }); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	send("select nextval('s')")
	send("this is no SQL \x00")
	if n := executions(t, conn, "s"); n != 0 {
		t.Errorf("the text was executed %d times", n)
	}
}

func TestConnectorIsReachedThroughDo(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.PreparedMax = 17 })
	var other *sql.DB
	inside(t, begin(t, db), func(_ context.Context, c *driver.Conn) {
		other = sql.OpenDB(c.Connector())
		if got := c.Connector().Config().PreparedMax; got != 17 {
			t.Errorf("PreparedMax = %d, want the pool's 17", got)
		}
	})
	defer other.Close()
	if n := number(t, other, "select 1"); n != 1 {
		t.Error("the connector makes no connections")
	}
}

func TestUsersOfPgxMayChangeTheSession(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, prepareAfter(0, 100)))
	number(t, conn, "select $1::int", 1)
	number(t, conn, "select $1::int", 1)
	inside(t, conn, func(ctx context.Context, c *driver.Conn) {
		if _, err := c.Conn().Exec(ctx, "deallocate all"); err != nil {
			t.Error(err)
		}
		if _, err := c.PgConn().Exec(ctx, "create temp table item (n int); begin").ReadAll(); err != nil {
			t.Error(err)
		}
		if c.TxStatus() != 'T' {
			t.Errorf("status %c, want T", c.TxStatus())
		}
	})
	if got := number(t, conn, "select $1::int", 3); got != 3 {
		t.Errorf("got %d", got)
	}
	mustExec(t, conn, "commit")
	inside(t, conn, func(ctx context.Context, c *driver.Conn) {
		rows, err := c.Conn().Query(ctx, "select 1", pgx.QueryExecModeExec)
		if err != nil {
			t.Error(err)
		}
		if _, err := c.ExecContext(ctx, "select 2", nil); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("Exec beside pgx's rows = %v, want ErrBusy", err)
		}
		rows.Close()
	})
	if got := number(t, conn, "select 4"); got != 4 {
		t.Errorf("got %d", got)
	}
}

func TestResultsLeftOpenThroughPgxCostTheConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	before := backendPID(t, db)
	inside(t, db, func(ctx context.Context, c *driver.Conn) {
		if _, err := c.Conn().Query(ctx, "select * from generate_series(1, 1000)", pgx.QueryExecModeExec); err != nil {
			t.Error(err)
		}
	})
	if after := backendPID(t, db); after == before {
		t.Error("a busy connection is in use again")
	}
}
