package pqcompat_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/listen/pqcompat"
	"github.com/pycopg/pycopg/sqltest"
)

// patience bounds what a test waits for.
const patience = 5 * time.Minute

// events collects what a listener tells its callback.
type events chan string

func (e events) callback(event pqcompat.ListenerEventType, err error) {
	e <- fmt.Sprint(event, " ", err != nil)
}

func (e events) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-e:
		if got != want {
			t.Errorf("event %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("no event, want %q", want)
	}
}

func receive(t *testing.T, l *pqcompat.Listener) *pqcompat.Notification {
	t.Helper()
	select {
	case n, ok := <-l.NotificationChannel():
		if !ok {
			t.Fatal("the channel is closed")
		}
		return n
	case <-time.After(patience):
		t.Fatal("no notification")
		return nil
	}
}

func setUp(t *testing.T) (db *sql.DB, dsn string) {
	t.Helper()
	dsn = sqltest.DSN(t, sqltest.Options{})
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, dsn
}

func TestListenerLifeCycle(t *testing.T) {
	t.Parallel()
	db, dsn := setUp(t)
	told := make(events, 100)
	l := pqcompat.NewListener(dsn+"&application_name=compat", time.Millisecond, time.Second, told.callback)
	for _, channel := range []string{"a", "B c"} {
		if err := l.Listen(channel); err != nil {
			t.Fatal(err)
		}
	}
	told.want(t, "connected false")
	if err := l.Listen("a"); !errors.Is(err, pqcompat.ErrChannelAlreadyOpen) {
		t.Errorf("Listen twice = %v", err)
	}
	if err := l.Listen(strings.Repeat("x", 64)); !errors.Is(err, listen.ErrChannel) {
		t.Errorf("64 bytes: %v", err)
	}
	if err := l.Ping(); err != nil {
		t.Errorf("Ping = %v", err)
	}
	send := func(channel, payload string) {
		t.Helper()
		if err := listen.Notify(context.Background(), db, channel, payload); err != nil {
			t.Fatal(err)
		}
	}
	send("a", "1")
	send("B c", "2")
	for _, want := range []string{"a1", "B c2"} {
		if n := receive(t, l); n == nil || n.Channel+n.Extra != want || n.BePid == 0 {
			t.Errorf("got %+v, want %s", n, want)
		}
	}
	if _, err := db.Exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'compat' and datname = current_database()"); err != nil {
		t.Fatal(err)
	}
	told.want(t, "disconnected true")
	told.want(t, "reconnected false")
	if n := receive(t, l); n != nil {
		t.Errorf("after the reconnect: %+v, want nil", n)
	}
	if err := l.Unlisten("a"); err != nil {
		t.Error(err)
	}
	if err := l.Unlisten("a"); !errors.Is(err, pqcompat.ErrChannelNotOpen) {
		t.Errorf("Unlisten twice = %v", err)
	}
	if err := l.Listen("d"); err != nil { // behind the UNLISTEN
		t.Error(err)
	}
	send("a", "3")
	send("B c", "4")
	if n := receive(t, l); n == nil || n.Extra != "4" {
		t.Errorf("got %+v, want 4", n)
	}
	if err := l.UnlistenAll(); err != nil {
		t.Error(err)
	}
	if err := l.Listen("B c"); err != nil {
		t.Errorf("after UnlistenAll: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	told.want(t, "disconnected true")
	for name, err := range map[string]error{
		"Close": l.Close(), "Listen": l.Listen("e"), "Unlisten": l.Unlisten("e"), "UnlistenAll": l.UnlistenAll(), "Ping": l.Ping(),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after Close = %v", name, err)
		}
	}
	if n, ok := <-l.Notify; ok {
		t.Errorf("%+v after Close", n)
	}
}

func TestCloseInterruptsAnythingThatWaits(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"no server": "host=127.0.0.1 port=1", "not a connection string": "host=127.0.0.1 port=x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := make(events, 100)
			l := pqcompat.NewListener(dsn, time.Hour, time.Hour, told.callback)
			told.want(t, "connectionAttemptFailed true")
			if err := l.Ping(); err == nil {
				t.Error("Ping without a connection")
			}
			listening := make(chan error)
			go func() { listening <- l.Listen("a") }()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if err := <-listening; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Listen = %v", err)
			}
		})
	}
}

func TestAProgramThatDoesNotReadDelaysNothing(t *testing.T) {
	t.Parallel()
	db, dsn := setUp(t)
	l := pqcompat.NewListener(dsn, time.Millisecond, time.Second, nil)
	defer l.Close()
	if err := l.Listen("a"); err != nil {
		t.Fatal(err)
	}
	const many = 5000
	if _, err := db.Exec("select count(pg_notify('a', i::text)) from generate_series(1, $1) i", many); err != nil {
		t.Fatal(err)
	}
	if err := l.Ping(); err != nil {
		t.Error(err)
	}
	if err := l.Listen("b"); err != nil {
		t.Error(err)
	}
	for i := range many {
		if n := receive(t, l); n == nil || n.Extra != fmt.Sprint(i+1) {
			t.Fatalf("notification %d: %+v", i+1, n)
		}
	}
}

// dialer counts.
type dialer struct{ dials chan string }

func (d dialer) Dial(network, address string) (net.Conn, error) {
	d.dials <- network
	return net.Dial(network, address)
}

func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	d.dials <- network
	return net.DialTimeout(network, address, timeout)
}

func TestDialListenerUsesItsDialer(t *testing.T) {
	t.Parallel()
	_, dsn := setUp(t)
	d := dialer{make(chan string, 100)}
	l := pqcompat.NewDialListener(d, dsn, time.Millisecond, time.Second, nil)
	defer l.Close()
	if err := l.Listen("a"); err != nil {
		t.Fatal(err)
	}
	if n := len(d.dials); n == 0 {
		t.Error("the dialer was not used")
	}
}
