package driver

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// PgxSource gives a [Connector] connections that pgx has made: with a pgx configuration, or out of a pgxpool. Package
// driver/stdlib is made of it.
type PgxSource struct {
	// Connect returns a connection that nothing else uses until it is released. It is called by many goroutines at a
	// time. It must be set.
	Connect func(ctx context.Context) (PgxConn, error)
	// Reset runs before each further use of a connection, behind the driver's own reset. An error that is
	// database/sql/driver's ErrBadConn has the connection discarded and another one taken; database/sql ignores any other. nil does
	// nothing.
	Reset func(ctx context.Context, px *pgx.Conn) error
	// ShouldPing decides before each further use of a connection whether it is pinged, a round trip. idle is the time
	// since the last decision, or since the connection was made. It must not use px to send anything. nil leaves the
	// decision to [Config].PingAfter. A connection that can be seen to be closed is discarded whatever it says.
	ShouldPing func(ctx context.Context, px *pgx.Conn, idle time.Duration) bool
}

// PgxConn is a connection of a [PgxSource].
type PgxConn struct {
	Conn *pgx.Conn
	// Release takes the connection back. A connection that must not be used again is closed, or inside a transaction,
	// by then. nil closes the connection.
	Release func()
	// Dial opens a socket to the same server, for cancel requests; the driver adds TLS where Conn has it. nil dials
	// Conn's peer address, or the configured directory of a unix socket, with the DialFunc of its configuration.
	Dial func(ctx context.Context) (net.Conn, error)
}

// NewPgxConnector returns a connector, for [sql.OpenDB], whose connections come from source. cfg gives the driver's own
// settings and must be made as for [NewConnector], which see; what it says of hosts, users, TLS and dialling is not
// used but by those who read [Connector.Config].
//
// Each connection keeps to the pgx configuration it was made with: its hooks and DialFunc are called, its Tracer sees the
// driver's statements too, and with a DefaultQueryExecMode other than cache_statement the driver prepares nothing by
// itself (with exec and simple_protocol it names no statement on the server, and sends each in one request, as poolers
// need it).
func NewPgxConnector(cfg *Config, source PgxSource) *Connector {
	cn := NewConnector(cfg)
	cn.source = &source
	return cn
}

// open takes a connection from the source.
func (s *PgxSource) open(ctx context.Context, cfg *Config) (*link, error) {
	if _, err := cfg.seal(); err != nil {
		return nil, err
	}
	pc, err := s.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("driver: connect: %w", err)
	}
	session := pgxSessionOf(pc)
	l := session.link
	l.release = pc.Release
	return &l, nil
}

// adopt fits the connection to the pgx configuration that it was made with.
func (c *Conn) adopt() {
	s := c.link.session
	c.tracer = s.tracer
	c.asked = time.Now()
	c.wire.hear = c.hear
	switch s.mode {
	case pgx.QueryExecModeCacheStatement:
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		c.engine.stmts.threshold, c.engine.unnamed = -1, true
	default:
		c.engine.stmts.threshold = -1
	}
	if s.stmts != nil {
		c.engine.stmts = s.recall(c)
	}
}

// hear hands what the server sends beside results to the driver's hooks: those of pgconn are the configuration's own.
func (c *Conn) hear(msg pgproto3.BackendMessage) {
	switch m := msg.(type) {
	case *pgproto3.NoticeResponse:
		c.notice(Notice(*newServerError((*pgproto3.ErrorResponse)(m)).pg))
	case *pgproto3.NotificationResponse:
		c.notification(Notification{PID: m.PID, Channel: m.Channel, Payload: m.Payload})
	}
}

// shouldPing has the source decide, where it wants to, whether the connection is pinged before its next use.
func (c *Conn) shouldPing(ctx context.Context, due bool) bool {
	s := c.connector.source
	if s == nil || s.ShouldPing == nil {
		return due
	}
	now := time.Now()
	idle := now.Sub(c.asked)
	c.asked = now
	return s.ShouldPing(ctx, c.px, idle)
}

// resetHook runs the source's Reset.
func (c *Conn) resetHook(ctx context.Context) error {
	if s := c.connector.source; s != nil && s.Reset != nil {
		return s.Reset(ctx, c.Conn())
	}
	return nil
}

// giveBack returns the connection to the pool that it is from, which closes it unless it is idle and whole.
func (c *Conn) giveBack(ctx context.Context) {
	release := c.link.release
	c.link.release = func() {}
	if c.broken || c.open != nil || c.copying != nil || c.pg.IsBusy() || !c.pg.IsClosed() && c.readRollback(ctx) != nil {
		c.wire.kill()
	}
	if c.pg.IsClosed() {
		select {
		case <-c.pg.CleanupDone():
		case <-ctx.Done():
		}
	} else {
		c.link.session.keep(c)
	}
	c.broken = true
	release()
}
