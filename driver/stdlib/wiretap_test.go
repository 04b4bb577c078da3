package stdlib_test

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
)

// ping is the request that the driver pings with: the simple query ";".
const ping = "Q\x00\x00\x00\x06;\x00"

type netConnectHook = func(context.Context, *pgconn.Config, net.Conn) (net.Conn, error)

// wiretap is a hook that counts the pings sent on a connection. It hides the socket: the driver cannot look at it.
func wiretap(pings *atomic.Int32, next netConnectHook) netConnectHook {
	return func(ctx context.Context, c *pgconn.Config, nc net.Conn) (net.Conn, error) {
		if next != nil {
			var err error
			if nc, err = next(ctx, c, nc); err != nil {
				return nc, err
			}
		}
		return &tapped{Conn: nc, pings: pings}, nil
	}
}

type tapped struct {
	net.Conn
	pings *atomic.Int32
}

func (c *tapped) Write(p []byte) (int, error) {
	if string(p) == ping {
		c.pings.Add(1)
	}
	return c.Conn.Write(p)
}
