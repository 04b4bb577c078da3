package driver

import (
	"context"
	"time"
)

// queryTrace carries a statement from OnQueryStart to OnQueryEnd. It is nil, and does nothing, without hooks.
type queryTrace struct {
	start QueryStart
	begun time.Time
	done  func(context.Context, QueryEnd)
}

// traceStart tells the hook that a statement starts, and returns the context that it runs under.
func (c *Conn) traceStart(ctx context.Context, sql string, args []any, prepared bool) (context.Context, *queryTrace) {
	if c.cfg.OnQueryStart == nil && c.cfg.OnQueryEnd == nil {
		return ctx, nil
	}
	t := &queryTrace{start: QueryStart{SQL: sql, Args: args, Prepared: prepared}, begun: time.Now(), done: c.cfg.OnQueryEnd}
	if c.cfg.OnQueryStart != nil {
		ctx = c.cfg.OnQueryStart(ctx, t.start)
	}
	return ctx, t
}

// end tells the hook that the statement has ended.
func (t *queryTrace) end(ctx context.Context, tag string, rows int64, err error) {
	if t != nil && t.done != nil {
		t.done(ctx, QueryEnd{QueryStart: t.start, Tag: tag, Rows: rows, Duration: time.Since(t.begun), Err: err})
	}
}
