package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Conn returns the underlying *pgx.Conn, for what pgx does and this driver does not. It must not be kept beyond the
// function that got c, nor be closed. The driver forgets what it knew of the session: prepared statements are
// prepared again.
func (c *Conn) Conn() *pgx.Conn {
	c.lend()
	c.forPgx.lend(c.pg)
	return c.px
}

// PgConn returns the underlying *pgconn.PgConn, under the rules of [Conn.Conn].
func (c *Conn) PgConn() *pgconn.PgConn {
	c.lend()
	return c.pg
}

// lend prepares the connection for other hands: a BEGIN that waits is sent, in one bounded round trip. Where that fails
// the connection is closed, so that nothing commits that was meant to be in a transaction.
func (c *Conn) lend() {
	c.lent = true
	if c.engine.inFlight { // in a hook: the statement that is being read has taken along what waited
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if c.settle(ctx) != nil {
		c.wire.kill()
	}
}

// settle sends what waits for a request.
func (c *Conn) settle(ctx context.Context) error {
	if !c.engine.waiting() {
		return nil
	}
	c.wire.watch(ctx)
	return c.finish(ctx, c.engine.flush())
}

// Connector returns the connector of the pool that c belongs to.
func (c *Conn) Connector() *Connector { return c.connector }

// TxStatus is 'I' when the session is idle, 'T' inside a transaction, 'E' inside a failed one.
// A transaction whose BEGIN waits for its first statement counts as 'T'.
func (c *Conn) TxStatus() byte { return c.engine.status() }

// IsClosed reports whether the connection has been closed, by either side as far as it was noticed.
func (c *Conn) IsClosed() bool { return c.pg.IsClosed() }

// IsBroken reports whether the connection was lost or will not be used again for another reason, without having been
// closed by its owner.
func (c *Conn) IsBroken() bool { return c.broken || c.pg.IsClosed() }

// Busy names what uses the connection now: open rows, the operation of a [Reservation], or a COPY. It is "" when nothing
// does.
func (c *Conn) Busy() string {
	switch {
	case c.open != nil:
		return "rows of: " + abbreviate(c.open.sql)
	case c.reserved != nil:
		return c.reserved.operation
	case c.copying != nil:
		return abbreviate(c.copying.sql)
	}
	return ""
}

// SyscallConn returns the socket of the connection, for options and for waiting on it. Reading from it or writing to it
// breaks the session. It fails where a custom dialer gave no socket.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if raw := rawConn(c.wire.conn); raw != nil {
		return raw, nil
	}
	return nil, errors.New("driver: the connection has no socket of the operating system")
}

// Poll takes the messages that have arrived while the connection was idle, and hands notices and notifications to their
// hooks. It sends nothing and does not wait. Its error says that the connection is lost.
func (c *Conn) Poll() error {
	if c.pg.IsClosed() {
		return &retryError{}
	}
	switch c.wire.peek() {
	case peekGone, peekData, peekUnknown:
		if err := c.wire.absorb(); err != nil {
			c.broken = true
			return &retryError{cause: err}
		}
	}
	return nil
}

// Info tells what a connection leads to.
type Info struct {
	Vendor          string // "PostgreSQL", "CockroachDB" or "YugabyteDB"
	Version         string // server_version as the server reports it
	VersionNum      int    // as PostgreSQL's server_version_num: 150018 for 15.18; 0 when Version has no such form
	Host            string // of the host list, the one that accepted
	Address         string // that was dialled
	Port            uint16
	User            string
	Database        string
	BackendPID      uint32
	TLS             bool
	TLSState        tls.ConnectionState // zero without TLS
	StandardStrings bool                // standard_conforming_strings
}

// Info describes the server and the session. It asks the server nothing.
//
// In a hook that runs while the connection is being made it knows nothing yet and is the zero Info.
func (c *Conn) Info() Info {
	if c.link == nil {
		return Info{}
	}
	info := Info{
		Vendor: "PostgreSQL", Version: c.pg.ParameterStatus("server_version"),
		Host: c.link.host.Host, Address: c.link.address, Port: c.link.host.Port,
		User: c.link.user, Database: c.link.database, BackendPID: c.pg.PID(),
		StandardStrings: c.engine.standardStrings(),
	}
	switch {
	case c.pg.ParameterStatus("crdb_version") != "":
		info.Vendor = "CockroachDB"
	case strings.Contains(info.Version, "-YB-"):
		info.Vendor = "YugabyteDB"
	}
	info.VersionNum = versionNum(info.Version)
	if t, ok := c.wire.conn.(*tls.Conn); ok {
		info.TLS, info.TLSState = true, t.ConnectionState()
	}
	return info
}

// versionNum turns "15.18 (Debian …)" into 150018 and "17beta1" into 170000; 0 when there is no number.
func versionNum(version string) int {
	number := version
	if i := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
		number = version[:i]
	}
	major, minor, _ := strings.Cut(number, ".")
	a, err := strconv.Atoi(major)
	if err != nil {
		return 0
	}
	second, third, _ := strings.Cut(minor, ".")
	b, _ := strconv.Atoi(second)
	if a >= 10 {
		return a*10000 + b
	}
	c, _ := strconv.Atoi(third) // 9.6.24 is 90624
	return a*10000 + b*100 + c
}

// reportPanic logs a panic of a user's hook: it must not tear the reading of a result apart.
func reportPanic(hook string, p any) {
	slog.Error("driver: a hook panicked", "hook", hook, "panic", p, "stack", string(debug.Stack()))
}
