package stdlib_test

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver/stdlib"
)

var errHook = errors.New("the hook says no")

func TestBeforeConnectChangesACopyOfTheConfiguration(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.RuntimeParams["application_name"] = "original"
	db := closed(t, stdlib.OpenDB(*c, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		c.RuntimeParams = map[string]string{"application_name": "changed"}
		return nil
	})))
	if got := value[string](t, db, "show application_name"); got != "changed" {
		t.Errorf("application_name = %q", got)
	}
	if got := c.RuntimeParams["application_name"]; got != "original" {
		t.Errorf("the caller's configuration now says %q", got)
	}
	if _, ok := c.RuntimeParams["client_encoding"]; ok {
		t.Error("the caller's run-time parameters were added to")
	}
}

func TestConnectHooksFailTheConnection(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]stdlib.OptionOpenDB{
		"before": stdlib.OptionBeforeConnect(func(context.Context, *pgx.ConnConfig) error { return errHook }),
		"after":  stdlib.OptionAfterConnect(func(context.Context, *pgx.Conn) error { return errHook }),
	} {
		if err := open(t, opt).PingContext(t.Context()); !errors.Is(err, errHook) {
			t.Errorf("%s: error = %v, want the hook's", name, err)
		}
	}
}

func TestAfterConnectPreparesTheSession(t *testing.T) {
	t.Parallel()
	var refused *pgx.Conn
	var calls atomic.Int32
	db := open(t, stdlib.OptionAfterConnect(func(ctx context.Context, px *pgx.Conn) error {
		if calls.Add(1) == 1 {
			refused = px
			return errHook
		}
		_, err := px.Exec(ctx, "set application_name = 'prepared'")
		return err
	}))
	if err := db.PingContext(t.Context()); !errors.Is(err, errHook) {
		t.Fatalf("error = %v, want the hook's", err)
	}
	if !refused.IsClosed() {
		t.Error("the refused connection is open")
	}
	if got := value[string](t, db, "show application_name"); got != "prepared" {
		t.Errorf("application_name = %q", got)
	}
}

func TestResetSessionDiscardsWithErrBadConn(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var answer atomic.Pointer[error]
	db := open(t, stdlib.OptionResetSession(func(ctx context.Context, px *pgx.Conn) error {
		calls.Add(1)
		if _, err := px.Exec(ctx, "set application_name = 'reset'"); err != nil {
			return err
		}
		if err := answer.Load(); err != nil {
			return *err
		}
		return nil
	}))
	pid := value[int](t, db, "select pg_backend_pid()")
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls before the first use", n)
	}
	for _, tt := range []struct {
		name string
		err  error
		kept bool
	}{
		{"nil", nil, true},
		{"another error", errHook, true},
		{"ErrBadConn", sqldriver.ErrBadConn, false},
	} {
		answer.Store(&tt.err)
		before := calls.Load()
		got := value[int](t, db, "select pg_backend_pid()")
		if (got == pid) != tt.kept {
			t.Errorf("%s: kept = %t, want %t", tt.name, got == pid, tt.kept)
		}
		if calls.Load() != before+1 {
			t.Errorf("%s: %d calls, want one", tt.name, calls.Load()-before)
		}
	}
}

// TestResetSessionMayDropWhatTheDriverPrepared: a statement that the driver has prepared is gone after the hook.
func TestResetSessionMayDropWhatTheDriverPrepared(t *testing.T) {
	t.Parallel()
	c := config(t, "prepare_threshold=0")
	db := closed(t, stdlib.OpenDB(*c, stdlib.OptionResetSession(func(ctx context.Context, px *pgx.Conn) error {
		_, err := px.Exec(ctx, "discard all")
		return err
	})))
	for i := range 4 {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := value[int](t, tx, "select $1::int", i); got != i {
			t.Errorf("got %d, want %d", got, i)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

// pings counts the pings that connections of c send.
func pings(c *pgx.ConnConfig) *atomic.Int32 {
	var n atomic.Int32
	after := c.AfterNetConnect
	c.AfterNetConnect = wiretap(&n, after)
	return &n
}

func TestShouldPingDecides(t *testing.T) {
	t.Parallel()
	for _, ping := range []bool{true, false} {
		c := config(t)
		sent := pings(c)
		var asked []stdlib.ShouldPingParams
		db := closed(t, stdlib.OpenDB(*c, stdlib.OptionShouldPing(func(_ context.Context, p stdlib.ShouldPingParams) bool {
			asked = append(asked, p)
			return ping
		})))
		db.SetMaxOpenConns(1)
		const uses = 100 // some of them follow one another within microseconds
		for range uses {
			mustExec(t, db, "select 1")
		}
		if len(asked) != uses-1 {
			t.Fatalf("ping=%t: asked %d times, want for each further use", ping, len(asked))
		}
		if asked[0].Conn == nil || asked[0].Conn != asked[1].Conn || asked[1].IdleDuration < 0 || asked[1].IdleDuration > time.Minute {
			t.Errorf("ping=%t: asked with %+v", ping, asked)
		}
		if got, want := sent.Load(), map[bool]int32{true: uses - 1, false: 0}[ping]; got != want {
			t.Errorf("ping=%t: %d pings, want %d", ping, got, want)
		}
	}
}

func TestHooksOfTheConfigurationAreCalled(t *testing.T) {
	t.Parallel()
	c := config(t)
	var notices, notifications, failures, validated, after []string
	c.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	c.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		notifications = append(notifications, n.Channel+" "+n.Payload)
	}
	fatal := c.OnPgError
	c.OnPgError = func(pc *pgconn.PgConn, e *pgconn.PgError) bool {
		failures = append(failures, e.Code)
		return fatal(pc, e)
	}
	c.ValidateConnect = func(context.Context, *pgconn.PgConn) error { validated = append(validated, "x"); return nil }
	c.AfterConnect = func(ctx context.Context, pc *pgconn.PgConn) error {
		after = append(after, "x")
		return pc.Exec(ctx, "set application_name = 'after'").Close()
	}
	conn := one(t, closed(t, stdlib.OpenDB(*c)))
	mustExec(t, conn, "do $$ begin raise notice 'heard'; end $$")
	mustExec(t, conn, "listen news; notify news, 'read'")
	if _, err := conn.ExecContext(t.Context(), "select 1/0"); err == nil {
		t.Error("1/0 gave no error")
	}
	if got := value[string](t, conn, "show application_name"); got != "after" {
		t.Errorf("application_name = %q", got)
	}
	for name, got := range map[string][]string{
		"heard": notices, "news read": notifications, "22012": failures,
	} {
		if len(got) != 1 || got[0] != name {
			t.Errorf("hook saw %q, want %q", got, name)
		}
	}
	if len(validated) != 1 || len(after) != 1 {
		t.Errorf("ValidateConnect ran %d times, AfterConnect %d times", len(validated), len(after))
	}
}

func TestValidateConnectRefusesTheServer(t *testing.T) {
	t.Parallel()
	c := config(t, "target_session_attrs=standby")
	db := closed(t, stdlib.OpenDB(*c))
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("connected to a primary with target_session_attrs=standby")
	}
	var cerr *pgconn.ConnectError
	if err := db.PingContext(t.Context()); !errors.As(err, &cerr) {
		t.Errorf("error %v is no *pgconn.ConnectError", err)
	}
}

func TestLeakedTransactionIsRolledBack(t *testing.T) {
	t.Parallel()
	db := open(t)
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create table item (id int)")
	conn := one(t, db)
	mustExec(t, conn, "begin")
	mustExec(t, conn, "insert into item values (1)")
	conn.Close()
	if got := value[int](t, db, "select count(*) from item"); got != 0 {
		t.Errorf("%d rows of a transaction that nobody committed", got)
	}
	if n := db.Stats().OpenConnections; n != 1 {
		t.Errorf("%d connections", n)
	}
}
