package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pgxClient runs operations through pgx's own interface.
type pgxClient struct{ pool *pgxpool.Pool }

func openNative(ctx context.Context, where place, conns int) (client, error) {
	cfg, err := pgxpool.ParseConfig(dsn(where.addr))
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig.DialFunc = pgconn.DialFunc(where.dial)
	cfg.MaxConns = int32(conns)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return pgxClient{pool}, nil
}

func (c pgxClient) close() { c.pool.Close() }

func (c pgxClient) bind(o op) (program, error) {
	p := &pgxProgram{op: o, pool: c.pool}
	if o.dest != nil {
		p.dest = o.dest()
	}
	if o.tx {
		return p.runTx, nil
	}
	return func(ctx context.Context) error { return p.runTimes(ctx, p.pool) }, nil
}

// pgxProgram is an operation over pgx. A statement that the program is to prepare once is left to pgx's own cache, which
// is how pgx programs prepare.
type pgxProgram struct {
	op
	pool *pgxpool.Pool
	dest []any
}

// pgxHandle is a pool or a transaction.
type pgxHandle interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (p *pgxProgram) runTx(ctx context.Context) error {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return err
	}
	if err := p.runTimes(ctx, tx); err != nil {
		tx.Rollback(ctx)
		return err
	}
	return tx.Commit(ctx)
}

func (p *pgxProgram) runTimes(ctx context.Context, h pgxHandle) error {
	for range p.times {
		if err := p.runOnce(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func (p *pgxProgram) runOnce(ctx context.Context, h pgxHandle) error {
	switch {
	case p.prepared == eachTime:
		return p.pool.AcquireFunc(ctx, p.prepareAndExec)
	case p.dest == nil:
		_, err := h.Exec(ctx, p.sql, p.args...)
		return err
	case !p.many:
		return h.QueryRow(ctx, p.sql, p.args...).Scan(p.dest...)
	}
	rows, err := h.Query(ctx, p.sql, p.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(p.dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *pgxProgram) prepareAndExec(c *pgxpool.Conn) error {
	const name = "bench"
	ctx := context.Background()
	if _, err := c.Conn().Prepare(ctx, name, p.sql); err != nil {
		return err
	}
	if _, err := c.Conn().Exec(ctx, name, p.args...); err != nil {
		return err
	}
	return c.Conn().Deallocate(ctx, name)
}
