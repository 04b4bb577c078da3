package migrate

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// Pool is a *sql.DB, or what embeds one. It must lead to this driver. A run takes one connection of it.
type Pool interface {
	Conn(ctx context.Context) (*sql.Conn, error)
}

// cleanupTime bounds what has to happen after the caller's context has ended.
const cleanupTime = 5 * time.Second

// session is a connection that holds the lock.
type session struct {
	conn   *sql.Conn
	record record
	opts   Options
	lock   int64
}

// open takes a connection and the lock, and makes the record ready.
func open(ctx context.Context, db Pool, opts Options) (*session, error) {
	name, err := recordName(opts)
	if err != nil {
		return nil, err
	}
	if err := nilhandle.Check(db); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	s := &session{conn: conn, opts: opts}
	if err := s.prepare(ctx, name); err != nil {
		s.close(ctx)
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return s, nil
}

func (s *session) prepare(ctx context.Context, table tableName) (err error) {
	_, err = driver.Do(ctx, s.conn, "migrate", func(_ context.Context, c *driver.Conn) (int64, error) {
		return 0, c.RequireSession("an advisory lock")
	})
	if err != nil {
		return err
	}
	if s.record.table, err = locate(ctx, s.conn, table); err != nil {
		return err
	}
	if err := s.acquire(ctx); err != nil {
		return err
	}
	return s.record.prepare(ctx, s.conn)
}

// lockKey is the advisory lock's of a record table.
func lockKey(table tableName) int64 {
	h := fnv.New64a()
	h.Write([]byte("pycopg migrate " + table.String()))
	return int64(h.Sum64())
}

// acquire takes the lock, and asks again and again for it: a session that waits for a lock inside a statement keeps a
// snapshot, for which a create index concurrently of the lock's holder would wait in turn.
func (s *session) acquire(ctx context.Context) error {
	key := lockKey(s.record.table)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		var got bool
		if err := s.conn.QueryRowContext(ctx, "select pg_catalog.pg_try_advisory_lock($1)", key).Scan(&got); err != nil {
			return err
		}
		if got {
			s.lock = key
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another run holds the lock: %w", context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// close gives the lock back, whatever became of ctx, and closes the connection: what the migrations did to its session
// would follow it into the pool.
func (s *session) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if s.lock != 0 {
		s.conn.ExecContext(ctx, "select pg_catalog.pg_advisory_unlock($1)", s.lock)
	}
	s.conn.Raw(func(any) error { return sqldriver.ErrBadConn })
	s.conn.Close()
}

// settings are those that the session has set by itself.
func (s *session) settings(ctx context.Context) (map[string]string, error) {
	rows, err := s.conn.QueryContext(ctx, `
		select name, setting from pg_catalog.pg_settings where source = 'session'
		union all select 'role', pg_catalog.current_setting('role')
		union all select 'session_authorization', session_user::text`)
	if err != nil {
		return nil, fmt.Errorf("migrate: settings: %w", err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fmt.Errorf("migrate: settings: %w", err)
		}
		found[name] = value
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("migrate: settings: %w", err)
	}
	return found, nil
}

// restore undoes what a migration has done to the session, who it acts as first.
func (s *session) restore(ctx context.Context, before map[string]string) error {
	after, err := s.settings(ctx)
	if err != nil {
		return err
	}
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = s.conn.ExecContext(ctx, query, args...)
		}
	}
	if name := "session_authorization"; after[name] != before[name] {
		exec("reset session authorization") // which may become any other
		exec(setting, name, before[name])
		after["role"] = ""
	}
	if after["role"] != before["role"] {
		exec(setting, "role", before["role"])
	}
	for name := range after {
		if _, was := before[name]; !was {
			exec("select pg_catalog.set_config(name, reset_val, false) from pg_catalog.pg_settings where name = $1", name)
		}
	}
	for name, value := range before {
		if after[name] != value && name != "role" && name != "session_authorization" {
			exec(setting, name, value)
		}
	}
	exec("discard temp")
	if err != nil {
		return fmt.Errorf("migrate: restore the session: %w", err)
	}
	return nil
}

const setting = "select pg_catalog.set_config($1, $2, false)"
