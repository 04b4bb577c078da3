package main

import (
	"context"

	"github.com/pycopg/pycopg/ext"
)

// pageThroughCursor reads a table by pages, and uses the transaction that the cursor is in for other statements meanwhile.
func pageThroughCursor(ctx context.Context, s *session) error {
	return ext.InTx(ctx, s.db, ext.TxOptions{ForceRollback: true}, func(tx *ext.Tx) error {
		cur, err := ext.DeclareCursor(ctx, tx, "countries", ext.CursorOptions{PageSize: 100},
			"select country from country where zones >= $1 order by country", 10)
		if err != nil {
			return err
		}
		n := 0
		for country, err := range ext.FetchPages[string](ctx, cur) {
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "update country set zones = zones + 1 where country = $1", country); err != nil {
				return err
			}
			n++
		}
		s.out.line("the cursor stands at %d, and %d countries with ten zones or more were counted up", cur.Position(), n)
		return cur.Close(ctx)
	})
}
