package stdlib

import (
	"context"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// connect makes a connection with the configuration as the caller and the hook left it.
func (c *connector) connect(ctx context.Context) (driver.PgxConn, error) {
	config := *c.config
	if c.beforeConnect != nil {
		if err := c.beforeConnect(ctx, &config); err != nil {
			return driver.PgxConn{}, err
		}
	}
	config.RuntimeParams = serverParams(config.RuntimeParams)
	var d dials
	if config.DialFunc != nil {
		d.dial = config.DialFunc
		config.DialFunc = d.record
	}
	px, err := pgx.ConnectConfig(ctx, &config)
	if err != nil {
		return driver.PgxConn{}, err
	}
	if c.afterConnect != nil {
		if err := c.afterConnect(ctx, px); err != nil {
			closeQuietly(ctx, px)
			return driver.PgxConn{}, err
		}
	}
	return driver.PgxConn{Conn: px, Dial: d.again(px.PgConn().Conn())}, nil
}

// farewell bounds the goodbye on a connection that AfterConnect refused.
const farewell = 2 * time.Second

func closeQuietly(ctx context.Context, px *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	_ = px.Close(ctx)
}

// serverParams are the run-time parameters without the driver's own settings, and with the encoding that Go's strings
// have.
func serverParams(params map[string]string) map[string]string {
	p := maps.Clone(params)
	maps.DeleteFunc(p, func(name, _ string) bool { return ownSettings[name] })
	for name := range p {
		if strings.EqualFold(name, "client_encoding") {
			return p
		}
	}
	if p == nil {
		p = make(map[string]string)
	}
	p["client_encoding"] = "UTF8"
	return p
}

// dials remembers where the sockets of one call of pgx.ConnectConfig lead, so that a cancel request goes to the very same
// place: a dialer may take its address for something else than where the socket's peer says it is.
type dials struct {
	dial pgconn.DialFunc

	mu struct {
		sync.Mutex
		over bool
		made []dialed
	}
}

// dialed is a socket and what it took to open it.
type dialed struct {
	nc               net.Conn
	network, address string
}

// record is a pgconn.DialFunc.
func (d *dials) record(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.mu.over {
		d.mu.made = append(d.mu.made, dialed{nc, network, address})
	}
	return nc, nil
}

// again dials what nc, or the socket that it wraps, was made of. It is nil where that is not known.
func (d *dials) again(nc net.Conn) func(context.Context) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made := d.mu.made
	d.mu.over, d.mu.made = true, nil
	for {
		for _, m := range made {
			if m.nc == nc {
				return func(ctx context.Context) (net.Conn, error) { return d.dial(ctx, m.network, m.address) }
			}
		}
		w, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		nc = w.NetConn()
	}
}
