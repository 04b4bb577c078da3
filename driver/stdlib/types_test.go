package stdlib_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver/stdlib"
)

// point is a composite type of the test's database.
type point struct{ X, Y int32 }

// TestTypesRegisteredAfterConnect: what pgx's type map knows of a type holds for the driver's statements.
func TestTypesRegisteredAfterConnect(t *testing.T) {
	t.Parallel()
	c := config(t)
	mustExec(t, closed(t, stdlib.OpenDB(*c)), "create type pixel as (x int, y int)")
	db := closed(t, stdlib.OpenDB(*c, stdlib.OptionAfterConnect(func(ctx context.Context, px *pgx.Conn) error {
		pixel, err := px.LoadType(ctx, "pixel")
		if err == nil {
			px.TypeMap().RegisterType(pixel)
		}
		return err
	})))
	for range 7 {
		if got := value[int](t, db, "select ($1::pixel).y", point{X: 3, Y: 4}); got != 4 {
			t.Errorf("y = %d", got)
		}
	}
	conn := one(t, db)
	var got point
	raw(t, conn, func(px *pgx.Conn) error {
		return px.QueryRow(t.Context(), "select '(5,6)'::pixel").Scan(&got)
	})
	if got != (point{X: 5, Y: 6}) {
		t.Errorf("got %+v", got)
	}
}
