// Command worker keeps a shop's stock: it books orders, takes in deliveries from CSV, and tells other workers about them.
// It is small, and does the three things that are hard to test against a database: it tries a transaction again after a
// serialization failure, listens to a channel through the loss of its connection, and copies rows.
//
// Its tests need no server: see worker_mock_test.go (sqltest/mock) and worker_fake_test.go (sqltest.Fake).
// worker_real_test.go runs the same program on a real one.
//
//	worker init              makes the tables
//	worker deliver < a.csv   takes in a delivery: sku,amount with a header line
//	worker order SKU AMOUNT  books an order
//	worker serve             moves deliveries into the stock as they arrive
//
// DATABASE_URL names the database.
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"

	_ "github.com/pycopg/pycopg/driver"
)

//go:embed schema.sql
var schema string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Getenv("DATABASE_URL"), os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: worker init | deliver < file.csv | order SKU AMOUNT | serve")

func run(ctx context.Context, dsn string, args []string, in io.Reader, out io.Writer) error {
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	switch {
	case len(args) == 1 && args[0] == "init":
		_, err := db.ExecContext(ctx, schema)
		return err
	case len(args) == 1 && args[0] == "deliver":
		n, err := deliver(ctx, db, in)
		if err == nil {
			fmt.Fprintf(out, "%d lines\n", n)
		}
		return err
	case len(args) == 3 && args[0] == "order":
		amount, err := strconv.Atoi(args[2])
		if err != nil {
			return errUsage
		}
		left, err := order(ctx, db, args[1], amount)
		if err == nil {
			fmt.Fprintf(out, "%d left\n", left)
		}
		return err
	case len(args) == 1 && args[0] == "serve":
		return serve(ctx, db, func(moved int64) { fmt.Fprintf(out, "%d lines moved\n", moved) })
	}
	return errUsage
}
