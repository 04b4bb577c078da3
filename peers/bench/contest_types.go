package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/ext"
)

// pairRow is a composite as a struct; pgx fills its fields by their order.
type pairRow struct {
	A int32
	B string
}

// The rows of the contests of types. Each has one column.
type (
	intsRow      struct{ V []int32 }
	textsRow     struct{ V []string }
	documentRow  struct{ V document }
	compositeRow struct{ V pairRow }
)

type document struct {
	ID   int      `json:"id"`
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

const (
	typedRows  = 1000
	createPair = "do $$ begin create type bench_pair as (a int4, b text); exception when duplicate_object then null; end $$"
	fromSeries = " as v from generate_series(1, 1000) i"
)

// typeContests read arrays, jsonb and composites into Go values.
func typeContests() []contest {
	return []contest{
		typeContest[intsRow]("types/int4[]", "select array[i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7]"+fromSeries),
		typeContest[textsRow]("types/text[]", "select array['name ' || i, 'some text', 'a \"quote\"', 'x']"+fromSeries),
		typeContest[documentRow]("types/jsonb", "select jsonb_build_object('id', i, 'name', 'name ' || i, 'tags', array['a', 'b'])"+fromSeries),
		typeContest[compositeRow]("types/composite", "select row(i, 'name ' || i)::bench_pair"+fromSeries),
	}
}

func typeContest[T any](name, query string) contest {
	checked := func(rows []T, err error) error {
		if err == nil && len(rows) != typedRows {
			err = fmt.Errorf("%d rows, want %d", len(rows), typedRows)
		}
		return err
	}
	oursOpen := func(ctx context.Context, where place) (solution, error) {
		c, err := openOurs(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		db := c.(sqlClient).db
		if _, err := db.ExecContext(ctx, createPair); err != nil {
			return solution{}, err
		}
		if _, err := ext.LoadTypes(ctx, db, "bench_pair"); err != nil {
			return solution{}, err
		}
		return solution{func(ctx context.Context) error { return checked(ext.Query[T](ctx, db, query)) }, c.close}, nil
	}
	pgxOpen := func(ctx context.Context, where place) (solution, error) {
		c, err := openNative(ctx, where, 1)
		if err != nil {
			return solution{}, err
		}
		pool := c.(pgxClient).pool
		if err := pool.AcquireFunc(ctx, loadPair); err != nil {
			return solution{}, err
		}
		return solution{func(ctx context.Context) error {
			rows, err := pool.Query(ctx, query)
			if err != nil {
				return err
			}
			return checked(pgx.CollectRows(rows, pgx.RowToStructByName[T]))
		}, c.close}, nil
	}
	return contest{
		name: name, part: "ext", rivals: []rival{{"pycopg ext.Query", oursOpen}, {collectRows, pgxOpen}}, reference: collectRows,
		count: few, rounds: roughly,
	}
}

// loadPair registers the composite on the pool's connection, which is its only one.
func loadPair(c *pgxpool.Conn) error {
	ctx := context.Background()
	if _, err := c.Exec(ctx, createPair); err != nil {
		return err
	}
	t, err := c.Conn().LoadType(ctx, "bench_pair")
	if err == nil {
		c.Conn().TypeMap().RegisterType(t)
	}
	return err
}
