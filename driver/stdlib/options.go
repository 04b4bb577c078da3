package stdlib

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// OptionOpenDB is an option of [OpenDB], [OpenDBFromPool] and their connectors.
type OptionOpenDB func(*connector)

// connector is how connections are made and looked after. Its functions may be nil.
type connector struct {
	config        *pgx.ConnConfig
	beforeConnect func(context.Context, *pgx.ConnConfig) error
	afterConnect  func(context.Context, *pgx.Conn) error
	resetSession  func(context.Context, *pgx.Conn) error
	shouldPing    func(context.Context, ShouldPingParams) bool
}

func (c *connector) with(opts []OptionOpenDB) *connector {
	for _, o := range opts {
		o(c)
	}
	return c
}

// OptionBeforeConnect has bc called before each connection is made. It gets a shallow copy of the configuration, the one
// to connect with: it may set fields, but must not change what they point to. Its error is that of connecting. It is not
// called for a pool's connections.
func OptionBeforeConnect(bc func(context.Context, *pgx.ConnConfig) error) OptionOpenDB {
	return func(c *connector) { c.beforeConnect = bc }
}

// OptionAfterConnect has ac called once with each new connection, before the driver uses it. Its error closes the
// connection and is that of connecting. It is not called for a pool's connections.
func OptionAfterConnect(ac func(context.Context, *pgx.Conn) error) OptionOpenDB {
	return func(c *connector) { c.afterConnect = ac }
}

// OptionResetSession has rs called before each further use of a connection. When its error is driver.ErrBadConn of
// database/sql/driver the connection is discarded and another one taken; other errors have no effect in database/sql.
func OptionResetSession(rs func(context.Context, *pgx.Conn) error) OptionOpenDB {
	return func(c *connector) { c.resetSession = rs }
}

// ShouldPingParams is what the function of [OptionShouldPing] decides by.
type ShouldPingParams struct {
	// Conn is the connection that is about to be used again. Nothing must be sent on it.
	Conn *pgx.Conn
	// IdleDuration is the time since the last decision about this connection, or since it was made.
	IdleDuration time.Duration
}

// OptionShouldPing has f decide, before each further use of a connection, whether it is pinged: a round trip. Without it
// the driver looks at the socket, which needs none, and pings after a minute of idling, or after a second where the
// connection's dialer does not allow such a look. A connection that is seen to be closed is discarded in any case.
func OptionShouldPing(f func(context.Context, ShouldPingParams) bool) OptionOpenDB {
	return func(c *connector) { c.shouldPing = f }
}

// pingDecision is the option's function as the driver calls it.
func (c *connector) pingDecision() func(context.Context, *pgx.Conn, time.Duration) bool {
	if c.shouldPing == nil {
		return nil
	}
	return func(ctx context.Context, px *pgx.Conn, idle time.Duration) bool {
		return c.shouldPing(ctx, ShouldPingParams{Conn: px, IdleDuration: idle})
	}
}
