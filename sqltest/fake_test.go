package sqltest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/sqltest"
)

// dialFake connects to f.
func dialFake(ctx context.Context, f *sqltest.Fake) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig("postgres://u@127.0.0.1/db?sslmode=prefer")
	if err != nil {
		return nil, err
	}
	config.DialFunc = f.Dial
	return pgconn.ConnectConfig(ctx, config)
}

func mustDial(t *testing.T, f *sqltest.Fake) *pgconn.PgConn {
	t.Helper()
	conn, err := dialFake(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// one answers a query with one text value.
func one(value string) sqltest.Step {
	return sqltest.Reply(
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("x"), DataTypeOID: 25}}},
		&pgproto3.DataRow{Values: [][]byte{[]byte(value)}},
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")},
		&pgproto3.ReadyForQuery{TxStatus: 'I'})
}

func TestFakePlaysNestedScripts(t *testing.T) {
	t.Parallel()
	both := sqltest.Script{
		sqltest.Script{sqltest.Expect(&pgproto3.Query{String: "select 1"}), one("first")},
		sqltest.ExpectSQL("select 2"), sqltest.ReplyError("22012", "division by zero", 'I'),
	}
	f := sqltest.NewFake(t, sqltest.Script{sqltest.Accept(), both})
	conn := mustDial(t, f)
	if got, err := ask(t, conn, "select 1"); got != "first" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	var refused *pgconn.PgError
	if _, err := ask(t, conn, "select 2"); !errors.As(err, &refused) || refused.Code != "22012" {
		t.Errorf("error = %v", err)
	}
}

func TestFakeServesTheExtendedProtocolInPieces(t *testing.T) {
	t.Parallel()
	var answer []byte
	for _, msg := range []pgproto3.BackendMessage{
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.RowDescription{},
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}, &pgproto3.ReadyForQuery{TxStatus: 'T'},
	} {
		answer, _ = msg.Encode(answer)
	}
	proceed := make(chan struct{})
	f := sqltest.NewFake(t, sqltest.Script{
		sqltest.Accept(), sqltest.ExpectSQL("select"),
		sqltest.ReplyBytes(answer[:7]), sqltest.Await(proceed), sqltest.ReplyBytes(answer[7:]),
	})
	conn := mustDial(t, f)
	close(proceed)
	if r := conn.ExecParams(t.Context(), "select", nil, nil, nil, nil).Read(); r.Err != nil || r.CommandTag.String() != "SELECT 0" {
		t.Errorf("result = %+v", r)
	}
	if conn.TxStatus() != 'T' {
		t.Errorf("transaction status %c", conn.TxStatus())
	}
}

func TestFakeListensOnLoopback(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFake(t, sqltest.Script{sqltest.Accept(), sqltest.ExpectSQL("select 1"), one("a")})
	conn := connect(t, "postgres://u@"+f.Listen().String()+"/db")
	if got, err := ask(t, conn, "select 1"); got != "a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	conn.Close(t.Context())
}

func TestFakeRefusesAndHangsUp(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFake(t,
		sqltest.Script{sqltest.Fatal("53300", "too many clients")},
		sqltest.Script{sqltest.Accept(), sqltest.ExpectSQL("select 1"), sqltest.HangUp()})
	var refused *pgconn.PgError
	if _, err := dialFake(t.Context(), f); !errors.As(err, &refused) || refused.Code != "53300" {
		t.Errorf("error = %v", err)
	}
	if _, err := ask(t, mustDial(t, f), "select 1"); err == nil || errors.As(err, &refused) {
		t.Errorf("error = %v", err)
	}
}

func TestFakeTakesCancelRequestsInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sqltest.NewFake(t, sqltest.Script{
			sqltest.Accept(), sqltest.ExpectSQL("select pg_sleep(3600)"),
			sqltest.AwaitCancel(), sqltest.ReplyError("57014", "canceling statement due to user request", 'I'),
		})
		conn := mustDial(t, f)
		failed := make(chan error)
		go func() {
			_, err := ask(t, conn, "select pg_sleep(3600)")
			failed <- err
		}()
		const patience = time.Hour
		select {
		case err := <-failed:
			t.Fatalf("before the request: %v", err)
		case <-time.After(patience):
		}
		if err := conn.CancelRequest(t.Context()); err != nil {
			t.Error(err)
		}
		var refused *pgconn.PgError
		if err := <-failed; !errors.As(err, &refused) || refused.Code != "57014" {
			t.Errorf("error = %v", err)
		}
		conn.Close(t.Context())
	})
}

func TestFakeReportsWhatIsNotInTheScript(t *testing.T) {
	t.Parallel()
	query := sqltest.ExpectSQL("select 1")
	tests := []struct {
		name, want string
		script     sqltest.Script
		use        func(conn *pgconn.PgConn)
	}{
		{
			"other text", `step 2: step 1: got the query "select 2", want "select 1"`,
			sqltest.Script{sqltest.Script{query}},
			func(conn *pgconn.PgConn) { conn.Exec(t.Context(), "select 2").Close() },
		},
		{
			"other message", "want {\"Type\":\"Sync\"}",
			sqltest.Script{sqltest.Expect(&pgproto3.Sync{})},
			func(conn *pgconn.PgConn) { conn.Exec(t.Context(), "select 2").Close() },
		},
		{
			"one too many", "after the script: unexpected",
			sqltest.Script{query, one("a")},
			func(conn *pgconn.PgConn) {
				conn.Exec(t.Context(), "select 1").Close()
				conn.Exec(t.Context(), "select 1").Close()
			},
		},
		{"end too early", `want "select 1"`, sqltest.Script{query}, func(conn *pgconn.PgConn) { conn.Close(t.Context()) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			f := sqltest.NewFake(r, append(sqltest.Script{sqltest.Accept()}, tt.script...))
			tt.use(mustDial(t, f))
			if got := r.end(); !strings.Contains(got, tt.want) {
				t.Errorf("reported %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestFakeCountsConnections(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	f := sqltest.NewFake(r, sqltest.Script{sqltest.Accept()})
	mustDial(t, f)
	if _, err := dialFake(t.Context(), f); err == nil {
		t.Error("a second connection was let in")
	}
	if got := r.end(); !strings.Contains(got, "only 1 script") {
		t.Errorf("reported %q", got)
	}
	unused := &recorder{TB: t}
	sqltest.NewFake(unused, sqltest.Script{sqltest.Accept()})
	if got := unused.end(); !strings.Contains(got, "nobody connected") {
		t.Errorf("reported %q", got)
	}
}
