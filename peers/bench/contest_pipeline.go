package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/ext"
)

// pipelined is how many statements travel together.
const pipelined = 1000

// A statement of the contest gives back a value.
const pipelinedSQL = "select $1::int8 + 1"

// sendBatch is the rival of the ratios.
const sendBatch = "pgx SendBatch"

// pipelines are the ways to run many statements without waiting for each; all but the last one wait once.
func pipelines() []rival {
	return []rival{
		{"pycopg ext.Pipeline", onOurs(pipelineValues)},
		{"pycopg ext.QueryMany", onOurs(queryManyValues)},
		{sendBatch, onPgx(batchValues)},
		{"one by one, pycopg", onOurs(singleValues)},
	}
}

// onOurs is a rival over this driver's pool.
func onOurs(run func(context.Context, *sql.DB) error) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := openOurs(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		db := c.(sqlClient).db
		return solution{func(ctx context.Context) error { return run(ctx, db) }, c.close}, nil
	}
}

// onPgx is a rival over pgx's own pool.
func onPgx(run func(context.Context, *pgxpool.Pool) error) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := openNative(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		pool := c.(pgxClient).pool
		return solution{func(ctx context.Context) error { return run(ctx, pool) }, c.close}, nil
	}
}

// next checks what the statement gave for i.
func next(i int, got int64, err error) error {
	if err == nil && got != int64(i)+1 {
		err = fmt.Errorf("statement %d gave %d", i, got)
	}
	return err
}

func pipelineValues(ctx context.Context, db *sql.DB) error {
	values := make([]*ext.Pending[int64], pipelined)
	err := ext.Pipeline(ctx, db, func(p *ext.Pipe) error {
		for i := range values {
			values[i] = ext.QueueVal[int64](p, pipelinedSQL, i)
		}
		return nil
	})
	for i, v := range values {
		if err == nil {
			var n int64
			n, err = v.Get()
			err = next(i, n, err)
		}
	}
	return err
}

func queryManyValues(ctx context.Context, db *sql.DB) error {
	sets := make([][]any, pipelined)
	for i := range sets {
		sets[i] = []any{i}
	}
	all, err := ext.QueryMany[int64](ctx, db, pipelinedSQL, sets)
	for i, rows := range all {
		if err == nil {
			err = next(i, rows[0], nil)
		}
	}
	return err
}

func batchValues(ctx context.Context, pool *pgxpool.Pool) error {
	var b pgx.Batch
	for i := range pipelined {
		b.Queue(pipelinedSQL, i)
	}
	results := pool.SendBatch(ctx, &b)
	defer results.Close()
	for i := range pipelined {
		var n int64
		err := results.QueryRow().Scan(&n)
		if err := next(i, n, err); err != nil {
			return err
		}
	}
	return results.Close()
}

func singleValues(ctx context.Context, db *sql.DB) error {
	for i := range pipelined {
		var n int64
		err := db.QueryRowContext(ctx, pipelinedSQL, i).Scan(&n)
		if err := next(i, n, err); err != nil {
			return err
		}
	}
	return nil
}

// plainStream is the rival of the ratios.
const plainStream = "pycopg ext.Stream"

// pagers are the ways to go over rows without holding them all.
func pagers() []rival {
	return []rival{
		{plainStream, onOurs(streamRows)},
		{"cursor, pages of 1000", onOurs(pageRows(1000))},
		{"cursor, pages of 100", onOurs(pageRows(100))},
		{"pgx rows", onPgx(scanRows)},
	}
}

// counted checks the number of rows.
func counted(n int, err error) error {
	if err == nil && n != 10000 {
		err = fmt.Errorf("%d rows, want 10000", n)
	}
	return err
}

func streamRows(ctx context.Context, db *sql.DB) error {
	n := 0
	for _, err := range ext.Stream[cellRow](ctx, db, allCells) {
		if err != nil {
			return err
		}
		n++
	}
	return counted(n, nil)
}

func pageRows(size int) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
			cur, err := ext.DeclareCursor(ctx, tx, "cells", ext.CursorOptions{PageSize: size}, allCells)
			if err != nil {
				return err
			}
			n := 0
			for _, err := range ext.FetchPages[cellRow](ctx, cur) {
				if err != nil {
					return err
				}
				n++
			}
			return counted(n, cur.Close(ctx))
		})
	}
}

func scanRows(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, allCells)
	if err != nil {
		return err
	}
	n := 0
	var r cellRow
	_, err = pgx.ForEachRow(rows, []any{&r.Int8, &r.Text, &r.Float8, &r.Bool, &r.Timestamptz, &r.Numeric}, func() error {
		n++
		return nil
	})
	return counted(n, err)
}
