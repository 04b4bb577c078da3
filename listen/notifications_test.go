package listen_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// collect takes what Notifications yields, to its end.
func collect(t testing.TB, conn *sql.Conn, channels []string, o listen.WaitOptions) (payloads []string, err error) {
	t.Helper()
	for n, err := range listen.Notifications(testContext(t), conn, channels, o) {
		if err != nil {
			return payloads, err
		}
		payloads = append(payloads, n.Payload)
	}
	return payloads, nil
}

func TestNotificationsOnAPoolDialOutsideOfIt(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	db.SetMaxOpenConns(1)
	var got []string
	notify(t, db, "b", "before")
	for n, err := range listen.Notifications(testContext(t), db, []string{"a", `odd "b"`}, listen.WaitOptions{Idle: time.Millisecond}) {
		if errors.Is(err, listen.ErrIdle) {
			break
		}
		t.Errorf("%v, %v", n, err)
	}
	for n, err := range listen.Notifications(testContext(t), db, []string{"a", `odd "b"`}, listen.WaitOptions{Timeout: time.Millisecond}) {
		t.Errorf("Timeout: %v, %v", n, err)
	}
	sent := make(chan error, 1)
	go func() {
		sent <- awaitListening(db, `listen "odd%`)
		for _, query := range []string{"notify a, '1'", `notify "odd ""b""", '2'`, "notify a, '3'"} {
			db.Exec(query)
		}
	}()
	o := listen.WaitOptions{StopAfter: 3}
	for n, err := range listen.Notifications(testContext(t), db, []string{`odd "b"`, "a"}, o) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n.Channel+n.Payload)
	}
	if want := []string{"a1", `odd "b"2`, "a3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// awaitListening waits until a session of the database has run a statement like this and nothing more.
func awaitListening(db *sql.DB, statement string) error {
	const query = `select count(*) from pg_stat_activity
		where datname = current_database() and query like $1 and state = 'idle'`
	for n := 0; n == 0; {
		if err := db.QueryRow(query, statement).Scan(&n); err != nil {
			return err
		}
	}
	return nil
}

func TestNotificationsOnAConnectionLoseNothing(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	conn := pinned(t, db)
	defer conn.Close()
	mustExec(t, conn, "listen a")
	mustExec(t, conn, "notify a, '1'") // arrives during this statement
	notify(t, db, "a", "2", "3")
	mustExec(t, conn, "select 1") // and these during this one, or later
	got, err := collect(t, conn, nil, listen.WaitOptions{StopAfter: 2})
	if !slices.Equal(got, []string{"1", "2"}) || err != nil {
		t.Errorf("StopAfter: %q, %v", got, err)
	}
	notify(t, db, "a", "4")
	for n, err := range listen.Notifications(testContext(t), conn, nil, listen.WaitOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n.Payload)
		if n.Payload == "3" {
			notify(t, db, "a", "5", "6")
			mustExec(t, conn, "select 1") // the loop's body uses the connection
		}
		if n.Payload == "5" {
			break
		}
	}
	rest, err := collect(t, conn, nil, listen.WaitOptions{StopAfter: 1})
	if got = append(got, rest...); strings.Join(got, "") != "123456" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if more, err := collect(t, conn, nil, listen.WaitOptions{NoWait: true}); more != nil || err != nil {
		t.Errorf("NoWait: %q, %v", more, err)
	}
}

func TestNotificationsUnlistenWhatTheyAdded(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	conn := pinned(t, db)
	defer conn.Close()
	mustExec(t, conn, "listen kept; listen other")
	if got, err := collect(t, conn, []string{"kept", "added", "added"}, listen.WaitOptions{Idle: time.Millisecond}); got != nil || !errors.Is(err, listen.ErrIdle) {
		t.Errorf("%q, %v", got, err)
	}
	got, err := collect(t, conn, []string{"kept", "added"}, listen.WaitOptions{Timeout: time.Millisecond})
	if got != nil || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	mustExec(t, conn, "notify other, 'x'; notify kept, 'y'; notify added, 'z'")
	if got, err := collect(t, conn, []string{"kept"}, listen.WaitOptions{NoWait: true}); !slices.Equal(got, []string{"y"}) || err != nil {
		t.Errorf("of one channel: %q, %v", got, err)
	}
	if got, err := collect(t, conn, nil, listen.WaitOptions{NoWait: true}); !slices.Equal(got, []string{"x"}) || err != nil {
		t.Errorf("of all: %q, %v", got, err)
	}
	var left string
	if err := conn.QueryRowContext(testContext(t), "select string_agg(c, ' ' order by c) from pg_listening_channels() c").Scan(&left); err != nil || left != "kept other" {
		t.Errorf("the session listens to %q, %v", left, err)
	}
}

func TestNotificationsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	conn := pinned(t, db)
	defer conn.Close()
	for _, q := range []interface {
		PingContext(context.Context) error
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}{db, conn} {
		ctx, cancel := context.WithCancel(context.Background())
		mustExec(t, db, "select 1")
		count := 0
		time.AfterFunc(10*time.Millisecond, cancel)
		for _, err := range listen.Notifications(ctx, q, []string{"a"}, listen.WaitOptions{Timeout: time.Hour, Idle: time.Hour}) {
			if count++; !errors.Is(err, context.Canceled) {
				t.Errorf("%T: %v", q, err)
			}
		}
		if count != 1 {
			t.Errorf("%T: %d rounds, want 1", q, count)
		}
	}
	mustExec(t, conn, "select 1")
}

func TestNotificationsRefusals(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	conn := pinned(t, db)
	defer conn.Close()
	for _, name := range []string{"", strings.Repeat("x", 64), "a\x00b", "\xff"} {
		if _, err := collect(t, conn, []string{name}, listen.WaitOptions{}); !errors.Is(err, listen.ErrChannel) {
			t.Errorf("channel %q: %v", name, err)
		}
	}
	for want, o := range map[string]listen.WaitOptions{
		"Timeout is -1s": {Timeout: -time.Second}, "Idle is -1ns": {Idle: -1}, "StopAfter is -1": {StopAfter: -1},
	} {
		o.NoWait = true
		if _, err := collect(t, conn, []string{"a"}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, err := range listen.Notifications(testContext(t), db, nil, listen.WaitOptions{}) {
		if !errors.Is(err, listen.ErrChannel) {
			t.Errorf("no channels: %v", err)
		}
	}
	mustExec(t, conn, "begin")
	if _, err := collect(t, conn, []string{"a"}, listen.WaitOptions{}); !errors.Is(err, listen.ErrInTransaction) {
		t.Errorf("inside a transaction: %v", err)
	}
	mustExec(t, conn, "rollback")
}

func TestNotificationsReportALostConnection(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	conn := pinned(t, db)
	defer conn.Close()
	var pid int
	if err := conn.QueryRowContext(testContext(t), "select pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	mustExec(t, conn, "listen a")
	notify(t, db, "a", "1")
	count := 0
	for n, err := range listen.Notifications(testContext(t), conn, nil, listen.WaitOptions{}) {
		switch count++; {
		case count == 1 && err == nil && n.Payload == "1":
			mustExec(t, db, "select pg_terminate_backend($1)", pid)
		case count > 1 && err != nil && strings.Contains(err.Error(), "57P01"):
		default:
			t.Errorf("round %d: %v, %v", count, n, err)
		}
	}
	if count != 2 {
		t.Errorf("%d rounds, want 2", count)
	}
}
