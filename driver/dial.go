package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// link is a connection that is ready for use, and what it takes to reach the same server again.
type link struct {
	px       *pgx.Conn
	inbox    *inbox // nil where pgx made the connection
	host     HostSpec
	network  string
	address  string
	user     string
	database string
	tls      *tls.Config // nil: plain text
	config   *Config
	session  *pgxSession // where px is a PgxSource's, else nil
	release  func()      // gives px back to the pool that it is from; nil: px is closed
}

// redial opens another connection to the same address with the same encryption, for a cancel request. It ends with ctx.
func (l *link) redial(ctx context.Context) (net.Conn, error) {
	nc, err := l.config.dialRaw(ctx, l.network, l.address)
	if err != nil || l.tls == nil {
		return nc, err
	}
	tc, err := l.config.secure(ctx, nc, l.tls)
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	return tc, nil
}

// connect tries the hosts in order until one takes the connection and is of the wanted kind. install may set the
// handlers of each attempt's pgconn.Config. Any error is a *ConnectError or says what is wrong with the Config.
func (c *Config) connect(ctx context.Context, install func(*pgconn.Config)) (*link, error) {
	if !c.sealed {
		sealed, err := c.seal()
		if err != nil {
			return nil, err
		}
		c = sealed
	}
	d := &dialing{Config: c, install: install, failure: &ConnectError{}}
	hosts := c.orderedHosts()
	for _, want := range sessionPasses(c.TargetSessionAttrs) {
		for _, h := range hosts {
			l, done := d.tryHost(ctx, h, want)
			if l != nil {
				return l, nil
			}
			if done {
				return nil, d.failure
			}
		}
	}
	return nil, d.failure
}

// dialing is one call of connect.
type dialing struct {
	*Config
	install func(*pgconn.Config)
	failure *ConnectError
}

// tryHost tries every address of a host; done ends the whole search.
func (d *dialing) tryHost(ctx context.Context, h HostSpec, want sessionCheck) (l *link, done bool) {
	resolving, cancel := d.timed(ctx)
	targets, err := d.resolve(resolving, h)
	if err != nil {
		err = contextOr(resolving, err)
	}
	cancel()
	if err != nil {
		return nil, d.record(ctx, d.describe(target{host: h}), err)
	}
	for _, t := range targets {
		attempt, cancel := d.timed(ctx)
		l, done = d.tryAddress(ctx, attempt, t, want)
		cancel()
		if l != nil || done {
			return l, done
		}
	}
	return nil, false
}

// timed applies connect_timeout, which counts for each lookup and each address.
func (d *dialing) timed(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.ConnectTimeout <= 0 {
		return context.WithCancel(ctx)
	}
	cause := fmt.Errorf("connect_timeout of %v has passed: %w", d.ConnectTimeout, context.DeadlineExceeded)
	return context.WithTimeoutCause(ctx, d.ConnectTimeout, cause)
}

// tryAddress tries the kinds of encryption that sslmode allows, in its order. The second is tried where the first got
// through to the server and was turned down.
func (d *dialing) tryAddress(outer, ctx context.Context, t target, want sessionCheck) (l *link, done bool) {
	for _, enc := range d.encryptions(t) {
		a := &attempt{dialing: d, target: t, enc: enc, report: d.describe(t)}
		a.report.TLS = enc != encPlain
		l, err := a.run(ctx, want)
		if err == nil {
			return l, false
		}
		if d.record(outer, a.report, contextOr(ctx, err)) {
			return nil, true
		}
		if !a.reached || a.accepted || ctx.Err() != nil || enc == encTLSOrPlain && !a.report.TLS {
			return nil, false
		}
	}
	return nil, false
}

// record keeps an attempt's error and reports whether the search is over: the caller's context has ended, or the server
// gave an answer that no other server would better.
func (d *dialing) record(ctx context.Context, report ConnectAttempt, err error) (done bool) {
	report.Err = err
	d.failure.Attempts = append(d.failure.Attempts, report)
	if ctx.Err() != nil {
		d.failure.cause = context.Cause(ctx)
		if !errors.Is(d.failure.cause, ctx.Err()) {
			d.failure.cause = fmt.Errorf("%w: %w", ctx.Err(), d.failure.cause)
		}
		return true
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		switch pgErr.Code {
		case "28P01", "3D000", "42501": // password, database, CONNECT privilege
			return true
		}
	}
	return false
}

func (d *dialing) describe(t target) ConnectAttempt {
	return ConnectAttempt{Host: orDefault(t.host.Host, t.host.HostAddr), Port: t.port(), Address: t.address, User: d.User, Database: d.database()}
}

// dialRaw opens a socket with the settings that belong to it.
func (c *Config) dialRaw(ctx context.Context, network, address string) (net.Conn, error) {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext // setSocketOptions sets them
	}
	nc, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if network == "tcp" {
		err = c.setSocketOptions(nc)
	} else if c.RequirePeer != "" {
		err = c.checkPeer(nc)
	}
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	return nc, nil
}

// farewellTimeout bounds the farewell on a connection that is not wanted.
const farewellTimeout = 2 * time.Second

func closeQuietly(ctx context.Context, px *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTimeout)
	defer cancel()
	_ = px.Close(ctx)
}
