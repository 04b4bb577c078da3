package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
)

// bulkRow is a row that is inserted.
type bulkRow struct {
	ID     int64
	Name   string
	At     time.Time
	Amount float64
}

const insertBulk = "insert into bulk (id, name, at, amount) values "

// values are the row as arguments.
func (r *bulkRow) values() []any { return []any{r.ID, r.Name, r.At, r.Amount} }

// bulkRows are n rows.
func bulkRows(n int64) []bulkRow {
	rows := make([]bulkRow, n)
	for i := range rows {
		at := time.Date(2026, time.January, 1, 0, 0, i, 0, time.UTC)
		rows[i] = bulkRow{int64(i), "name " + strconv.Itoa(i), at, float64(i) / 4}
	}
	return rows
}

// copyFrom is the rival of the ratios.
const copyFrom = "pgx CopyFrom"

// writers are the ways to insert the rows, all or nothing. Each starts from a slice of structs.
func writers() []rival {
	const n = 10_000
	rows := bulkRows(n)
	ours := func(run func(context.Context, ext.Querier, []bulkRow) (int64, error)) func(context.Context, place) (solution, error) {
		return overOurs(n, func(ctx context.Context, q ext.Querier) (int64, error) { return run(ctx, q, rows) })
	}
	pgxs := func(run func(context.Context, *pgxpool.Pool, []bulkRow) (int64, error)) func(context.Context, place) (solution, error) {
		return overPgx(n, func(ctx context.Context, pool *pgxpool.Pool) (int64, error) { return run(ctx, pool, rows) })
	}
	return []rival{
		{"pycopg ext.InsertMany", ours(insertMany)},
		{"pycopg copyin.Structs", ours(copyStructs)},
		{copyFrom, pgxs(copyWithPgx)},
		{"pgx multi-VALUES", pgxs(insertValues)},
		{"pgx Batch", pgxs(insertBatch)},
	}
}

// inserted checks how many rows were inserted, or read.
func inserted(want, n int64, err error) error {
	if err == nil && n != want {
		err = fmt.Errorf("%d rows, want %d", n, want)
	}
	return err
}

func overOurs(want int64, run func(context.Context, ext.Querier) (int64, error)) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := openOurs(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		db := c.(sqlClient).db
		return solution{func(ctx context.Context) error {
			n, err := run(ctx, db)
			return inserted(want, n, err)
		}, c.close}, nil
	}
}

func overPgx(want int64, run func(context.Context, *pgxpool.Pool) (int64, error)) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := openNative(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		pool := c.(pgxClient).pool
		return solution{func(ctx context.Context) error {
			n, err := run(ctx, pool)
			return inserted(want, n, err)
		}, c.close}, nil
	}
}

func insertMany(ctx context.Context, q ext.Querier, rows []bulkRow) (int64, error) {
	result, err := ext.InsertMany(ctx, q, "bulk", rows, ext.InsertOptions{})
	return result.Inserted, err
}

func copyStructs(ctx context.Context, q ext.Querier, rows []bulkRow) (int64, error) {
	return copyin.Structs(ctx, q, "bulk", rows, copyin.Options{})
}

func copyWithPgx(ctx context.Context, pool *pgxpool.Pool, rows []bulkRow) (int64, error) {
	return pool.CopyFrom(ctx, pgx.Identifier{"bulk"}, []string{"id", "name", "at", "amount"},
		pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return rows[i].values(), nil }))
}

// insertValues sends one statement with a tuple for each row: 40 000 of the 65 535 arguments that a statement may have.
func insertValues(ctx context.Context, pool *pgxpool.Pool, rows []bulkRow) (int64, error) {
	sql, args := []byte(insertBulk), make([]any, 0, 4*len(rows))
	for i := range rows {
		separator := "($"
		if i > 0 {
			separator = "),($"
		}
		for _, v := range rows[i].values() {
			args = append(args, v)
			sql = strconv.AppendInt(append(sql, separator...), int64(len(args)), 10)
			separator = ",$"
		}
	}
	sql = append(sql, ')')
	tag, err := pool.Exec(ctx, string(sql), args...)
	return tag.RowsAffected(), err
}

func insertBatch(ctx context.Context, pool *pgxpool.Pool, rows []bulkRow) (n int64, err error) {
	var b pgx.Batch
	for i := range rows {
		b.Queue(insertBulk+"($1, $2, $3, $4)", rows[i].values()...)
	}
	results := pool.SendBatch(ctx, &b)
	defer results.Close()
	for range rows {
		tag, err := results.Exec()
		if err != nil {
			return 0, err
		}
		n += tag.RowsAffected()
	}
	return n, results.Close()
}
