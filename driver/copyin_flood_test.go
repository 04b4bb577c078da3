package driver_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// floodRows rows of 10 kB, each answered by a notice of 100 kB, are far more than the sockets hold in either direction.
const floodRows = 1000

const floodTable = `create table flooded (body text);
	create function shout() returns trigger language plpgsql as
		'begin raise notice ''%'', repeat(new.body, 10); return new; end';
	create trigger shout before insert on flooded for each row execute function shout()`

func floodLine() []byte { return append(bytes.Repeat([]byte("x"), 10_000), '\n') }

// countNotices makes a pool whose notices are counted, and whose cancelled statements get the time that a loaded machine
// takes for what is on its way.
func countNotices(cfg *driver.Config) *atomic.Int64 {
	cfg.CancelTimeout = copyTimeout
	var n atomic.Int64
	cfg.OnNotice = func(*driver.Conn, driver.Notice) { n.Add(1) }
	return &n
}

// onEveryTransport runs a test over a unix socket, and with TLS over TCP.
func onEveryTransport(t *testing.T, run func(t *testing.T, db *sql.DB, notices *atomic.Int64)) {
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		var notices *atomic.Int64
		db := openConfig(t, func(cfg *driver.Config) { notices = countNotices(cfg) })
		run(t, db, notices)
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		sqltest.Server(t) // skips without PostgreSQL
		in, err := sqltest.Start(t.Context(), sqltest.StartOptions{TLS: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.Close() })
		cfg, err := driver.ParseConfig(in.DSN(""))
		if err != nil {
			t.Fatal(err)
		}
		notices := countNotices(cfg)
		db := sql.OpenDB(driver.NewConnector(cfg))
		t.Cleanup(func() { db.Close() })
		inside(t, db, func(_ context.Context, c *driver.Conn) {
			if !c.Info().TLS {
				t.Fatal("no TLS")
			}
		})
		run(t, db, notices)
	})
}

func TestCopyInSurvivesFloodOfNotices(t *testing.T) {
	t.Parallel()
	onEveryTransport(t, func(t *testing.T, db *sql.DB, notices *atomic.Int64) {
		mustExec(t, db, floodTable)
		for _, piece := range []int{1, 100} { // rows a write: gathered, and sent from where they are
			notices.Store(0)
			data := bytes.Repeat(floodLine(), piece)
			n, err := copyIn(copyContext(t), db, "copy flooded from stdin", func(ci *driver.CopyIn) error {
				for range floodRows / piece {
					if _, err := ci.Write(data); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil || n != floodRows {
				t.Fatalf("rows = %d, %v", n, err)
			}
			if got := notices.Load(); got != floodRows {
				t.Errorf("notices = %d, want %d", got, floodRows)
			}
		}
		if got := number(t, db, "select count(*) from flooded where length(body) = 10000"); got != 2*floodRows {
			t.Errorf("rows = %d, want %d", got, 2*floodRows)
		}
	})
}

// TestCopyInFloodedEnds ends the context, or the COPY by an error, while notices arrive.
func TestCopyInFloodedEnds(t *testing.T) {
	t.Parallel()
	onEveryTransport(t, func(t *testing.T, db *sql.DB, notices *atomic.Int64) {
		mustExec(t, db, floodTable)
		conn := one(t, db)
		pid := backendPID(t, conn)
		for _, byContext := range []bool{false, true} {
			notices.Store(0)
			ctx, cancel := context.WithCancel(copyContext(t))
			_, err := copyIn(ctx, conn, "copy flooded from stdin", func(ci *driver.CopyIn) error {
				line := floodLine()
				for {
					if _, err := ci.Write(line); err != nil {
						return err
					}
					switch {
					case notices.Load() < 200:
					case byContext:
						cancel()
					default:
						io.WriteString(ci, "two\tcolumns\n")
					}
				}
			})
			cancel()
			if byContext != errors.Is(err, context.Canceled) || !byContext && sqlState(err) != "22P04" {
				t.Errorf("by context %v: %v", byContext, err)
			}
			if n := number(t, conn, "select count(*) from flooded"); n != 0 || backendPID(t, conn) != pid {
				t.Errorf("rows = %d, or the connection was lost", n)
			}
		}
	})
}
