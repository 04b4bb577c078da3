package listen_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

func TestWatchEndsTheMomentTheServerIsLost(t *testing.T) {
	t.Parallel()
	const lasted = 90 * time.Minute
	for _, tt := range []struct {
		name string
		end  sqltest.Step
		want string
	}{
		{"shutdown", sqltest.Fatal("57P01", "terminating connection due to administrator command"), "57P01"},
		{"crash", sqltest.Fatal("57P02", "terminating connection because of crash of another server process"), "57P02"},
		{"cannot connect now", sqltest.Fatal("57P03", "the database system is shutting down"), "57P03"},
		{"hang-up", sqltest.HangUp(), "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := sqltest.NewFake(t, sqltest.Script{sqltest.Accept()}, sqltest.Script{
					sqltest.Accept(), hold(lasted / 3),
					sqltest.Reply(&pgproto3.NoticeResponse{Severity: "WARNING", Message: "harmless"}), hold(lasted / 3),
					sqltest.Reply(&pgproto3.ParameterStatus{Name: "TimeZone", Value: "GMT"}), hold(lasted / 3), tt.end,
				})
				db := fakeDB(t, f, nil)
				defer db.Close()
				begin := time.Now()
				err := listen.Watch(t.Context(), db, listen.WatchOptions{})
				if !errors.Is(err, listen.ErrServerLost) || !strings.Contains(err.Error(), tt.want) || time.Since(begin) != lasted {
					t.Errorf("%v after %v", err, time.Since(begin))
				}
			})
		})
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := listen.Watch(ctx, db, listen.WatchOptions{}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, listen.ErrServerLost) {
		t.Errorf("error = %v", err)
	}
	db.Close()
	if err := listen.Watch(context.Background(), db, listen.WatchOptions{}); err == nil || errors.Is(err, listen.ErrServerLost) {
		t.Errorf("closed pool: %v", err)
	}
}

func TestWatchOnARealServer(t *testing.T) {
	t.Parallel()
	sqltest.Server(t)
	in, err := sqltest.Start(t.Context(), sqltest.StartOptions{TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	proxy := in.Fault(t)
	for _, tt := range []struct {
		name string
		dsn  string
		end  func() error
		code string
	}{
		{"reset", strings.Replace(proxy.DSN(in.DSN("")), "verify-full", "disable", 1), func() error { proxy.Reset(); return nil }, ""},
		{"cut", strings.Replace(proxy.DSN(in.DSN("")), "verify-full", "disable", 1), func() error { proxy.Cut(); return nil }, ""},
		{"shutdown", in.DSN(""), func() error { return in.Stop(context.Background(), sqltest.StopFast) }, "57P01"},
	} {
		cfg, err := driver.ParseConfig(tt.dsn)
		if err != nil {
			t.Fatal(err)
		}
		connected := make(chan struct{}, 2)
		cfg.AfterConnect = func(context.Context, *driver.Conn) error { connected <- struct{}{}; return nil }
		db := sql.OpenDB(driver.NewConnector(cfg))
		watched := make(chan error, 1)
		go func() { watched <- listen.Watch(testContext(t), db, listen.WatchOptions{}) }()
		for range 2 { // the pool's connection, and the one that is watched
			select {
			case <-connected:
			case err := <-watched:
				t.Fatalf("%s, too early: %v", tt.name, err)
			}
		}
		if err := tt.end(); err != nil {
			t.Fatal(err)
		}
		err = <-watched
		var server *pgconn.PgError
		if !errors.Is(err, listen.ErrServerLost) || tt.code != "" && (!errors.As(err, &server) || server.Code != tt.code) {
			t.Errorf("%s: %v", tt.name, err)
		}
		db.Close()
	}
}
