package driver

import (
	"context"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgxNotifications keeps the notifications for WaitForNotification of the *pgx.Conn that [Conn.Conn] hands out: it reads
// them from a buffer of pgx's own, which nobody empties while the driver has the connection.
type pgxNotifications struct {
	buffer func(*pgconn.PgConn, *pgconn.Notification) // puts one into pgx's buffer; nil where pgx has none
	lent   bool                                       // the *pgx.Conn is in other hands
	kept   []*pgconn.Notification                     // what arrived while it was not
}

// maxKeptNotifications is how many wait for a user of the *pgx.Conn, who may never come: the oldest are dropped.
const maxKeptNotifications = 1000

// install has f called for each notification of the connection to be made, beside pgx's own handler. pgx sets that one in
// its copy of the configuration, where it has no other; the hook sees the copy.
func (p *pgxNotifications) install(pc *pgconn.Config, f func(Notification)) {
	pc.OnNotification = nil
	pc.AfterNetConnect = func(_ context.Context, config *pgconn.Config, nc net.Conn) (net.Conn, error) {
		p.buffer = config.OnNotification
		config.OnNotification = func(pg *pgconn.PgConn, n *pgconn.Notification) {
			f(Notification(*n))
			p.add(pg, n)
		}
		return nc, nil
	}
}

func (p *pgxNotifications) add(pg *pgconn.PgConn, n *pgconn.Notification) {
	switch {
	case p.buffer == nil:
	case p.lent:
		p.buffer(pg, n)
	default:
		if len(p.kept) == maxKeptNotifications {
			p.kept = slices.Delete(p.kept, 0, maxKeptNotifications/2)
		}
		p.kept = append(p.kept, n)
	}
}

// lend gives what was kept to pgx.
func (p *pgxNotifications) lend(pg *pgconn.PgConn) {
	p.lent = true
	for _, n := range p.kept {
		p.buffer(pg, n)
	}
	p.kept = nil
}
