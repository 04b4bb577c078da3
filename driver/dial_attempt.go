package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// encryption is what one attempt does about TLS.
type encryption int

const (
	encPlain      encryption = iota
	encTLS                   // or fail
	encTLSOrPlain            // or go on in plain text where the server offers none
)

// encryptions lists the attempts at one address. Unix sockets are never encrypted, as in libpq.
func (c *Config) encryptions(t target) []encryption {
	if t.network == "unix" {
		return []encryption{encPlain}
	}
	switch c.sslMode() {
	case "disable":
		return []encryption{encPlain}
	case "allow":
		return []encryption{encPlain, encTLS}
	case "prefer":
		return []encryption{encTLSOrPlain, encPlain}
	}
	return []encryption{encTLS}
}

// attempt is one try at one address with one kind of encryption.
type attempt struct {
	*dialing
	target  target
	enc     encryption
	report  ConnectAttempt
	tls     *tls.Config
	inbox   *inbox
	dialErr error
	// How far it came: the socket was open, the server took the log-in.
	reached, accepted bool
}

// run connects and checks that the server is of the wanted kind. A start-up parameter that is refused and optional is
// left out and the connection tried again.
func (a *attempt) run(ctx context.Context, want sessionCheck) (*link, error) {
	hook, note, err := a.prepare(ctx)
	if err != nil {
		return nil, err
	}
	for {
		px, err := a.connectOnce(ctx, hook)
		if err == nil {
			a.accepted = true
			return a.finish(ctx, px, hook, want)
		}
		name := refusedParam(err, hook.RuntimeParams)
		if name != "" && slices.ContainsFunc(a.StartupOptional, func(s string) bool { return strings.EqualFold(s, name) }) {
			delete(hook.RuntimeParams, name)
			continue
		}
		return nil, explain(err, hook, note, name)
	}
}

// prepare collects what the server is told, after BeforeConnect had its say.
func (a *attempt) prepare(ctx context.Context) (hook *Attempt, note string, err error) {
	hook = &Attempt{
		Host: a.target.host.Host, HostAddr: a.target.host.HostAddr, Port: a.target.port(), Address: a.target.address,
		User: a.User, Database: a.Database, RuntimeParams: a.startupParams(),
	}
	hook.Password, note = a.passwordFor(a.target.host)
	if a.BeforeConnect != nil {
		if err := a.BeforeConnect(ctx, hook); err != nil {
			return nil, "", fmt.Errorf("BeforeConnect: %w", err)
		}
	}
	a.report.User, a.report.Database = hook.User, orDefault(hook.Database, hook.User)
	return hook, note, nil
}

// startupParams are the run-time parameters for the start-up packet.
func (c *Config) startupParams() map[string]string {
	p := map[string]string{}
	dateStyle := strings.Contains(strings.ToLower(c.Options), "datestyle")
	for name, value := range c.RuntimeParams {
		if !strings.EqualFold(name, "client_encoding") {
			p[name] = value
		}
		dateStyle = dateStyle || strings.EqualFold(name, "datestyle")
	}
	p["client_encoding"] = "UTF8"
	if !dateStyle {
		p["datestyle"] = "ISO"
	}
	if c.Options != "" {
		p["options"] = c.Options
	}
	if name := orDefault(c.ApplicationName, c.FallbackApplicationName); name != "" {
		p["application_name"] = name
	}
	return p
}

// connectOnce makes one connection through pgx.
func (a *attempt) connectOnce(ctx context.Context, hook *Attempt) (*pgx.Conn, error) {
	cfg, err := blankConfig()
	if err != nil {
		return nil, err
	}
	cfg.Host, cfg.Port = orDefault(a.target.host.Host, a.target.host.HostAddr), hook.Port
	cfg.User, cfg.Database, cfg.Password = hook.User, hook.Database, hook.Password
	cfg.RuntimeParams = maps.Clone(hook.RuntimeParams)
	cfg.RequireAuth, cfg.ChannelBinding = a.RequireAuth, orDefault(a.ChannelBinding, "prefer")
	cfg.MinProtocolVersion, cfg.MaxProtocolVersion = orDefault(a.MinProtocolVersion, "3.0"), a.MaxProtocolVersion
	if cfg.MaxProtocolVersion == "" {
		cfg.MaxProtocolVersion = cfg.MinProtocolVersion // no newer one than asked for: poolers know 3.0 only
	}
	cfg.OAuthTokenProvider = a.OAuthToken
	if hook.Token != "" {
		cfg.OAuthTokenProvider = func(context.Context) (string, error) { return hook.Token, nil }
	}
	cfg.StatementCacheCapacity, cfg.DescriptionCacheCapacity, cfg.DefaultQueryExecMode = a.pgxCaches()
	cfg.Tracer = a.Tracer
	var dialled atomic.Bool
	cfg.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil } // not dialled
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, errSecondDial
		}
		var nc net.Conn
		nc, a.dialErr = a.dial(ctx)
		return nc, a.dialErr
	}
	cfg.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		a.inbox = &inbox{from: r}
		return pgproto3.NewFrontend(a.inbox, w)
	}
	if a.install != nil {
		a.install(&cfg.Config)
	}
	a.dialErr = nil
	px, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, orError(a.dialErr, bare(err))
	}
	return px, nil
}

// errSecondDial answers dials of pgconn's own, which would send cancel requests that nobody waits for.
var errSecondDial = errors.New("driver: this connection is not dialled again")

// blankConfig is a pgx configuration free of the environment: every key that pgconn would look up is given, no fallback
// is left, and TLS is this package's affair.
func blankConfig() (*pgx.ConnConfig, error) {
	cfg, err := parseBlank()
	if err != nil {
		return nil, fmt.Errorf("pgx configuration: %w", err)
	}
	cfg.TLSConfig, cfg.Fallbacks, cfg.ConnectTimeout, cfg.ValidateConnect = nil, nil, 0, nil
	cfg.SSLCertMode, cfg.SSLNegotiation = "allow", "postgres"
	cfg.OnPgError = func(_ *pgconn.PgConn, e *pgconn.PgError) bool {
		return severity(e) != "FATAL" && severity(e) != "PANIC"
	}
	cfg.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {} // else pgx keeps them without bound
	return cfg, nil
}

// severity is the word that does not depend on the server's language; servers before 9.6 send only the other.
func severity(e *pgconn.PgError) string { return orDefault(e.SeverityUnlocalized, e.Severity) }

// pgxCaches configures the *pgx.Conn for its users: no caches, which are heap of every connection, unless asked for.
func (c *Config) pgxCaches() (statements, descriptions int, mode pgx.QueryExecMode) {
	statements, descriptions, mode = c.StatementCacheCapacity, c.DescriptionCacheCapacity, c.DefaultQueryExecMode
	switch {
	case mode == 0:
		mode = pgx.QueryExecModeDescribeExec
	case mode == pgx.QueryExecModeCacheStatement && statements == 0:
		statements = pgxDefaultCapacity
	case mode == pgx.QueryExecModeCacheDescribe && descriptions == 0:
		descriptions = pgxDefaultCapacity
	}
	return statements, descriptions, mode
}

const pgxDefaultCapacity = 512

// dial opens the socket and secures it.
func (a *attempt) dial(ctx context.Context) (net.Conn, error) {
	a.tls = nil
	a.report.TLS = a.enc != encPlain
	var t *tls.Config
	if a.enc != encPlain {
		var err error
		if t, err = a.hostTLS(ctx); err != nil {
			return nil, err
		}
	}
	nc, err := a.dialRaw(ctx, a.target.network, a.target.address)
	if err != nil {
		return nil, err
	}
	a.reached = true
	if t == nil {
		return nc, nil
	}
	tc, err := a.secure(ctx, nc, t)
	if errors.Is(err, errTLSRefused) && a.enc == encTLSOrPlain {
		a.report.TLS = false
		return nc, nil
	}
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	a.tls = t
	return tc, nil
}

// hostTLS is the TLS configuration after the TLSConfig hook had its say.
func (a *attempt) hostTLS(ctx context.Context) (*tls.Config, error) {
	t, err := a.tlsConfig(a.target.host)
	if err != nil || a.TLSConfig == nil {
		return t, err
	}
	if t, err = a.TLSConfig(ctx, a.target.host, t); err != nil {
		return nil, fmt.Errorf("TLSConfig: %w", err)
	}
	if t == nil {
		return nil, errors.New("TLSConfig: the hook returned no configuration")
	}
	return t, nil
}

// finish checks the server's kind and makes the link.
func (a *attempt) finish(ctx context.Context, px *pgx.Conn, hook *Attempt, want sessionCheck) (*link, error) {
	if want != nil {
		if err := want(ctx, px.PgConn()); err != nil {
			closeQuietly(ctx, px)
			return nil, err
		}
	}
	return &link{
		px: px, inbox: a.inbox, host: a.target.host, network: a.target.network, address: a.target.address,
		user: hook.User, database: orDefault(hook.Database, hook.User), tls: a.tls, config: a.Config,
	}, nil
}
