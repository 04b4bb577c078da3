package sqltest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// exampleTest stands in for the t of a test function, and prints what a test would report.
func exampleTest() (t testing.TB, end func()) {
	r := &recorder{}
	return r, func() {
		if report := r.end(); report != "" {
			fmt.Println(report)
		}
	}
}

// openFake opens a pool whose connections go to a fake.
func openFake(fake *sqltest.Fake) *sql.DB {
	cfg := driver.DefaultConfig()
	cfg.Hosts = []driver.HostSpec{{Host: "127.0.0.1", Port: 5432}}
	cfg.User, cfg.Database, cfg.SSLMode = "u", "db", "disable"
	cfg.Dial = fake.Dial
	return sql.OpenDB(driver.NewConnector(cfg))
}

// A server that answers in pieces, and late, and then goes away.
func ExampleNewFake() {
	t, end := exampleTest()
	defer end()

	fake := sqltest.NewFake(t, sqltest.Script{
		sqltest.Accept(),
		sqltest.ExpectSQL("checkpoint"),
		sqltest.Delay(time.Millisecond),
		sqltest.ReplyParts(3, &pgproto3.CommandComplete{CommandTag: []byte("CHECKPOINT")}, &pgproto3.ReadyForQuery{TxStatus: 'I'}),
		sqltest.ExpectSQL("checkpoint"),
		sqltest.Fatal("57P01", "terminating connection due to administrator command"),
	})
	db := openFake(fake)
	defer db.Close()
	for range 2 {
		_, err := db.ExecContext(context.Background(), "checkpoint")
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// FATAL: terminating connection due to administrator command (SQLSTATE 57P01)
}

// A statement that hangs: the driver asks the server to cancel it, on another connection, and keeps its own.
func ExampleReplyCancelled() {
	t, end := exampleTest()
	defer end()

	runs := make(chan struct{})
	fake := sqltest.NewFake(t, sqltest.Script{
		sqltest.Accept(),
		sqltest.ExpectSQL("vacuum"),
		sqltest.StepFunc(func(*sqltest.FakeConn) error { close(runs); return nil }),
		sqltest.ReplyCancelled('I'),
	})
	db := openFake(fake)
	defer db.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-runs
		cancel()
	}()
	_, err := db.ExecContext(ctx, "vacuum")
	fmt.Println(errors.Is(err, context.Canceled), db.Stats().OpenConnections)
	// Output: true 1
}

// A network that breaks behind the first answer: here in front of a fake; Instance.Fault is one in front of a real server.
func ExampleNewFault() {
	t, end := exampleTest()
	defer end()

	fake := sqltest.NewFake(t, sqltest.Script{
		sqltest.Accept(),
		sqltest.ExpectSQL("checkpoint"),
		sqltest.Reply(&pgproto3.CommandComplete{CommandTag: []byte("CHECKPOINT")}, &pgproto3.ReadyForQuery{TxStatus: 'I'}),
	})
	fault := sqltest.NewFault(t, "tcp", fake.Listen().String())
	fault.On(sqltest.Rule{Side: sqltest.Backend, Type: 'C'}) // cut ahead of CommandComplete
	db, err := sql.Open("pycopg", fault.DSN("postgres://u@host/db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), "checkpoint")
	fmt.Println(err) // it may have run, so that nobody tries again
	// Output: driver: connection lost: unexpected EOF
}
