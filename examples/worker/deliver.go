package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/listen"
)

// channel is where workers tell of deliveries.
const channel = "delivery"

// line is a line of a delivery.
type line struct {
	SKU    string
	Amount int32
}

// deliver copies the lines of a CSV file into the table of deliveries, all of them or none, and tells the workers.
func deliver(ctx context.Context, db *sql.DB, in io.Reader) (n int64, err error) {
	lines, err := readLines(in)
	if err != nil {
		return 0, err
	}
	err = ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
		if n, err = copyin.Structs(ctx, tx, "delivery", lines, copyin.Options{}); err != nil {
			return err
		}
		return listen.Notify(ctx, tx, channel, strconv.FormatInt(n, 10))
	})
	return n, err
}

func readLines(in io.Reader) ([]line, error) {
	records, err := csv.NewReader(in).ReadAll()
	if err != nil || len(records) == 0 {
		return nil, err
	}
	lines := make([]line, 0, len(records)-1)
	for i, r := range records[1:] {
		if len(r) != 2 {
			return nil, fmt.Errorf("line %d: want sku,amount", i+2)
		}
		amount, err := strconv.ParseInt(r[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		lines = append(lines, line{r[0], int32(amount)})
	}
	return lines, nil
}
