package listen_test

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// patience bounds what a test waits for on a real server, however slow it is.
const patience = 5 * time.Minute

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func mustExec(t testing.TB, q interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, query string, args ...any,
) {
	t.Helper()
	if _, err := q.ExecContext(testContext(t), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func pinned(t testing.TB, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func notify(t testing.TB, db *sql.DB, channel string, payloads ...string) {
	t.Helper()
	for _, payload := range payloads {
		if err := listen.Notify(testContext(t), db, channel, payload); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs l. stop ends it and returns Run's error; it is to be deferred behind sqltest.Check.
func start(t testing.TB, l *listen.Listener) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- l.Run(ctx) }()
	if err := l.Ready(testContext(t)); err != nil {
		t.Error(err)
	}
	return sync.OnceValue(func() error {
		cancel()
		err := <-result
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		return err
	})
}

func subscribe(t testing.TB, l *listen.Listener, channel string, o listen.SubOptions) *listen.Subscription {
	t.Helper()
	s, err := l.Subscribe(testContext(t), channel, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// next takes an event.
func next(t testing.TB, s *listen.Subscription) listen.Event {
	t.Helper()
	e, err := s.Next(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// payloads takes so many events, all of them notifications.
func payloads(t testing.TB, s *listen.Subscription, n int) (all []string) {
	t.Helper()
	for range n {
		e := next(t, s)
		if e.Gap != nil {
			t.Fatalf("%v after %q", e, all)
		}
		all = append(all, e.Payload)
	}
	return all
}

// fakeDB is a pool whose connections play the scripts of f.
func fakeDB(t testing.TB, f *sqltest.Fake, change func(*driver.Config)) *sql.DB {
	t.Helper()
	cfg, err := driver.ParseConfig("postgres://u@127.0.0.1/db?sslmode=disable&connect_timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dial = f.Dial
	if change != nil {
		change(cfg)
	}
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	return db
}

// ok answers a statement.
func ok(tag string) sqltest.Step {
	return sqltest.Reply(&pgproto3.CommandComplete{CommandTag: []byte(tag)}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
}

// names answers the query for the channels of the session.
func names(channels ...string) sqltest.Step {
	msgs := []pgproto3.BackendMessage{
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{},
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("x"), DataTypeOID: 25}}},
	}
	for _, name := range channels {
		msgs = append(msgs, &pgproto3.DataRow{Values: [][]byte{[]byte(name)}})
	}
	return sqltest.Reply(append(msgs,
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})...)
}

// listens takes LISTEN for the one channel and the check that follows the start of a connection.
func listens(channel string) sqltest.Step {
	return sqltest.Script{
		sqltest.ExpectSQL(`listen "` + channel + `"`), ok("LISTEN"),
		sqltest.ExpectSQL("select pg_catalog.pg_listening_channels()"), names(channel),
	}
}

// notifies sends notifications of a channel.
func notifies(channel string, payloads ...string) sqltest.Step {
	var msgs []pgproto3.BackendMessage
	for _, payload := range payloads {
		msgs = append(msgs, &pgproto3.NotificationResponse{PID: 99, Channel: channel, Payload: payload})
	}
	return sqltest.Reply(msgs...)
}

// pings answers a check.
func pings() sqltest.Step {
	return sqltest.Script{
		sqltest.Expect(&pgproto3.Query{String: ";"}),
		sqltest.Reply(&pgproto3.EmptyQueryResponse{}, &pgproto3.ReadyForQuery{TxStatus: 'I'}),
	}
}

// standby lets the client in as a standby server does.
func standby() sqltest.Step {
	return sqltest.Reply(&pgproto3.AuthenticationOk{},
		&pgproto3.ParameterStatus{Name: "server_version", Value: "18.0"},
		&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"},
		&pgproto3.ParameterStatus{Name: "in_hot_standby", Value: "on"},
		&pgproto3.BackendKeyData{ProcessID: 7, SecretKey: []byte{1, 2, 3, 4}},
		&pgproto3.ReadyForQuery{TxStatus: 'I'})
}

func openDSN(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// dsnOf leads to the database of db, whichever name it has.
func dsnOf(t testing.TB, db *sql.DB) string {
	t.Helper()
	var name string
	if err := db.QueryRow("select current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return sqltest.Server(t).DSN(name)
}
