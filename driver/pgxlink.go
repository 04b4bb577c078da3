package driver

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// newPgxLink says what the connection leads to and how the same server is reached again. cfg made it.
func newPgxLink(pc PgxConn, cfg *pgx.ConnConfig) link {
	l := link{
		px: pc.Conn, user: cfg.User, database: orDefault(cfg.Database, cfg.User),
		config: &Config{SSLNegotiation: cfg.SSLNegotiation, KeepAlives: true},
	}
	if cfg.SSLCertMode == "disable" {
		l.config.SSLCertMode = cfg.SSLCertMode
	}
	server := pgxServer(pc.Conn.PgConn().Conn(), cfg)
	l.host = HostSpec{Host: server.Host, Port: server.Port}
	l.network, l.address = peerAddress(pc.Conn.PgConn().Conn(), server)
	l.tls = server.TLSConfig
	l.config.Dial = cfg.DialFunc
	if pc.Dial != nil {
		l.config.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return pc.Dial(ctx) }
	}
	return l
}

// peerAddress is where nc leads. The name that a server gave its unix socket is often relative to its own directory, so
// there the configured one counts.
func peerAddress(nc net.Conn, server *pgconn.FallbackConfig) (network, address string) {
	if peer := nc.RemoteAddr(); peer != nil && peer.Network() != "unix" {
		return peer.Network(), peer.String()
	}
	return pgconn.NetworkAddress(server.Host, server.Port)
}

// pgxServer finds the entry of cfg that nc was made with: the one that fits in the most respects, the first of these.
func pgxServer(nc net.Conn, cfg *pgx.ConnConfig) *pgconn.FallbackConfig {
	entries := append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port, TLSConfig: cfg.TLSConfig}}, cfg.Fallbacks...)
	session := tlsState(nc)
	best, most := entries[0], -1
	for _, e := range entries {
		if n := fit(nc.RemoteAddr(), session, e); n > most {
			best, most = e, n
		}
	}
	found := *best
	if session == nil && cfg.AfterNetConnect == nil { // else the hook may have hidden the TLS connection
		found.TLSConfig = nil
	}
	return &found
}

// fit counts in how many respects a connection to peer agrees with e.
func fit(peer net.Addr, session *tls.ConnectionState, e *pgconn.FallbackConfig) int {
	n := 0
	network, address := pgconn.NetworkAddress(e.Host, e.Port)
	if peer != nil && peer.Network() == network {
		n += 4
		if peer.String() == address {
			n += 8
		}
		if _, port, err := net.SplitHostPort(peer.String()); err == nil {
			if _, wanted, err := net.SplitHostPort(address); err == nil && port == wanted {
				n += 4
			}
		}
	}
	if (session != nil) == (e.TLSConfig != nil) {
		n += 2
	}
	if session != nil && e.TLSConfig != nil && session.ServerName == e.TLSConfig.ServerName {
		n++
	}
	return n
}

// tlsState is that of the TLS connection that nc is or wraps, nil where there is none.
func tlsState(nc net.Conn) *tls.ConnectionState {
	for {
		switch c := nc.(type) {
		case *tls.Conn:
			state := c.ConnectionState()
			return &state
		case interface{ NetConn() net.Conn }:
			nc = c.NetConn()
		default:
			return nil
		}
	}
}
