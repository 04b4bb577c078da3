package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/ext"
)

// sleep takes a minute, and says when it has begun.
const sleep = `
do $$
begin
	raise notice 'it begins';
	perform pg_sleep(60);
end $$`

// cancelQuery lets a context end while its query runs. The server stops the query, and the same
// connection runs the next one.
func cancelQuery(ctx context.Context, s *session) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	before, err := backend(ctx, conn)
	if err != nil {
		return err
	}
	impatient, cancel := context.WithCancel(ctx)
	defer cancel()
	impatient = ext.WithNotices(impatient, func(ext.Notice) { cancel() })
	start := time.Now()
	_, err = conn.ExecContext(impatient, sleep)
	if !errors.Is(err, context.Canceled) {
		return errors.Join(errors.New("the query did not end with its context"), err)
	}
	s.out.line("after %s: %v", took(start), err)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		s.out.line("SQLSTATE %s: %s", pgErr.Code, pgErr.Message)
	}
	after, err := backend(ctx, conn)
	if err != nil {
		return fmt.Errorf("the connection did not survive the cancelled query: %w", err)
	}
	if after != before {
		return fmt.Errorf("the connection changed from server process %d to %d", before, after)
	}
	s.out.line("the connection goes on: server process %d answers as before", after)
	return nil
}

// backend returns the number of the server process behind a connection.
func backend(ctx context.Context, conn *sql.Conn) (pid int, err error) {
	err = conn.QueryRowContext(ctx, "select pg_backend_pid()").Scan(&pid)
	return pid, err
}
