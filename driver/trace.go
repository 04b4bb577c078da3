package driver

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// queryTrace carries a statement from OnQueryStart to OnQueryEnd, and through the tracer of a connection that pgx made.
// It is nil, and does nothing, without hooks.
type queryTrace struct {
	conn  *Conn
	start QueryStart
	begun time.Time
	done  func(context.Context, QueryEnd)
}

// traced reports whether anybody is told of statements.
func (c *Conn) traced() bool {
	return c.cfg.OnQueryStart != nil || c.cfg.OnQueryEnd != nil || c.tracer != nil
}

// traceStart tells the hook that a statement starts, and returns the context that it runs under.
func (c *Conn) traceStart(ctx context.Context, sql string, args []any, prepared bool) (context.Context, *queryTrace) {
	if !c.traced() {
		return ctx, nil
	}
	ctx = c.tracerStart(ctx, sql, args)
	t := &queryTrace{conn: c, start: QueryStart{SQL: sql, Args: args, Prepared: prepared}, begun: time.Now(), done: c.cfg.OnQueryEnd}
	return c.queryStart(ctx, t.start), t
}

// queryStart calls OnQueryStart. The statement keeps its context when the hook panics or returns none.
func (c *Conn) queryStart(ctx context.Context, q QueryStart) (under context.Context) {
	under = ctx
	if c.cfg.OnQueryStart != nil {
		defer reportPanic("query start")
		if hooked := c.cfg.OnQueryStart(ctx, q); hooked != nil {
			under = hooked
		}
	}
	return under
}

// end tells the hook that the statement has ended.
func (t *queryTrace) end(ctx context.Context, tag string, rows int64, err error) {
	if t == nil {
		return
	}
	t.conn.tracerEnd(ctx, tag, err)
	if t.done != nil {
		defer reportPanic("query end")
		t.done(ctx, QueryEnd{QueryStart: t.start, Tag: tag, Rows: rows, Duration: time.Since(t.begun), Err: err})
	}
}

// tracerStart tells the pgx tracer alone, which also sees the statements of transactions. Without a tracer it does nothing.
func (c *Conn) tracerStart(ctx context.Context, sql string, args []any) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return c.tracer.TraceQueryStart(ctx, c.px, pgx.TraceQueryStartData{SQL: sql, Args: args})
}

func (c *Conn) tracerEnd(ctx context.Context, tag string, err error) {
	if c.tracer != nil {
		c.tracer.TraceQueryEnd(ctx, c.px, pgx.TraceQueryEndData{CommandTag: pgconn.NewCommandTag(tag), Err: err})
	}
}

// tracePrepare tells the pgx tracer of a statement that is prepared; the function that it returns tells of the end.
func (c *Conn) tracePrepare(ctx context.Context, sql string) (context.Context, func(known bool, err error)) {
	t, ok := c.tracer.(pgx.PrepareTracer)
	if !ok {
		return ctx, func(bool, error) {}
	}
	ctx = t.TracePrepareStart(ctx, c.px, pgx.TracePrepareStartData{Name: sql, SQL: sql})
	return ctx, func(known bool, err error) {
		t.TracePrepareEnd(ctx, c.px, pgx.TracePrepareEndData{AlreadyPrepared: known, Err: err})
	}
}
