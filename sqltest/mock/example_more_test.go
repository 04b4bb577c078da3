package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func ExampleReply_WillNotice() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectExec("drop table").WillNotice("NOTICE", "00000", `table "users" does not exist, skipping`)
	ctx := ext.WithNotices(context.Background(), func(n ext.Notice) { fmt.Println(n.Severity, n.Message) })
	_, err := db.ExecContext(ctx, "drop table if exists users")
	fmt.Println(err)
	// Output:
	// NOTICE table "users" does not exist, skipping
	// <nil>
}

func ExampleReply_WillBeCancelled() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	slow := m.ExpectQuery("pg_sleep").WillBeCancelled() // once it runs, nothing but a cancel request ends it
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-slow.Met()
		cancel()
	}()
	err := db.QueryRowContext(ctx, "select pg_sleep(60)").Scan(new(string))
	fmt.Println(errors.Is(err, context.Canceled))
	// Output: true
}

func ExampleReply_WillBlockUntil() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	ready := make(chan struct{})
	first := m.ExpectExec("update").WillBlockUntil(ready)
	m.ExpectExec("delete")
	ctx := context.Background()
	updated := make(chan error)
	go func() { updated <- exec(ctx, db, "update users set name = ''") }()
	<-first.Met()
	fmt.Println("meanwhile:", exec(ctx, db, "delete from orders")) // on another connection
	close(ready)
	fmt.Println("updated:", <-updated)
	// Output:
	// meanwhile: <nil>
	// updated: <nil>
}

func ExampleMock_Columns() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectQuery("select").WillReturnRows(m.Columns(mock.Col("tags", "text[]"), mock.Col("price", "numeric(10,2)"), mock.Col("at", "int4range")).
		AddRow([]string{"a", "b c"}, "12.50", "[1,5)"))
	rows, err := db.QueryContext(context.Background(), "select tags, price, at from item")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rows.Close()
	types, _ := rows.ColumnTypes()
	for _, c := range types {
		fmt.Println(c.Name(), c.DatabaseTypeName())
	}
	for rows.Next() {
		var tags, price, at string
		err := rows.Scan(&tags, &price, &at)
		fmt.Println(tags, price, at, err)
	}
	// Output:
	// tags _TEXT
	// price NUMERIC
	// at INT4RANGE
	// {a,"b c"} 12.50 [1,5) <nil>
}

func ExampleMock_DropConnections() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectListen("jobs").WillNotify("jobs", "before")
	m.ExpectListen("jobs").WillNotify("jobs", "after")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	l := listen.New(db, listen.ListenerOptions{})
	ended := make(chan error)
	go func() { ended <- l.Run(ctx) }()
	sub, err := l.Subscribe(ctx, "jobs", listen.SubOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		e, err := sub.Next(ctx)
		fmt.Println(e.Gap != nil, e.Payload, err)
		if i == 0 {
			m.DropConnections() // the listener connects again, and says that it may have missed something
		}
	}
	stop()
	<-ended
	// Output:
	// false before <nil>
	// true  <nil>
	// false after <nil>
}

// Savepoints: a statement that fails does not cost the transaction.
func ExampleMock_ExpectBegin() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectExec("insert").WillReturnError(mock.PgError("23505", mock.Fields{}))
	m.ExpectExec("update").WillAffect(1)
	m.ExpectCommit()
	ctx := context.Background()
	err := ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
		err := ext.InTx(ctx, tx, ext.TxOptions{}, func(tx *ext.Tx) error { // a savepoint
			_, err := tx.ExecContext(ctx, "insert into users values (1)")
			return err
		})
		fmt.Println(code(err))
		_, err = tx.ExecContext(ctx, "update users set name = 'x' where id = 1")
		return err
	})
	fmt.Println(err)
	// Output:
	// 23505
	// <nil>
}

// What is reached by Raw is the driver's connection, and arguments that tell the driver something pass on a transaction as well.
func ExampleMock() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	conn.Raw(func(c any) error {
		fmt.Println(c.(interface{ Info() driver.Info }).Info().Vendor)
		return nil
	})
	m.ExpectBegin()
	m.ExpectQuery("select name").WithArgs(7).WillReturnRows(m.NewRows([]string{"name"}).AddRow("ann"))
	m.ExpectExec("update").WithArgs(sql.Named("id", 7))
	m.ExpectCommit()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var name string
	err = tx.QueryRowContext(ctx, "select name from users where id = $1", pgx.QueryExecModeSimpleProtocol, 7).Scan(&name)
	fmt.Println(name, err)
	_, err = tx.ExecContext(ctx, "update users set name = '' where id = @id", sql.Named("id", 7))
	fmt.Println(err, tx.Commit())
	// Output:
	// PostgreSQL
	// ann <nil>
	// <nil> <nil>
}
