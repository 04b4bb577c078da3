package ext

import (
	"context"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// ExecOutsideTx runs a statement that PostgreSQL refuses inside a transaction: VACUUM, CREATE DATABASE, CREATE INDEX CONCURRENTLY
// and the like. On a *sql.Conn inside a transaction it is [ErrInTransaction], and nothing is sent; a session in manual commit
// begins none for it. (No connection of a pool is inside a transaction, and a pool may try again with another where one is
// dead.)
func ExecOutsideTx(ctx context.Context, q OutsideTx, statement string) error {
	if err := nilhandle.Check(q); err != nil {
		return err
	}
	if isPool(q) {
		_, err := q.ExecContext(ctx, statement)
		return err
	}
	_, err := driver.Do(ctx, q, statement, func(ctx context.Context, c *driver.Conn) (int64, error) {
		res, err := c.ExecOutsideTx(ctx, statement)
		if err != nil {
			return 0, err
		}
		return res.RowsAffected()
	})
	return err
}
