package driver_test

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// soakStatements are the mix. Each returns its number after about so many seconds, as the server sees it. lingers says that
// the rows stay open for a while after the server is done with them: a cancel then finds nothing to stop.
var soakStatements = []struct {
	name string
	run  func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (int64, error)
}{
	{"QueryRow", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		err = s.db.QueryRowContext(ctx, "select $1::bigint from pg_sleep($2)", n, seconds).Scan(&got)
		return got, err
	}},
	{"QueryRow without arguments", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		err = s.db.QueryRowContext(ctx, fmt.Sprintf("select %d from pg_sleep(%f)", n, seconds)).Scan(&got)
		return got, err
	}},
	{"unprepared", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		err = s.db.QueryRowContext(ctx, "select $1::bigint from pg_sleep($2)", driver.QueryOptions{Prepare: new(bool)}, n, seconds).Scan(&got)
		return got, err
	}},
	{"several statements", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		err = s.db.QueryRowContext(ctx, fmt.Sprintf("select %d; select 2 from pg_sleep(%f)", n, seconds)).Scan(&got)
		return got, err
	}},
	{"Exec", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (int64, error) {
		res, err := s.db.ExecContext(ctx, "select from generate_series(1, $1::int), pg_sleep($2)", n%50, seconds)
		if err != nil {
			return 0, err
		}
		count, err := res.RowsAffected()
		return n - n%50 + count, err
	}},
	{"rows", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		rows, err := s.db.QueryContext(ctx, "select $1::bigint from generate_series(1, 200) i, pg_sleep($2)", n, seconds)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&got); err != nil {
				return 0, err
			}
		}
		return got, rows.Err()
	}},
	{"rows that linger", func(ctx context.Context, s *cancelSoak, n int64, _ float64) (got int64, err error) {
		rows, err := s.db.QueryContext(ctx, "select $1::bigint from generate_series(1, 3)", n)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		rows.Next()
		err = rows.Scan(&got)
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
		return got, err
	}},
	{"transaction", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		tx, err := s.db.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return 0, err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(context.WithoutCancel(ctx), "savepoint a"); err != nil {
			return 0, fmt.Errorf("a statement that is not cancelled: %w", err)
		}
		err = tx.QueryRowContext(ctx, "select $1::bigint from pg_sleep($2)", n, seconds).Scan(&got)
		if _, err := tx.ExecContext(context.WithoutCancel(ctx), "rollback to savepoint a"); err != nil {
			return 0, fmt.Errorf("a statement that is not cancelled: %w", err)
		}
		if errTx := tx.Commit(); errTx != nil {
			return 0, fmt.Errorf("commit: %w", errTx)
		}
		return got, err
	}},
	{"Stmt", func(ctx context.Context, s *cancelSoak, n int64, seconds float64) (got int64, err error) {
		stmt, err := s.db.PrepareContext(context.WithoutCancel(ctx), "select $1::bigint + 0 from pg_sleep($2)")
		if err != nil {
			return 0, err
		}
		defer stmt.Close()
		err = stmt.QueryRowContext(ctx, n, seconds).Scan(&got)
		return got, err
	}},
}
