package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/pycopg/pycopg/ext"
)

// exampleDB is a pool of one connection to the examples' server, with a temporary table account.
func exampleDB() *sql.DB {
	db := examplePool()
	_, err := db.Exec(`
		create temp table account (name text primary key, cents int not null check (cents >= 0));
		insert into account values ('anna', 500), ('ben', 100)`)
	if err != nil {
		log.Fatal(err)
	}
	return db
}

// move moves cents from one account to another, all or nothing, in a transaction or inside one.
func move(ctx context.Context, q ext.Querier, from, to string, cents int) error {
	return ext.InTx(ctx, q, ext.TxOptions{Retry: 3}, func(tx *ext.Tx) error {
		const change = "update account set cents = cents + $2 where name = $1"
		if _, err := tx.ExecContext(ctx, change, to, cents); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, change, from, -cents)
		return err
	})
}

func ExampleInTx() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	err := ext.InTx(ctx, db, ext.TxOptions{Isolation: sql.LevelSerializable}, func(tx *ext.Tx) error {
		if err := move(ctx, tx, "anna", "ben", 200); err != nil { // behind a savepoint
			return err
		}
		if err := move(ctx, tx, "ben", "anna", 1000); err != nil {
			fmt.Println("not moved:", err)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ext.QueryVal[int](ctx, db, "select cents from account where name = 'ben'"))
	// Output:
	// not moved: ERROR: new row for relation "account" violates check constraint "account_cents_check" (SQLSTATE 23514)
	// 300 <nil>
}

func ExampleRollback() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	err := ext.InTx(ctx, db, ext.TxOptions{}, func(outer *ext.Tx) error {
		if err := move(ctx, outer, "anna", "ben", 1); err != nil {
			return err
		}
		return ext.InTx(ctx, outer, ext.TxOptions{}, func(inner *ext.Tx) error {
			fmt.Println("in", inner.SavepointName(), "at depth", inner.Depth())
			return ext.Rollback(outer)
		})
	})
	fmt.Println(err)
	fmt.Println(ext.QueryVal[int](ctx, db, "select cents from account where name = 'ben'"))
	// Output:
	// in _pg3_2 at depth 2
	// <nil>
	// 100 <nil>
}

func ExampleSavepoint() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	tx, err := db.Begin() // or the transaction of sqlx, bun, …
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	err = ext.Savepoint(ctx, tx, "try", func(ctx context.Context) error {
		_, err := tx.ExecContext(ctx, "insert into account values ('anna', 0)")
		return err
	})
	fmt.Println(err != nil)
	fmt.Println(ext.Count(ctx, tx, "account", ""))
	// Output:
	// true
	// 2 <nil>
}

func ExampleWithSession() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	err := ext.WithSession(ctx, db, ext.SessionOptions{ManualCommit: true}, func(ctx context.Context, conn *sql.Conn) error {
		if _, err := ext.Exec(ctx, conn, "update account set cents = 0"); err != nil { // begins a transaction
			return err
		}
		if err := ext.RollbackSession(ctx, conn); err != nil {
			return err
		}
		_, err := ext.Exec(ctx, conn, "update account set cents = cents + 1") // begins another
		fmt.Println(ext.SetSession(ctx, conn, ext.SessionOptions{}))
		return err // nil commits
	})
	fmt.Println(err)
	fmt.Println(ext.Query[int](ctx, db, "select cents from account order by cents"))
	// Output:
	// ext: set session: driver: connection is inside a transaction: cannot change the manual commit mode: connection in transaction status INTRANS
	// <nil>
	// [101 501] <nil>
}

func ExampleBeginTPC() {
	ctx, db := context.Background(), examplePool()
	db.SetMaxOpenConns(2)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	xid, err := ext.NewXid(1, "order 17", "stock")
	if err != nil {
		log.Fatal(err)
	}
	tpc, err := ext.BeginTPC(ctx, conn, xid)
	if err != nil {
		log.Fatal(err)
	}
	defer tpc.Rollback() // until it has been prepared
	if _, err := ext.Exec(ctx, tpc, "create table example_stock (item text)"); err != nil {
		log.Fatal(err)
	}
	prepared, err := tpc.Prepare(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(prepared.Xid())
	waiting, err := ext.RecoverPrepared(ctx, db) // in a program that finds them after a crash
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range waiting {
		fmt.Println(p.Xid.GTRID(), "/", p.Xid.BQual(), "of", p.Owner)
	}
	fmt.Println(prepared.Rollback(ctx))
	fmt.Println(errors.Is(ext.CommitPrepared(ctx, db, xid), ext.ErrNotPrepared))
	// Output:
	// 1_b3JkZXIgMTc=_c3RvY2s=
	// order 17 / stock of postgres
	// <nil>
	// true
}
