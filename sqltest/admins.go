package sqltest

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// admins are idle connections of this package's own to a server: a new one costs the server as much as a copy of a database.
type admins struct {
	mu   sync.Mutex
	idle []*pgconn.PgConn
}

// maxAdmins is how many of them are kept. Each is a session of the server until the process ends.
const maxAdmins = 8

// asAdmin runs fn on a connection to the server's own database. What fn leaves on it but settings does not matter: only a connection
// that is idle, outside of a transaction, is kept.
func (in *Instance) asAdmin(ctx context.Context, fn func(conn *pgconn.PgConn) error) error {
	conn, err := in.admins.take(ctx, in.DSN(""))
	if err != nil {
		return err
	}
	defer in.admins.give(ctx, conn)
	return fn(conn)
}

// take returns an idle connection that works, or a new one.
func (a *admins) take(ctx context.Context, dsn string) (*pgconn.PgConn, error) {
	for {
		conn := a.pop()
		if conn == nil {
			return connect(ctx, dsn)
		}
		if conn.Ping(ctx) == nil {
			return conn, nil
		}
		conn.Close(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

func (a *admins) pop() *pgconn.PgConn {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := len(a.idle) - 1
	if last < 0 || isBubble() {
		return nil
	}
	conn := a.idle[last]
	a.idle = a.idle[:last]
	return conn
}

// give keeps a connection for the next use, or closes it.
func (a *admins) give(ctx context.Context, conn *pgconn.PgConn) {
	const idle = 'I' // outside of a transaction
	if !conn.IsClosed() && !conn.IsBusy() && conn.TxStatus() == idle && !isBubble() && a.push(conn) {
		return
	}
	conn.Close(ctx)
}

func (a *admins) push(conn *pgconn.PgConn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.idle) >= maxAdmins {
		return false
	}
	a.idle = append(a.idle, conn)
	return true
}

// isBubble reports whether the caller is in a bubble of testing/synctest, by its time, which begins in 2000. A connection that was made
// in one cannot be used outside.
func isBubble() bool { return time.Now().Year() < 2020 }
