package driver

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// queryTrace carries a statement from its start to its end through the hooks and the tracer. It is nil, and does nothing,
// without them.
type queryTrace struct {
	conn  *Conn
	ctx   context.Context // that the start gave
	start QueryStart
	begun time.Time
}

// traced reports whether anybody is told of statements.
func (c *Conn) traced() bool {
	return c.cfg.OnQueryStart != nil || c.cfg.OnQueryEnd != nil || c.tracer != nil
}

// traceStart tells that a statement starts, and returns the context that it runs under.
func (c *Conn) traceStart(ctx context.Context, q QueryStart) (context.Context, *queryTrace) {
	if !c.traced() {
		return ctx, nil
	}
	ctx = c.tracerStart(ctx, q.SQL, q.Args)
	if c.cfg.OnQueryStart != nil {
		ctx = c.hookContext(ctx, "query start", func() context.Context { return c.cfg.OnQueryStart(ctx, q) })
	}
	return ctx, &queryTrace{conn: c, ctx: ctx, start: q, begun: time.Now()}
}

// hookContext is what a hook makes of a context, which stays when the hook panics or returns none.
func (c *Conn) hookContext(ctx context.Context, hook string, fn func() context.Context) (under context.Context) {
	under = ctx
	defer c.enterHook(hook)()
	if hooked := fn(); hooked != nil {
		under = hooked
	}
	return under
}

// end tells that the statement has ended.
func (t *queryTrace) end(tag string, rows int64, err error) {
	if t == nil {
		return
	}
	t.conn.tracerEnd(t.ctx, tag, err)
	if hook := t.conn.cfg.OnQueryEnd; hook != nil {
		end := QueryEnd{QueryStart: t.start, Tag: tag, Rows: rows, Duration: time.Since(t.begun), Err: err}
		callHook(t.conn, "query end", func(q QueryEnd) { hook(t.ctx, q) }, end)
	}
}

// tracerStart tells the pgx tracer alone, which also sees the statements of transactions. Without a tracer it does nothing.
func (c *Conn) tracerStart(ctx context.Context, sql string, args []any) context.Context {
	if c.tracer == nil {
		return ctx
	}
	data := pgx.TraceQueryStartData{SQL: sql, Args: args}
	return c.hookContext(ctx, "tracer", func() context.Context { return c.tracer.TraceQueryStart(ctx, c.px, data) })
}

func (c *Conn) tracerEnd(ctx context.Context, tag string, err error) {
	if c.tracer == nil {
		return
	}
	data := pgx.TraceQueryEndData{CommandTag: pgconn.NewCommandTag(tag), Err: err}
	callHook(c, "tracer", func(data pgx.TraceQueryEndData) { c.tracer.TraceQueryEnd(ctx, c.px, data) }, data)
}

// tracePrepare tells the pgx tracer of a statement that is prepared; the function that it returns tells of the end.
func (c *Conn) tracePrepare(ctx context.Context, sql string) (context.Context, func(known bool, err error)) {
	t, ok := c.tracer.(pgx.PrepareTracer)
	if !ok {
		return ctx, func(bool, error) {}
	}
	data := pgx.TracePrepareStartData{Name: sql, SQL: sql}
	ctx = c.hookContext(ctx, "tracer", func() context.Context { return t.TracePrepareStart(ctx, c.px, data) })
	return ctx, func(known bool, err error) {
		data := pgx.TracePrepareEndData{AlreadyPrepared: known, Err: err}
		callHook(c, "tracer", func(data pgx.TracePrepareEndData) { t.TracePrepareEnd(ctx, c.px, data) }, data)
	}
}
