package driver_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
)

// spans is a tracer that notes what it is told, and checks that each end has the context of its start.
type spans struct {
	mu    sync.Mutex
	lines []string
}

type spanKey struct{}

func (s *spans) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *spans) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.lines, " | ")
	s.lines = nil
	return all
}

func (s *spans) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, spanKey{}, d.SQL)
}

func (s *spans) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	sql, _ := ctx.Value(spanKey{}).(string)
	if c == nil {
		sql = "no connection"
	}
	s.note(sql + ": " + d.CommandTag.String() + sqlState(d.Err))
}

func (s *spans) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

func (s *spans) TraceConnectEnd(_ context.Context, d pgx.TraceConnectEndData) {
	s.note("connect: " + sqlState(d.Err))
}

func TestTracerOfAPoolSeesEverything(t *testing.T) {
	t.Parallel()
	var s spans
	db := openConfig(t, func(cfg *driver.Config) { cfg.Tracer = &s })
	conn := one(t, db)
	want := func(what, want string) {
		t.Helper()
		if got := s.take(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	want("connecting", "connect: ")
	tx := begin(t, conn)
	mustExec(t, tx, "create temp table item (n int)")
	tx.Commit()
	want("a transaction", "begin: BEGIN | create temp table item (n int): CREATE TABLE | commit: COMMIT")
	inside(t, conn, func(ctx context.Context, c *driver.Conn) {
		err := c.Pipeline(ctx, list(text("insert into item values ($1)", 1), text("insert into item values ($1)", "x")), nil)
		if err == nil {
			t.Error("no error")
		}
	})
	want("a pipeline", "insert into item values ($1): INSERT 0 1 | insert into item values ($1): 22P02")
}

// panicking is a tracer that panics.
type panicking struct{}

func (panicking) TraceQueryStart(context.Context, *pgx.Conn, pgx.TraceQueryStartData) context.Context {
	panic("start")
}

func (panicking) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) { panic("end") }

func (panicking) TracePrepareStart(context.Context, *pgx.Conn, pgx.TracePrepareStartData) context.Context {
	panic("prepare start")
}

func (panicking) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {
	panic("prepare end")
}

func TestPanicInATracerIsContained(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Tracer = panicking{} })
	db.SetMaxOpenConns(1)
	tx := begin(t, db)
	st, err := tx.PrepareContext(t.Context(), "select $1::int")
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := st.QueryRow(7).Scan(&n); err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestNoticeHandlersOfAConnection(t *testing.T) {
	t.Parallel()
	db := openConfig(t, nil)
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	var got recorder[driver.Notice]
	var remove func()
	var before int64
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		before = c.Uses()
		remove = c.AddNoticeHandler(got.add)
		c.AddNoticeHandler(func(driver.Notice) {
			if _, err := c.ExecContext(context.Background(), "select 1", nil); !errors.Is(err, driver.ErrBusy) {
				t.Errorf("a statement in a handler: %v", err)
			}
			remove()
		})
	})
	const warn = "do $$ begin raise warning 'x'; end $$"
	mustExec(t, conn, warn)
	mustExec(t, conn, warn)
	conn.Close()
	mustExec(t, db, warn)
	if n := len(got.all()); n != 1 {
		t.Errorf("%d notices, want 1", n)
	}
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		if c.Uses() == before {
			t.Error("the connection has not gone back to its pool")
		}
	})
}
