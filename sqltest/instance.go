package sqltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// ErrNotPrivate says that an Instance is shared with others, so that it cannot be stopped or restarted.
var ErrNotPrivate = errors.New("sqltest: the server is shared: only a server of Start can be stopped")

// StopMode is how a server is stopped: the words of "pg_ctl stop -m".
type StopMode string

// The three ways to stop a server. The zero StopMode is StopFast.
const (
	StopFast      StopMode = "fast"      // sessions are ended with SQLSTATE 57P01, a checkpoint is written
	StopSmart     StopMode = "smart"     // waits until the last client has gone
	StopImmediate StopMode = "immediate" // as after a crash: the next start recovers
)

// Instance is a PostgreSQL server: a shared one of Server, or a private one of Start.
// Its methods may be called by several goroutines, but for Stop, Restart and Close.
type Instance struct {
	at       address
	external string // DSN of a server that this package did not start
	major    int
	keeper   *keeper // of a private server
	spec     spec    // of a server that this process started
	settled  bool    // Close was called
	admins   admins
}

// address is where a server that this package started can be reached, by those who may know.
type address struct {
	Dir      string
	Port     int
	Password string
	TLS      bool
}

// DSN returns a connection string for the superuser in database dbname, "" being "postgres" or, for a
// server named by PYCOPG_TEST_DSN, the database named there. It leads over the unix socket, without
// password and TLS, or over TCP where the server has no socket or was started with TLS.
func (in *Instance) DSN(dbname string) string {
	if in.external != "" {
		return withDatabase(in.external, dbname)
	}
	folder := socketFolder(in.at.Dir)
	if in.at.TLS || folder == "" {
		return in.TCP(dbname)
	}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + orPostgres(dbname)}
	u.RawQuery = url.Values{"host": {folder}, "port": {strconv.Itoa(in.at.Port)}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// TCP returns a connection string as DSN does, which leads over TCP with password, and with TLS
// (verify-full) if the server was started with it.
func (in *Instance) TCP(dbname string) string {
	if in.external != "" {
		return withDatabase(in.external, dbname)
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, in.at.Password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(in.at.Port)), Path: "/" + orPostgres(dbname),
	}
	query := url.Values{"sslmode": {"disable"}}
	if in.at.TLS {
		query = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {in.RootCert()}}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func orPostgres(dbname string) string {
	if dbname == "" {
		return "postgres"
	}
	return dbname
}

// MajorVersion returns 15 for PostgreSQL 15.4.
func (in *Instance) MajorVersion() int { return in.major }

// Dir returns the server's folder, "" for a server that this package did not start.
func (in *Instance) Dir() string { return in.at.Dir }

// RootCert returns the path of the certificate of the authority that signed the server's, "" without TLS.
func (in *Instance) RootCert() string {
	if !in.at.TLS {
		return ""
	}
	return filepath.Join(in.at.Dir, rootCert)
}

// Log returns what the server has written to its log, "" for a server that this package did not start.
func (in *Instance) Log() string {
	if in.at.Dir == "" {
		return ""
	}
	b, err := os.ReadFile(filepath.Join(in.at.Dir, logFile))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Stop stops a private server and waits for its end; Restart starts it again. Stopping a stopped server does nothing. When ctx ends
// first the server goes on stopping: another Stop may do that in a harder way.
func (in *Instance) Stop(ctx context.Context, mode StopMode) error {
	if mode == "" {
		mode = StopFast
	}
	switch mode {
	case StopFast, StopSmart, StopImmediate:
		return in.order(ctx, command{Op: "stop", Mode: mode})
	default:
		return fmt.Errorf("sqltest: stop: unknown mode %q", mode)
	}
}

// Restart stops a private server in the fast way, if it runs, starts it on the same port and waits until it accepts connections.
// Where somebody else has taken the port meanwhile it waits for that, half a minute at most; the error names the port.
func (in *Instance) Restart(ctx context.Context) error {
	if err := in.Stop(ctx, StopFast); err != nil {
		return err
	}
	return in.order(ctx, command{Op: "start"})
}

func (in *Instance) order(ctx context.Context, c command) error {
	if in.keeper == nil {
		return ErrNotPrivate
	}
	if _, err := in.keeper.do(ctx, c); err != nil {
		return fmt.Errorf("sqltest: %s the server: %w", c.Op, err)
	}
	return nil
}

// Close stops a private server, waits for its end and removes its folder. On any other server, and
// the second time, it does nothing.
func (in *Instance) Close() error {
	if in.keeper == nil || in.settled {
		return nil
	}
	in.settled = true
	if err := in.keeper.close(); err != nil {
		return fmt.Errorf("sqltest: close the server: %w", err)
	}
	return nil
}
