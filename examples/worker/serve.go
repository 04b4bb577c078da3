package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/listen"
)

// move takes all deliveries into the stock, in one statement.
const move = `with taken as (delete from delivery returning sku, amount)
insert into stock as s (sku, amount) select sku, sum(amount) from taken group by sku
on conflict (sku) do update set amount = s.amount + excluded.amount`

// serve moves deliveries into the stock until ctx ends: those that are there, those that it is told of, and, when the connection was
// lost for a while, those that it was not told of. moved is told how many items each time have changed.
func serve(ctx context.Context, db *sql.DB, moved func(items int64)) error {
	take := func(ctx context.Context) error {
		res, err := ext.Exec(ctx, db, move)
		if err == nil {
			moved(res.RowsAffected)
		}
		return err
	}
	l := listen.New(db, listen.ListenerOptions{
		// CatchUp runs whenever the listener has connected: first of all, and after each loss.
		CatchUp: func(ctx context.Context, _ listen.Gap) error { return take(ctx) },
	})
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	_, err := l.Handle(ctx, channel, listen.SubOptions{}, func(ctx context.Context, e listen.Event) {
		if e.Gap != nil { // CatchUp has seen to it
			return
		}
		if err := take(ctx); err != nil {
			stop(err)
		}
	})
	if err != nil {
		return err
	}
	err = l.Run(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
