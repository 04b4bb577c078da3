package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/ext"
)

var errSoldOut = errors.New("sold out")

// order takes an amount out of the stock and returns what is left. Where others take at the same time, the server refuses one
// of the transactions with SQLSTATE 40001, and that one runs again.
func order(ctx context.Context, db *sql.DB, sku string, amount int) (left int, err error) {
	options := ext.TxOptions{Isolation: sql.LevelSerializable, Retry: 5}
	err = ext.InTx(ctx, db, options, func(tx *ext.Tx) error {
		left, err = ext.QueryVal[int](ctx, tx, "select amount from stock where sku = $1", sku)
		if err != nil {
			return fmt.Errorf("%s: %w", sku, err)
		}
		if left -= amount; left < 0 {
			return fmt.Errorf("%s: %w", sku, errSoldOut)
		}
		_, err := tx.ExecContext(ctx, "update stock set amount = $1 where sku = $2", left, sku)
		return err
	})
	return left, err
}
