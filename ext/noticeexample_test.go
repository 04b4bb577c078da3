package ext_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// The example of psycopg's documentation.
func ExampleWithNotices() {
	db := examplePool()
	defer db.Close()
	ctx := ext.WithNotices(context.Background(), func(n ext.Notice) { fmt.Println("The server says:", n) })
	result, err := ext.Exec(ctx, db, "ROLLBACK")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Tag)
	// Output:
	// The server says: WARNING - there is no transaction in progress
	// ROLLBACK
}

// The same for all statements of one connection.
func ExampleOnNotice() {
	ctx, db := context.Background(), examplePool()
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	remove, err := ext.OnNotice(ctx, conn, func(n ext.Notice) {
		fmt.Printf("The server says: %s - %s\n", n.Severity, n.Message)
	})
	if err != nil {
		log.Fatal(err)
	}
	defer remove()
	result, err := ext.Exec(ctx, conn, "ROLLBACK")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Tag)
	// Output:
	// The server says: WARNING - there is no transaction in progress
	// ROLLBACK
}

// The example of psycopg's documentation: the notification arrives in the course of an ordinary statement, ahead of its row.
func ExampleOnNotification() {
	ctx, db := context.Background(), examplePool()
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "LISTEN mychan"); err != nil {
		log.Fatal(err)
	}
	if _, err := ext.OnNotification(ctx, conn, func(n ext.Notification) {
		n.PID = 961823 // it differs from run to run
		fmt.Println("got this:", n)
	}); err != nil {
		log.Fatal(err)
	}
	psql(ctx, "NOTIFY mychan, 'hey'") // meanwhile, in another session
	row, err := ext.QueryOne[[]any](ctx, conn, "SELECT 1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(row)
	// Output:
	// got this: Notify(channel='mychan', payload='hey', pid=961823)
	// [1]
}

// psql runs a statement in another session.
func psql(ctx context.Context, statement string) {
	db := examplePool()
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		log.Fatal(err)
	}
}

func ExampleTakeNotifications() {
	ctx, db := context.Background(), examplePool()
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "LISTEN test"); err != nil {
		log.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, "NOTIFY test, 'hello'"); err != nil {
		log.Fatal(err)
	}
	arrived, err := ext.TakeNotifications(ctx, conn)
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range arrived {
		fmt.Println("Got NOTIFY:", n.Channel, n.Payload)
	}
	// Output: Got NOTIFY: test hello
}

// The logging cursor of psycopg2's documentation: statements are logged with their arguments, and so is the error, which the
// caller gets as well.
func ExampleLogQueries() {
	ctx := context.Background()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}}))
	cfg := exampleConfig()
	cfg.Tracer = ext.LogQueries(logger, ext.LogOptions{Args: true})
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TEMP TABLE mytable (a int, b int, c int)"); err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO mytable VALUES ($1, $2, $3)", 10, 20, 30); err != nil {
		log.Fatal(err)
	}
	_, err := db.ExecContext(ctx, "INSERT INTO notable VALUES ($1)", 10)
	fmt.Println(err != nil)
	// Output:
	// level=INFO msg=query sql="CREATE TEMP TABLE mytable (a int, b int, c int)" tag="CREATE TABLE" rows=0
	// level=INFO msg=query sql="INSERT INTO mytable VALUES ($1, $2, $3)" args="[10 20 30]" tag="INSERT 0 1" rows=1
	// level=ERROR msg=query sql="INSERT INTO notable VALUES ($1)" args=[10] error="ERROR: relation \"notable\" does not exist (SQLSTATE 42P01)" sqlstate=42P01
	// true
}
