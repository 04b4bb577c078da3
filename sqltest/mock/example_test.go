package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest/mock"
)

// In these examples t is what a test function has got.

func ExampleNew() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectQuery("select name, tags").WithArgs([]string{"a", "b"}).
		WillReturnRows(m.Columns(mock.Col("name", "text"), mock.Col("tags", "text[]")).AddRow("tea", []string{"a", "c"}))

	type item struct {
		Name string
		Tags []string
	}
	got, err := ext.QueryOne[item](context.Background(), db, "select name, tags from item where tags && $1", []string{"a", "b"})
	fmt.Println(got, err)
	// Output: {tea [a c]} <nil>
}

func ExampleMock_ExpectCopyIn() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	var rows [][]any
	m.ExpectCopyIn("users", "id", "name").WithTypes("int8", "text").Capture(&rows)
	n, err := copyin.Structs(context.Background(), db, "users", users, copyin.Options{})
	fmt.Println(n, rows, err)
	// Output: 2 [[1 ann] [2 bob]] <nil>
}

func ExampleMock_ExpectListen() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectListen("jobs").WillNotify("jobs", "42")
	for n, err := range listen.Notifications(context.Background(), db, []string{"jobs"}, listen.WaitOptions{StopAfter: 1}) {
		fmt.Println(n.Payload, err)
	}
	// Output: 42 <nil>
}

func ExamplePgError() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectExec("insert").WillReturnError(mock.PgError("23505", mock.Fields{Constraint: "users_pkey"}))
	m.ExpectCommit()

	ctx := context.Background()
	tx, _ := db.BeginTx(ctx, nil)
	_, err := tx.ExecContext(ctx, "insert into users values (1)")
	fmt.Println(err)
	_, err = tx.ExecContext(ctx, "select 1") // the transaction has failed
	fmt.Println(err)
	fmt.Println(errors.Is(tx.Commit(), driver.ErrCommitRolledBack))
	// Output:
	// ERROR: duplicate key value violates unique constraint (SQLSTATE 23505)
	// ERROR: current transaction is aborted, commands ignored until end of transaction block (SQLSTATE 25P02); the transaction failed at: ERROR: duplicate key value violates unique constraint (SQLSTATE 23505)
	// true
}

func ExampleReply_WillLose() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectExec("insert").WillLose(mock.BeforeWrite) // nothing was sent: database/sql tries another connection
	m.ExpectExec("insert").WillAffect(1)
	m.ExpectExec("insert").WillLose(mock.AfterWrite) // it may have run: nobody tries again
	for range 2 {
		_, err := db.ExecContext(context.Background(), "insert into users values (1)")
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// driver: connection lost: unexpected EOF
}

func ExampleMock_AnyOrder() {
	t, end := exampleTest()
	defer end()

	db, m := mock.New(t)
	m.ExpectExec("lock")
	m.AnyOrder(func() {
		m.ExpectExec("insert").WithArgs(1)
		m.ExpectExec("insert").WithArgs(sqlmock.AnyArg())
	})
	ctx := context.Background()
	for _, err := range []error{exec(ctx, db, "lock table users"), exec(ctx, db, "insert into users values ($1)", 2), exec(ctx, db, "insert into users values ($1)", 1)} {
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// <nil>
	// <nil>
}

func exec(ctx context.Context, db *sql.DB, query string, args ...any) error {
	_, err := db.ExecContext(ctx, query, args...)
	return err
}

// exampleTest stands in for the test of an example, which prints what a test would report.
func exampleTest() (t testing.TB, end func()) {
	r := &recorder{}
	return r, func() {
		if report := r.end(); report != "" {
			fmt.Println(report)
		}
	}
}
