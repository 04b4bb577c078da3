package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// pgxSource connects with pgx to a fresh database, and keeps the last connection.
func pgxSource(t *testing.T, last **pgx.Conn) driver.PgxSource {
	t.Helper()
	cfg, err := pgx.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return driver.PgxSource{Connect: func(ctx context.Context) (driver.PgxConn, error) {
		px, err := pgx.ConnectConfig(ctx, cfg)
		*last = px
		return driver.PgxConn{Conn: px}, err
	}}
}

func TestPgxSourceConnectionsHaveTheDriversHooks(t *testing.T) {
	t.Parallel()
	var px *pgx.Conn
	var notices recorder[driver.Notice]
	var notifications recorder[driver.Notification]
	cfg := driver.DefaultConfig()
	cfg.OnNotice = func(_ *driver.Conn, n driver.Notice) { notices.add(n) }
	cfg.OnNotification = func(_ *driver.Conn, n driver.Notification) { notifications.add(n) }
	db := sql.OpenDB(driver.NewPgxConnector(cfg, pgxSource(t, &px)))
	defer db.Close()
	conn := one(t, db)
	mustExec(t, conn, "do $$ begin raise warning using message = 'heard', errcode = '01P01'; end $$")
	mustExec(t, conn, "listen news")
	mustExec(t, conn, "notify news, 'read'")
	if got := notices.all(); len(got) != 1 || got[0].Message != "heard" || got[0].Code != "01P01" || got[0].SeverityUnlocalized != "WARNING" {
		t.Errorf("notices = %+v", got)
	}
	if got := notifications.all(); len(got) != 1 || got[0].Channel != "news" || got[0].Payload != "read" || got[0].PID != px.PgConn().PID() {
		t.Errorf("notifications = %+v", got)
	}
}

func TestPgxSourceConnectionsAreClosedAndCancelled(t *testing.T) {
	t.Parallel()
	var px *pgx.Conn
	db := sql.OpenDB(driver.NewPgxConnector(driver.DefaultConfig(), pgxSource(t, &px)))
	conn := one(t, db)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := conn.ExecContext(ctx, "select pg_sleep(60)")
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "57014" {
		t.Errorf("error = %v, want SQLSTATE 57014", err)
	}
	if got := backendPID(t, conn); got != int64(px.PgConn().PID()) {
		t.Errorf("backend %d, want %d: the cancel request did not arrive", got, px.PgConn().PID())
	}
	conn.Close()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if !px.IsClosed() {
		t.Error("the connection is open after the pool was closed")
	}
}

// TestPgxSourceConnectionServesPoolsOfDifferentSettings has one connection go back and forth between two pools.
func TestPgxSourceConnectionServesPoolsOfDifferentSettings(t *testing.T) {
	t.Parallel()
	px, err := pgx.Connect(t.Context(), sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer px.Close(context.Background())
	pool := func(compat driver.Compat) *sql.DB {
		cfg := driver.DefaultConfig()
		cfg.Compat, cfg.PrepareThreshold = compat, 0
		db := sql.OpenDB(driver.NewPgxConnector(cfg, driver.PgxSource{Connect: func(context.Context) (driver.PgxConn, error) {
			return driver.PgxConn{Conn: px, Release: func() {}}, nil
		}}))
		db.SetMaxIdleConns(-1)
		t.Cleanup(func() { db.Close() })
		return db
	}
	asPgx, asPq := pool(driver.CompatPgx), pool(driver.CompatPq)
	for range 3 {
		var text, bytes any
		for db, dest := range map[*sql.DB]*any{asPgx: &text, asPq: &bytes} {
			if err := db.QueryRow("select $1::numeric", 1).Scan(dest); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := text.(string); !ok {
			t.Errorf("compat=pgx gave a %T", text)
		}
		if _, ok := bytes.([]byte); !ok {
			t.Errorf("compat=pq gave a %T", bytes)
		}
	}
}

func TestPgxSourceErrors(t *testing.T) {
	t.Parallel()
	refused := errors.New("no connection today")
	source := driver.PgxSource{Connect: func(context.Context) (driver.PgxConn, error) { return driver.PgxConn{}, refused }}
	if _, err := driver.NewPgxConnector(driver.DefaultConfig(), source).Connect(t.Context()); !errors.Is(err, refused) {
		t.Errorf("error = %v, want the source's", err)
	}
	if _, err := driver.NewPgxConnector(&driver.Config{}, source).Connect(t.Context()); err == nil || errors.Is(err, refused) {
		t.Errorf("error = %v, want a refusal of the Config", err)
	}
}
