package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/pycopg/pycopg/driver"
)

// sqlClient runs operations through database/sql.
type sqlClient struct{ db *sql.DB }

func openOurs(_ context.Context, where place, conns int) (client, error) {
	cfg, err := driver.ParseConfig(dsn(where.addr))
	if err != nil {
		return nil, err
	}
	cfg.Dial = where.dial
	return newSQLClient(sql.OpenDB(driver.NewConnector(cfg)), conns), nil
}

func openStdlib(_ context.Context, where place, conns int) (client, error) {
	cfg, err := pgx.ParseConfig(dsn(where.addr))
	if err != nil {
		return nil, err
	}
	cfg.DialFunc = pgconn.DialFunc(where.dial)
	return newSQLClient(stdlib.OpenDB(*cfg), conns), nil
}

func openPq(_ context.Context, where place, conns int) (client, error) {
	connector, err := pq.NewConnector(dsn(where.addr))
	if err != nil {
		return nil, err
	}
	connector.Dialer(pqDialer(where.dial))
	return newSQLClient(sql.OpenDB(connector), conns), nil
}

// pqDialer is a dialFunc as lib/pq takes it.
type pqDialer dialFunc

func (d pqDialer) Dial(network, addr string) (net.Conn, error) {
	return d(context.Background(), network, addr)
}

func (d pqDialer) DialTimeout(network, addr string, _ time.Duration) (net.Conn, error) {
	return d(context.Background(), network, addr)
}

func openBun(_ context.Context, where place, conns int) (client, error) {
	connector := pgdriver.NewConnector(pgdriver.WithDSN(dsn(where.addr)), func(cfg *pgdriver.Config) { cfg.Dialer = where.dial })
	return newSQLClient(sql.OpenDB(connector), conns), nil
}

func newSQLClient(db *sql.DB, conns int) sqlClient {
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return sqlClient{db}
}

func (c sqlClient) close() { c.db.Close() }

func (c sqlClient) bind(o op) (program, error) {
	s := &sqlProgram{op: o, db: c.db}
	if o.dest != nil {
		s.dest = o.dest()
	}
	if o.prepared == ahead {
		st, err := c.db.Prepare(o.sql)
		if err != nil {
			return nil, err
		}
		s.stmt = st
	}
	if o.tx {
		return s.runTx, nil
	}
	return func(ctx context.Context) error { return s.runTimes(ctx, s.db) }, nil
}

// sqlProgram is an operation over database/sql, with what it scans into.
type sqlProgram struct {
	op
	db   *sql.DB
	stmt *sql.Stmt
	dest []any
}

// handle is a *sql.DB or a *sql.Tx.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func (s *sqlProgram) runTx(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := s.runTimes(ctx, tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (s *sqlProgram) runTimes(ctx context.Context, h handle) error {
	for range s.times {
		if err := s.runOnce(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqlProgram) runOnce(ctx context.Context, h handle) error {
	switch {
	case s.prepared == eachTime:
		st, err := h.PrepareContext(ctx, s.sql)
		if err != nil {
			return err
		}
		if _, err := st.ExecContext(ctx, s.args...); err != nil {
			return err
		}
		return st.Close()
	case s.stmt != nil && s.dest == nil:
		_, err := s.stmt.ExecContext(ctx, s.args...)
		return err
	case s.stmt != nil:
		return s.stmt.QueryRowContext(ctx, s.args...).Scan(s.dest...)
	case s.dest == nil:
		_, err := h.ExecContext(ctx, s.sql, s.args...)
		return err
	case !s.many:
		return h.QueryRowContext(ctx, s.sql, s.args...).Scan(s.dest...)
	}
	rows, err := h.QueryContext(ctx, s.sql, s.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(s.dest...); err != nil {
			return fmt.Errorf("scan: %w", err)
		}
	}
	return rows.Err()
}
