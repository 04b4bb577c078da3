package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"io"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxCancels bounds the cancel requests that a pool sends at a time: a burst of timeouts must not become a burst of
// connections.
const maxCancels = 8

// Connector makes the connections of one pool. It is made by [NewConnector] and given to [sql.OpenDB].
type Connector struct {
	cfg     *Config
	cancels chan struct{} // a slot for each cancel request under way
	known   *descriptions
	user    *userTypes
	types   *typeSet
	catalog catalog
	shared  sync.Map   // what Shared has made
	source  *PgxSource // nil: the hosts of cfg are dialled

	mu struct {
		sync.Mutex
		closed     bool
		bareCopies map[string]int // COPYs prepared on a *sql.DB, by text
	}
}

var (
	_ sqldriver.Connector = (*Connector)(nil)
	_ io.Closer           = (*Connector)(nil)
)

// NewConnector returns the connector of cfg, for [sql.OpenDB]. It copies cfg and does not dial. cfg must have been made
// by [ParseConfig], [ConfigFromEnv] or [DefaultConfig]; any other is refused when a connection is made.
func NewConnector(cfg *Config) *Connector {
	cn := &Connector{cfg: cfg.Clone(), cancels: make(chan struct{}, maxCancels), known: newDescriptions(), user: newUserTypes()}
	cn.types = newTypeSet(cn.askTypeInfos)
	return cn
}

// Config returns a copy of the connector's settings.
func (cn *Connector) Config() *Config { return cn.cfg.Clone() }

// Shared returns what make returns for key, made once for the pool: packages keep what they have learned of a database
// there. key is of a type of the package's own.
func (cn *Connector) Shared(key any, make func() any) any {
	if v, ok := cn.shared.Load(key); ok {
		return v
	}
	v, _ := cn.shared.LoadOrStore(key, make())
	return v
}

// Driver implements [sqldriver.Connector].
func (cn *Connector) Driver() sqldriver.Driver { return &Driver{} }

// Close implements [io.Closer]; (*sql.DB).Close calls it. Afterwards no connection can be made; those that exist are
// their owners'.
func (cn *Connector) Close() error {
	cn.mu.Lock()
	defer cn.mu.Unlock()
	cn.mu.closed = true
	return nil
}

// Connect implements [sqldriver.Connector]: it dials the hosts in turn until one accepts. Its error is a *[ConnectError]
// with a line for each attempt, and names no password.
func (cn *Connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := cn.connect(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (cn *Connector) connect(ctx context.Context) (*Conn, error) {
	cn.mu.Lock()
	closed := cn.mu.closed
	cn.mu.Unlock()
	if closed {
		return nil, ErrConnectorClosed
	}
	c := &Conn{connector: cn, cfg: cn.cfg}
	location, err := scanLocation(cn.cfg.TimezoneScan, cn.cfg.Compat, c.sessionZone)
	if err != nil {
		return nil, err
	}
	l, err := cn.dial(ctx, c)
	if err != nil {
		return nil, err
	}
	c.link, c.px, c.pg = l, l.px, l.px.PgConn()
	c.wire = newWire(c.pg, l.inbox, c.cancelRunning, cn.cfg.CancelTimeout)
	c.engine = engine{
		transport: c.wire,
		codecs:    newCodecs(c.px.TypeMap(), cn.cfg.Compat, cn.cfg.Infinity, location),
		stmts:     newStatements(cn.cfg.PrepareThreshold, cn.cfg.PreparedMax),
		shared:    cn.known,
		unnamed:   cn.cfg.Pooler == PoolerTransaction,
	}
	c.engine.codecs.user, c.engine.codecs.set = cn.user, cn.types
	c.lastUsed = now()
	c.tracer = cn.cfg.Tracer
	if cn.source != nil {
		c.adopt()
	}
	if cn.cfg.AfterConnect != nil {
		if err := cn.cfg.AfterConnect(ctx, c); err != nil {
			c.Close()
			return nil, fmt.Errorf("driver: after connect: %w", err)
		}
	}
	return c, nil
}

// dial makes the connection that c is to use.
func (cn *Connector) dial(ctx context.Context, c *Conn) (*link, error) {
	if cn.source != nil {
		return cn.source.open(ctx, cn.cfg)
	}
	return cn.cfg.connect(ctx, c.install)
}

func (c *Conn) sessionZone() string { return c.pg.ParameterStatus("TimeZone") }

// install sets the hooks of a connection that is about to be made.
func (c *Conn) install(pc *pgconn.Config) {
	pc.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { c.notice(Notice(*n)) }
	c.forPgx.install(pc, c.notification)
	pc.OnPgError = func(_ *pgconn.PgConn, e *pgconn.PgError) bool { return !isFatal(e) }
}

// isFatal reports whether the server ends the session with e. The severity is compared in its unlocalized form.
func isFatal(e *pgconn.PgError) bool {
	severity := e.SeverityUnlocalized
	if severity == "" {
		severity = e.Severity // servers before 9.6
	}
	return severity == "FATAL" || severity == "PANIC"
}
