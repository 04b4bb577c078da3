package main

import (
	"context"
	"fmt"
	"time"

	"github.com/georgysavva/scany/v2/pgxscan"
	"github.com/georgysavva/scany/v2/sqlscan"
	"github.com/jackc/pgx/v5"
	"github.com/jmoiron/sqlx"

	"github.com/pycopg/pycopg/ext"
)

// cellRow is a row of the scan of the budgets, as a struct.
type cellRow struct {
	Int8        int64     `db:"int8"`
	Text        string    `db:"text"`
	Float8      float64   `db:"float8"`
	Bool        bool      `db:"bool"`
	Timestamptz time.Time `db:"timestamptz"`
	Numeric     string    `db:"numeric"`
}

// What is read into structs: one row, or all 10 000.
const (
	allCells = "select int8, text, float8, bool, timestamptz, numeric from cell"
	oneCell  = allCells + " where i = $1 limit 1" // there is no index: it is near the beginning
)

// collectRows is the rival of the ratios.
const collectRows = "pgx CollectRows"

// readers are the ways to read the rows of query into structs; one of them is one row, by its number.
func readers(query string, one bool) []rival {
	var args []any
	want := 10000
	if one {
		args, want = []any{77}, 1
	}
	task := readTask{query, args, want}
	return []rival{
		{"pycopg ext.Query", task.ext},
		{collectRows, task.collectRows},
		{"scany pgxscan", task.pgxscan},
		{"scany sqlscan, pgx/stdlib", task.sqlscan},
		{"sqlx, pgx/stdlib", task.sqlx("pgx/stdlib", openStdlib)},
		{"sqlx, pycopg", task.sqlx("pycopg", openOurs)},
	}
}

// readTask is what the readers have to do. The number of rows is checked each time.
type readTask struct {
	query string
	args  []any
	want  int
}

func (t readTask) checked(rows []cellRow, err error) error {
	if err == nil && len(rows) != t.want {
		err = fmt.Errorf("%d rows, want %d", len(rows), t.want)
	}
	return err
}

func (t readTask) ext(ctx context.Context, where place) (solution, error) {
	c, err := openOurs(ctx, where, 1)
	if err != nil {
		return solution{}, err
	}
	db := c.(sqlClient).db
	return solution{func(ctx context.Context) error {
		return t.checked(ext.Query[cellRow](ctx, db, t.query, t.args...))
	}, c.close}, nil
}

func (t readTask) collectRows(ctx context.Context, where place) (solution, error) {
	c, err := openNative(ctx, where, 1)
	if err != nil {
		return solution{}, err
	}
	pool := c.(pgxClient).pool
	return solution{func(ctx context.Context) error {
		rows, err := pool.Query(ctx, t.query, t.args...)
		if err != nil {
			return err
		}
		return t.checked(pgx.CollectRows(rows, pgx.RowToStructByName[cellRow]))
	}, c.close}, nil
}

func (t readTask) pgxscan(ctx context.Context, where place) (solution, error) {
	c, err := openNative(ctx, where, 1)
	if err != nil {
		return solution{}, err
	}
	pool := c.(pgxClient).pool
	return solution{func(ctx context.Context) error {
		var rows []cellRow
		err := pgxscan.Select(ctx, pool, &rows, t.query, t.args...)
		return t.checked(rows, err)
	}, c.close}, nil
}

func (t readTask) sqlscan(ctx context.Context, where place) (solution, error) {
	c, err := openStdlib(ctx, where, 1)
	if err != nil {
		return solution{}, err
	}
	db := c.(sqlClient).db
	return solution{func(ctx context.Context) error {
		var rows []cellRow
		err := sqlscan.Select(ctx, db, &rows, t.query, t.args...)
		return t.checked(rows, err)
	}, c.close}, nil
}

// sqlx is sqlx over a driver.
func (t readTask) sqlx(name string, open func(context.Context, place, int) (client, error)) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		c, err := open(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		db := sqlx.NewDb(c.(sqlClient).db, name)
		return solution{func(ctx context.Context) error {
			var rows []cellRow
			err := db.SelectContext(ctx, &rows, t.query, t.args...)
			return t.checked(rows, err)
		}, c.close}, nil
	}
}
