package ext

import (
	"context"
	"database/sql"
)

// Querier is a *sql.DB, *sql.Conn or *sql.Tx, or anything that wraps one: a handle to run statements on.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// OutsideTx is a *sql.DB or *sql.Conn, or a wrapper of one. No transaction has its methods, so what takes an OutsideTx
// cannot be called with one. A *sql.Conn may be inside a transaction all the same: functions refuse that before they send
// anything.
type OutsideTx interface {
	Querier
	PingContext(ctx context.Context) error
}

var (
	_ Querier   = (*sql.DB)(nil)
	_ Querier   = (*sql.Conn)(nil)
	_ Querier   = (*sql.Tx)(nil)
	_ OutsideTx = (*sql.DB)(nil)
	_ OutsideTx = (*sql.Conn)(nil)
)

// pool is what runs its statements on several connections: a *sql.DB, or what wraps one.
type pool interface {
	Conn(context.Context) (*sql.Conn, error)
}

func isPool(q Querier) bool {
	_, ok := q.(pool)
	return ok
}
