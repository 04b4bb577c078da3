package driver_test

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

func TestPingAsksTheServer(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	conn := one(t, db)
	if err := conn.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, conn)
	mustExec(t, tx, "select 1")
	tx.Rollback()
	terminate(t, admin, backendPID(t, conn))
	if err := conn.PingContext(t.Context()); err == nil {
		t.Error("Ping on a connection whose backend is gone gives nil")
	}
}

func TestPingAfterIdlingFindsALostConnection(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	p := newProxy(t)
	for after, pinged := range map[time.Duration]bool{1: true, time.Hour: false, 0: false} {
		db := openSpace(t, s, p.address(), func(cfg *driver.Config) { cfg.PingAfter = after })
		mustExec(t, db, "select 1")
		p.arm(cut{toServer, 0, before}) // the socket looks well until something is sent
		_, err := db.ExecContext(t.Context(), "select 1")
		if !p.disarm() || (err == nil) != pinged {
			t.Errorf("ping_after=%v: error = %v, want one: %v", after, err, !pinged)
		}
	}
}

func TestPollTakesWhatHasArrived(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	var got recorder[driver.Notification]
	admin := openSpace(t, s, "", nil)
	db := openSpace(t, s, "", func(cfg *driver.Config) {
		cfg.OnNotification = func(_ *driver.Conn, n driver.Notification) { got.add(n) }
	})
	conn := one(t, db)
	mustExec(t, conn, "listen arrivals")
	pid := backendPID(t, conn)
	inside(t, conn, func(ctx context.Context, c *driver.Conn) {
		if err := c.Poll(); err != nil || len(got.all()) != 0 {
			t.Errorf("Poll of a quiet connection: %v, %v", err, got.all())
		}
		for i := range 3 {
			mustExec(t, admin, "select pg_notify($1, $2)", "arrivals", string(rune('a'+i)))
		}
		for len(got.all()) < 3 && ctx.Err() == nil { // the server delivers in its own time
			if err := c.Poll(); err != nil {
				t.Fatal(err)
			}
		}
		if c.TxStatus() != 'I' || c.IsClosed() || c.IsBroken() {
			t.Errorf("status %c, closed %v, broken %v", c.TxStatus(), c.IsClosed(), c.IsBroken())
		}
	})
	list := got.all()
	if len(list) != 3 || list[0].Payload != "a" || list[2].Payload != "c" {
		t.Errorf("notifications = %v", list)
	}
	if again := backendPID(t, conn); again != pid {
		t.Error("the connection was replaced")
	}
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		terminate(t, admin, pid)
		var err error
		for err == nil {
			err = c.Poll()
		}
		if !errors.Is(err, sqldriver.ErrBadConn) || sqlState(err) != "57P01" || !c.IsBroken() {
			t.Errorf("Poll after the end of the backend = %v, broken %v", err, c.IsBroken())
		}
		if err := c.Poll(); err == nil {
			t.Error("Poll of a lost connection gives nil")
		}
	})
	if again := backendPID(t, db); again == pid {
		t.Error("the lost connection came back")
	}
}

func TestInfoTellsServerAndSession(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	var info driver.Info
	inside(t, conn, func(_ context.Context, c *driver.Conn) { info = c.Info() })
	if info.Vendor != "PostgreSQL" || info.TLS || info.Address == "" {
		t.Errorf("Info = %+v", info)
	}
	if got := number(t, conn, "show server_version_num"); int64(info.VersionNum) != got {
		t.Errorf("VersionNum = %d, the server says %d", info.VersionNum, got)
	}
	for query, want := range map[string]string{
		"show server_version": info.Version, "select current_user::text": info.User, "select current_database()::text": info.Database,
	} {
		if got := word(t, conn, query); got != want {
			t.Errorf("%s = %q, Info says %q", query, got, want)
		}
	}
	if got := backendPID(t, conn); int64(info.BackendPID) != got {
		t.Errorf("BackendPID = %d, the server says %d", info.BackendPID, got)
	}
	for value, want := range map[string]bool{"off": false, "on": true} {
		mustExec(t, conn, "set standard_conforming_strings = "+value)
		inside(t, conn, func(_ context.Context, c *driver.Conn) {
			if got := c.Info().StandardStrings; got != want {
				t.Errorf("StandardStrings = %v after %s", got, value)
			}
		})
	}
}

func TestBackslashesFollowTheSession(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	mustExec(t, conn, "set standard_conforming_strings = off; set escape_string_warning = off")
	// Here the backslash escapes the quote, and the semicolon is part of the string.
	if got := word(t, conn, `select 'a\'; b'`); got != "a'; b" {
		t.Errorf("got %q", got)
	}
	if got := word(t, conn, `select $1 || 'a\' $2 '`, "x"); got != "xa' $2 " {
		t.Errorf("got %q", got)
	}
	mustExec(t, conn, "set standard_conforming_strings = on")
	rows, err := conn.QueryContext(t.Context(), `select 'a\'; select 'b'`)
	if err != nil {
		t.Fatal(err)
	}
	if sets, err := readSets(rows); len(sets) != 2 || err != nil {
		t.Errorf("sets = %q, %v", sets, err)
	}
}

func TestSyscallConnIsTheSocket(t *testing.T) {
	t.Parallel()
	inside(t, openDB(t), func(_ context.Context, c *driver.Conn) {
		raw, err := c.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		called := false
		if err := raw.Control(func(fd uintptr) { called = fd != 0 }); err != nil || !called {
			t.Errorf("Control: %v, called %v", err, called)
		}
	})
}

func TestCloseOfThePoolEndsItsBackends(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	db, admin := openSpace(t, s, "", nil), openSpace(t, s, "", nil)
	pid := backendPID(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	gone(t, admin, pid)
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a closed pool pings")
	}
}

func TestCloseEndsTheConnector(t *testing.T) {
	t.Parallel()
	var connector *driver.Connector
	db := openDB(t)
	inside(t, db, func(_ context.Context, c *driver.Conn) { connector = c.Connector() })
	db.Close()
	if _, err := connector.Connect(t.Context()); err == nil {
		t.Error("a closed connector connects")
	}
}

func TestClosedConnectionRefuses(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	var c *driver.Conn
	if err := conn.Raw(func(dc any) error { c = dc.(*driver.Conn); return nil }); err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(-1)
	conn.Close()
	if !c.IsClosed() {
		t.Fatal("the connection is open")
	}
	if _, err := c.ExecContext(t.Context(), "select 1", nil); !errors.Is(err, sqldriver.ErrBadConn) {
		t.Errorf("Exec = %v, want ErrBadConn", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}
