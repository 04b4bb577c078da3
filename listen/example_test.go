package listen_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/exampledb"
	"github.com/pycopg/pycopg/listen"
)

// Three notifications are printed; the last one ends the loop.
func ExampleNotifications() {
	db, done := exampledb.Open("")
	defer done()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "LISTEN mychan"); err != nil {
		log.Fatal(err)
	}
	for _, payload := range []string{"hello", "hey", "stop"} {
		if err := listen.Notify(ctx, db, "mychan", payload); err != nil {
			log.Fatal(err)
		}
	}
	for n, err := range listen.Notifications(ctx, conn, nil, listen.WaitOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		n.PID = 0 // it differs each time
		fmt.Println(n)
		if n.Payload == "stop" {
			break
		}
	}
	fmt.Println("there, I stopped")
	// Output:
	// Notify(channel='mychan', payload='hello', pid=0)
	// Notify(channel='mychan', payload='hey', pid=0)
	// Notify(channel='mychan', payload='stop', pid=0)
	// there, I stopped
}

// A handler of the connection gets what arrives during a statement, ahead of the statement's rows.
func ExampleNotifications_handler() {
	db, done := exampledb.Open("")
	defer done()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	_, err = driver.Do(ctx, conn, "add a handler", func(_ context.Context, c *driver.Conn) (int64, error) {
		c.AddNotificationHandler(func(n driver.Notification) { fmt.Printf("got this: %s %s\n", n.Channel, n.Payload) })
		return 0, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, "LISTEN mychan"); err != nil {
		log.Fatal(err)
	}
	if err := listen.Notify(ctx, db, "mychan", "hello"); err != nil {
		log.Fatal(err)
	}
	row, err := ext.QueryOne[[]any](ctx, conn, "SELECT 1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(row)
	// Output:
	// got this: mychan hello
	// [1]
}

// Nothing comes at first; then something does.
func ExampleNotifications_timeout() {
	db, done := exampledb.Open("")
	defer done()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "LISTEN test"); err != nil {
		log.Fatal(err)
	}
	for _, err := range listen.Notifications(ctx, conn, nil, listen.WaitOptions{Idle: 50 * time.Millisecond}) {
		if !errors.Is(err, listen.ErrIdle) {
			log.Fatal(err)
		}
		fmt.Println("Timeout")
	}
	if _, err := db.ExecContext(ctx, "NOTIFY test, 'hello'; NOTIFY test, 'world'"); err != nil {
		log.Fatal(err)
	}
	for n, err := range listen.Notifications(ctx, conn, nil, listen.WaitOptions{StopAfter: 2}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("Got NOTIFY:", n.PID > 0, n.Channel, n.Payload)
	}
	// Output:
	// Timeout
	// Got NOTIFY: true test hello
	// Got NOTIFY: true test world
}

// Many subscribers share one connection, which is made again when it is lost.
func ExampleListener() {
	db, done := exampledb.Open("")
	defer done()
	ctx, cancel := context.WithCancel(context.Background())
	l := listen.New(db, listen.ListenerOptions{})
	jobs, err := l.Subscribe(ctx, "jobs", listen.SubOptions{})
	if err != nil {
		log.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- l.Run(ctx) }()
	if err := l.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	type job struct{ ID int }
	for id := range 3 {
		if err := listen.NotifyJSON(ctx, db, "jobs", job{id}); err != nil {
			log.Fatal(err)
		}
	}
	for e, err := range jobs.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if e.Gap != nil {
			fmt.Println("look into the table for jobs since", e.Gap.Since)
			continue
		}
		j, err := listen.Decode[job](e.Notification)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("job", j.ID)
		if j.ID == 2 {
			break
		}
	}
	cancel()
	fmt.Println(<-result)
	// Output:
	// job 0
	// job 1
	// job 2
	// <nil>
}

// The server is watched without sending anything.
func ExampleWatch() {
	db, done := exampledb.Open("")
	defer done()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := listen.Watch(ctx, db, listen.WatchOptions{})
	switch {
	case errors.Is(err, listen.ErrServerLost):
		fmt.Println("we lost our database!", err)
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("it is there")
	default:
		fmt.Println(err)
	}
	// Output: it is there
}
