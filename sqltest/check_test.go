package sqltest_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/sqltest"
)

func TestCheckIsContentWithATidyTest(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	db := sqltest.DB(r, sqltest.Options{})
	rows, err := db.Query("select 1")
	if err != nil {
		t.Fatal(err)
	}
	rows.Close()
	sqltest.Check(r, db)
	if got := r.end(); got != "" {
		t.Error(got)
	}
}

func TestCheckNamesWhatLeaked(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tests := []struct {
		name, want string
		leak       func(t *testing.T, db *sql.DB, dsn string) error
	}{
		{"rows", "1 connections leaked", func(t *testing.T, db *sql.DB, _ string) error {
			rows, err := db.Query("select generate_series(1, 10)")
			t.Cleanup(func() { rows.Close() })
			return err
		}},
		{"transaction", "idle in transaction, last statement: select 'mine'", func(t *testing.T, db *sql.DB, _ string) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			t.Cleanup(func() { tx.Rollback() })
			_, err = tx.Exec("select 'mine'")
			return err
		}},
		{"prepared transaction", "prepared transaction gid", func(t *testing.T, _ *sql.DB, dsn string) error {
			_, err := connect(t, dsn).Exec(ctx, "begin; create table t (); prepare transaction 'gid"+rand.Text()+"'").ReadAll()
			return err
		}},
		{"goroutine", "pgconn.(*PgConn).WaitForNotification", func(t *testing.T, _ *sql.DB, dsn string) error {
			conn := connect(t, dsn)
			ctx, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func(c *pgconn.PgConn) {
				defer close(ended)
				c.WaitForNotification(ctx)
			}(conn)
			t.Cleanup(func() { cancel(); <-ended })
			for !isRunning("TestCheckNamesWhatLeaked", "WaitForNotification") { // what has not come so far is not known as pgx's
				runtime.Gosched()
			}
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			db := sqltest.DB(r, sqltest.Options{})
			var name string
			if err := db.QueryRow("select current_database()").Scan(&name); err != nil {
				t.Fatal(err)
			}
			if err := tt.leak(t, db, sqltest.Server(t).DSN(name)); err != nil {
				t.Fatal(err)
			}
			sqltest.Check(r, db)
			if got := r.end(); !strings.Contains(got, tt.want) {
				t.Errorf("reported %q, want %q in it", got, tt.want)
			}
		})
	}
}

// isRunning reports whether a goroutine is in all of the functions.
func isRunning(functions ...string) bool {
	stacks := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if !slices.ContainsFunc(functions, func(f string) bool { return !strings.Contains(stack, f) }) {
			return true
		}
	}
	return false
}

func TestCheckDoesNotMindFaultsAndFakes(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	db := sqltest.DB(r, sqltest.Options{})
	fault := sqltest.Server(t).Fault(t)
	through, err := sql.Open("pycopg", fault.DSN(sqltest.DSN(r, sqltest.Options{})))
	if err != nil {
		t.Fatal(err)
	}
	defer through.Close()
	if err := through.Ping(); err != nil {
		t.Error(err)
	}
	fake := sqltest.NewFake(t, sqltest.Script{sqltest.Accept()}, sqltest.Script{sqltest.Accept()})
	fake.Listen()
	for _, address := range []bool{true, false} {
		config, err := pgconn.ParseConfig("postgres://u@127.0.0.1/db?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		if config.Port = uint16(fake.Listen().Port); address {
			config.DialFunc = fake.Dial
		}
		conn, err := pgconn.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
	}
	sqltest.Check(r, db)
	if got := r.end(); got != "" {
		t.Error(got)
	}
}
