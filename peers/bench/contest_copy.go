package main

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/ext"
)

const manyRows = "select id, name, at, amount from million" // they have the columns of bulkRow

// copyIns copies rows into a table: from structs or slices of values that are there already, and a stream that was made before,
// which is the floor.
func copyIns(n int64) contest {
	rows := bulkRows(n)
	values := make([][]any, len(rows))
	for i := range rows {
		values[i] = rows[i].values()
	}
	return contest{
		name: "copyin/100000", part: "copy", reference: copyFrom, floor: floor, count: 2, rounds: roughly, reset: "truncate bulk",
		rivals: []rival{
			{"pycopg copyin.Structs", overOurs(n, func(ctx context.Context, q ext.Querier) (int64, error) {
				return copyin.Structs(ctx, q, "bulk", rows, copyin.Options{})
			})},
			{"pycopg copyin.Rows", overOurs(n, func(ctx context.Context, q ext.Querier) (int64, error) {
				return copyin.Rows(ctx, q, "bulk", values, copyin.Options{})
			})},
			{copyFrom, overPgx(n, func(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
				return pool.CopyFrom(ctx, pgx.Identifier{"bulk"}, bulkColumns, pgx.CopyFromRows(values))
			})},
			{"lib/pq CopyIn", copyWithPq(values)},
			{floor, copyFloor(rows)},
		},
	}
}

var bulkColumns = []string{"id", "name", "at", "amount"}

// copyWithPq copies in the way of lib/pq: a prepared statement in a transaction.
func copyWithPq(rows [][]any) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := openPq(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		db := c.(sqlClient).db
		return solution{func(ctx context.Context) error {
			n, err := copyInTx(ctx, db, rows)
			return inserted(int64(len(rows)), n, err)
		}, c.close}, nil
	}
}

func copyInTx(ctx context.Context, db *sql.DB, rows [][]any) (int64, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	stmt, err := tx.PrepareContext(ctx, `copy bulk (id, name, at, amount) from stdin`)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return 0, err
		}
	}
	result, err := stmt.ExecContext(ctx)
	if err != nil {
		return 0, err
	}
	if err := stmt.Close(); err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, err
	}
	return n, tx.Commit()
}

// copyOuts reads a table of many rows, each into a struct.
func copyOuts(n int64) contest {
	return contest{
		name: "copyout/1000000", part: "copy", reference: pgxSelect, count: 1, rounds: delayed,
		prepare: "create unlogged table if not exists million as select i::int8 as id, 'name ' || i as name," +
			" timestamptz '2026-01-01 00:00:00Z' + i * interval '1 second' as at, i / 4.0::float8 as amount from generate_series(1, " + strconv.FormatInt(n, 10) + ") i",
		rivals: []rival{
			{"pycopg copyout.Rows", overOurs(n, func(ctx context.Context, q ext.Querier) (n int64, err error) {
				for row, err := range copyout.Rows[bulkRow](ctx, q, copyout.Query(manyRows)) {
					if err != nil {
						return n, err
					}
					n += min(row.ID, 1)
				}
				return n, nil
			})},
			{"pycopg ext.Stream", overOurs(n, func(ctx context.Context, q ext.Querier) (n int64, err error) {
				for row, err := range ext.Stream[bulkRow](ctx, q, manyRows) {
					if err != nil {
						return n, err
					}
					n += min(row.ID, 1)
				}
				return n, nil
			})},
			{pgxSelect, overPgx(n, selectWithPgx)},
			{"pgx RowToStructByName", overPgx(n, structsWithPgx)},
			{"pgx/stdlib SELECT", selectWith(n, openStdlib)},
			{"lib/pq SELECT", selectWith(n, openPq)},
		},
	}
}

// pgxSelect is the rival of the ratios.
const pgxSelect = "pgx SELECT"

func selectWithPgx(ctx context.Context, pool *pgxpool.Pool) (n int64, err error) {
	rows, err := pool.Query(ctx, manyRows)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var r bulkRow
		if err := rows.Scan(&r.ID, &r.Name, &r.At, &r.Amount); err != nil {
			return n, err
		}
		n += min(r.ID, 1)
	}
	return n, rows.Err()
}

func structsWithPgx(ctx context.Context, pool *pgxpool.Pool) (n int64, err error) {
	rows, err := pool.Query(ctx, manyRows)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := pgx.RowToStructByName[bulkRow](rows)
		if err != nil {
			return n, err
		}
		n += min(r.ID, 1)
	}
	return n, rows.Err()
}

func selectWith(want int64, open func(context.Context, place, int) (client, error)) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := open(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		db := c.(sqlClient).db
		return solution{func(ctx context.Context) error {
			n, err := selectAll(ctx, db)
			return inserted(want, n, err)
		}, c.close}, nil
	}
}

func selectAll(ctx context.Context, db *sql.DB) (n int64, err error) {
	rows, err := db.QueryContext(ctx, manyRows)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var r bulkRow
		if err := rows.Scan(&r.ID, &r.Name, &r.At, &r.Amount); err != nil {
			return n, err
		}
		n += min(r.ID, 1)
	}
	return n, rows.Err()
}
