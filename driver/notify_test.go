package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// dialled makes a connection outside of the pool on dsn.
func dialled(t testing.TB, dsn string, change func(*driver.Config)) *driver.Conn {
	t.Helper()
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cfg)
	}
	c, err := driver.NewConnector(cfg).Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// fakeDialled is a connection to the nth script of f.
func fakeDialled(t testing.TB, f *sqltest.Fake) *driver.Conn {
	t.Helper()
	return dialled(t, "postgres://u@127.0.0.1/db?sslmode=disable", func(cfg *driver.Config) { cfg.Dial = f.Dial })
}

func TestWaitIsInterruptedWithoutHarm(t *testing.T) {
	t.Parallel()
	tls := privateServer(t, sqltest.StartOptions{TLS: true})
	for name, dsn := range map[string]string{"socket": sqltest.DSN(t, sqltest.Options{}), "tls": tls.DSN("")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, sender := dialled(t, dsn, nil), openDSN(t, dsn, nil)
			var got recorder[driver.Notification]
			c.AddNotificationHandler(got.add)
			if _, err := c.ExecContext(t.Context(), "listen interrupted", nil); err != nil {
				t.Fatal(err)
			}
			for i := range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				if err := c.Wait(ctx); !errors.Is(err, context.Canceled) {
					t.Fatalf("wait %d: %v", i, err)
				}
				if i%4 == 0 {
					if err := c.Ping(t.Context()); err != nil {
						t.Fatalf("ping %d: %v", i, err)
					}
				}
			}
			mustExec(t, sender, "notify interrupted, 'hello'")
			for len(got.all()) == 0 {
				if err := c.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := got.all()[0]; n.Payload != "hello" || !strings.HasPrefix(n.String(), `Notify(channel='interrupted', payload='hello', pid=`) {
				t.Errorf("notification = %v", n)
			}
		})
	}
}

func TestWaitReportsTheLossOfTheServer(t *testing.T) {
	t.Parallel()
	accept := sqltest.Accept()
	odd := sqltest.Reply(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	for _, tt := range []struct {
		name   string
		script sqltest.Script
		code   string
	}{
		{"goodbye", sqltest.Script{accept, sqltest.Fatal("57P01", "terminating connection")}, "57P01"},
		{"error", sqltest.Script{accept, sqltest.ReplyError("XX000", "odd", 'I'), sqltest.HangUp()}, "XX000"},
		{"hang-up", sqltest.Script{accept, sqltest.HangUp()}, ""},
		{"nonsense", sqltest.Script{accept, odd, sqltest.HangUp()}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := fakeDialled(t, sqltest.NewFake(t, tt.script))
				err := c.Wait(t.Context())
				if err == nil || sqlState(err) != tt.code {
					t.Errorf("error = %v, want code %q", err, tt.code)
				}
				if !c.IsBroken() {
					t.Error("the connection is not broken")
				}
			})
		})
	}
}

// deafConn is a connection whose kernel gives up on the peer at the third read after deafen.
type deafConn struct {
	net.Conn
	deaf chan struct{}
}

func (c *deafConn) Read(p []byte) (int, error) {
	select {
	case <-c.deaf:
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	default:
		return c.Conn.Read(p)
	}
}

func TestWaitTakesASilentPeerForLost(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFake(t, sqltest.Script{sqltest.Accept()})
	deaf := make(chan struct{})
	c := dialled(t, "postgres://u@127.0.0.1/db?sslmode=disable", func(cfg *driver.Config) {
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := f.Dial(ctx, network, address)
			return &deafConn{Conn: conn, deaf: deaf}, err
		}
	})
	close(deaf)
	if err := c.Wait(t.Context()); !errors.Is(err, syscall.ETIMEDOUT) || !c.IsBroken() {
		t.Errorf("error = %v, broken %v", err, c.IsBroken())
	}
}

func TestWaitKeepsAMessageThatArrivesInPieces(t *testing.T) {
	t.Parallel()
	whole, _ := (&pgproto3.NotificationResponse{PID: 7, Channel: "c", Payload: "in pieces"}).Encode(nil)
	for cut := 1; cut < len(whole); cut += 3 {
		synctest.Test(t, func(t *testing.T) {
			proceed := make(chan struct{})
			c := fakeDialled(t, sqltest.NewFake(t, sqltest.Script{
				sqltest.Accept(), sqltest.ReplyBytes(whole[:cut]), sqltest.Await(proceed), sqltest.ReplyBytes(whole[cut:]),
			}))
			var got recorder[driver.Notification]
			c.AddNotificationHandler(got.add)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			if err := c.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error = %v", err)
			}
			close(proceed)
			if err := c.Wait(t.Context()); err != nil || len(got.all()) != 1 || got.all()[0].Payload != "in pieces" {
				t.Errorf("cut at %d: %v, %v", cut, got.all(), err)
			}
		})
	}
}

func TestNotificationHandlersComeAndGo(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	mustExec(t, conn, "listen c")
	var first, second recorder[driver.Notification]
	var remove func()
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		c.AddNotificationHandler(func(driver.Notification) { panic("handler") })
		remove = c.AddNotificationHandler(first.add)
		c.AddNotificationHandler(second.add)
	})
	mustExec(t, conn, "notify c, '1'")
	remove()
	remove()
	mustExec(t, conn, "notify c, '2'")
	conn.Close()
	mustExec(t, one(t, db), "notify c, '3'") // the same session, another user of it
	if a, b := len(first.all()), len(second.all()); a != 1 || b != 2 {
		t.Errorf("%d and %d calls, want 1 and 2", a, b)
	}
}

// taken empties what the connection keeps of the wanted channels.
func taken(t testing.TB, conn *sql.Conn, wanted func(string) bool) (payloads []string) {
	t.Helper()
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		for {
			n, ok, err := c.TakeNotification(wanted)
			if err != nil {
				t.Error(err)
			}
			if !ok {
				return
			}
			payloads = append(payloads, n.Payload)
		}
	})
	return payloads
}

func TestNotificationsWaitUntilTheyAreTaken(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	mustExec(t, conn, "listen a; listen b")
	mustExec(t, conn, "notify a, '1'; notify b, '2'; notify a, '3'; notify b, '4'")
	if got := taken(t, conn, func(channel string) bool { return channel == "b" }); strings.Join(got, "") != "24" {
		t.Errorf("channel b: %q", got)
	}
	if got := taken(t, conn, nil); strings.Join(got, "") != "13" {
		t.Errorf("the rest: %q", got)
	}
	mustExec(t, conn, "notify a, 'for the next user?'")
	conn.Close()
	if got := taken(t, one(t, db), nil); got != nil {
		t.Errorf("the next user of the connection got %q", got)
	}
}

func TestDroppedNotificationsAreReported(t *testing.T) {
	t.Parallel()
	conn := one(t, sqltest.DB(t, sqltest.Options{}))
	mustExec(t, conn, "listen a")
	for range 2 {
		mustExec(t, conn, "select pg_notify('a', repeat(chr(65 + i % 26), 7900) || i) from generate_series(1, 600) i")
	}
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		_, ok, err := c.TakeNotification(nil)
		if ok || !errors.Is(err, driver.ErrNotificationsDropped) {
			t.Fatalf("%v, %v, want ErrNotificationsDropped", ok, err)
		}
		n, ok, err := c.TakeNotification(nil)
		if !ok || err != nil || strings.HasSuffix(n.Payload, "A1") {
			t.Errorf("%v, %v, payload ends in %q", ok, err, n.Payload[max(0, len(n.Payload)-4):])
		}
	})
}

func TestDialIsOutsideOfThePool(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.ApplicationName = "dialled" })
	db.SetMaxOpenConns(1)
	conn := one(t, db)
	var connector *driver.Connector
	inside(t, conn, func(_ context.Context, c *driver.Conn) { connector = c.Connector() })
	c, err := connector.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if pid := int64(c.Info().BackendPID); pid == backendPID(t, conn) {
		t.Error("the dialled connection is the pool's")
	}
	if got := c.Parameter("application_name"); got != "dialled" {
		t.Errorf("application_name = %q", got)
	}
	db.Close()
	if _, err := connector.Dial(t.Context()); !errors.Is(err, driver.ErrConnectorClosed) {
		t.Errorf("after Close: %v", err)
	}
}
