package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// HostSpec is one server of a connection string. An empty Host with a HostAddr is a server known by address only.
type HostSpec struct {
	Host     string // name, address, or the directory of a unix socket (it begins with / or @)
	HostAddr string // address to dial without a name lookup; Host still serves TLS verification and the password file
	Port     uint16
}

// Config holds every setting of the driver. It is made by [ParseConfig], [ConfigFromEnv] or [DefaultConfig]; a Config
// made otherwise is refused when connecting. Its fields may be changed until it is given to NewConnector, which keeps a
// copy. [ParseConfig] describes each DSN key; a field whose key takes a word holds that word, and "" is the default.
//
// Printing a Config in any form (fmt, JSON, slog) never shows the password, the key's pass phrase or an inline key.
type Config struct {
	Hosts    []HostSpec // tried in order, or shuffled with LoadBalanceHosts; never empty
	Database string     // "" is the user's name
	User     string
	Password string // "" takes the password from PassFile, looked up for each host
	PassFile string // "" is the default file

	Service     string // service that was read; its settings are already in the other fields
	ServiceFile string // file given for it

	ConnectTimeout     time.Duration // for each address; 0 or less waits for ever
	TargetSessionAttrs string        // any, read-write, read-only, primary, standby, prefer-standby
	LoadBalanceHosts   string        // disable, random

	ApplicationName         string
	FallbackApplicationName string // used while ApplicationName is empty
	Options                 string // command-line options for the server
	// RuntimeParams are the server's run-time parameters for the session. client_encoding is always UTF8, and
	// datestyle is ISO unless given here or in Options.
	RuntimeParams map[string]string
	// StartupOptional names run-time parameters that are left out when a server or pooler refuses them.
	StartupOptional []string

	SSLMode               string // disable, allow, prefer, require, verify-ca, verify-full, pqgo-KEY ([RegisterTLSConfig]); default prefer, or require with CompatPq
	SSLNegotiation        string // postgres, direct
	SSLCert               string // file, or the PEM text itself with SSLInline
	SSLKey                string
	SSLPassword           string // pass phrase of SSLKey
	SSLCertMode           string // disable, allow, require
	SSLRootCert           string // "system" is the system's roots
	SSLCRL                string
	SSLCRLDir             string
	SSLSNI                bool
	SSLInline             bool
	SSLMinProtocolVersion string // TLSv1 … TLSv1.3; default TLSv1.2
	SSLMaxProtocolVersion string
	SSLKeyLogFile         string // secrets of each session are appended to it, for debugging

	RequirePeer        string // operating-system user that must own the server of a unix socket
	RequireAuth        string
	ChannelBinding     string // disable, prefer, require
	MinProtocolVersion string // 3.0, 3.2, latest
	MaxProtocolVersion string

	KeepAlives         bool
	KeepAlivesIdle     time.Duration // 0 is Go's default (15 s), negative the system's
	KeepAlivesInterval time.Duration // likewise
	KeepAlivesCount    int           // 0 is Go's default (9), negative the system's
	TCPUserTimeout     time.Duration // 0 is the system's default

	PrepareThreshold int // executions before a statement is prepared; 0 at once, negative never
	PreparedMax      int // prepared statements kept on a connection; negative without limit
	Begin            BeginMode
	CancelTimeout    time.Duration // how long a cancelled statement may take to end before its connection is closed
	PingAfter        time.Duration // idle time after which a connection is pinged before use
	Compat           Compat
	ColumnScanner    bool   // offer RowsColumnScanner to database/sql (Go 1.27)
	TimezoneScan     string // session, local, utc or a zone name; "" is the Compat driver's rule
	Infinity         InfinityMode
	Reset            ResetPolicy
	Pooler           Pooler
	RowsClose        RowsClose
	Placeholder      Placeholder

	// DefaultQueryExecMode and the two capacities configure the *pgx.Conn that Conn.Conn hands out. 0 is describe_exec
	// without caches.
	DefaultQueryExecMode     pgx.QueryExecMode
	StatementCacheCapacity   int
	DescriptionCacheCapacity int

	// BeforeConnect runs before each dial. It may set a fresh password or token and the other fields of Attempt that
	// allow it. An error ends this attempt, and the next host is tried.
	BeforeConnect func(ctx context.Context, a *Attempt) error
	// AfterConnect runs once on each new connection before it is used. An error closes the connection.
	AfterConnect func(ctx context.Context, c *Conn) error
	// OnNotice receives the server's notices, of all connections, before the call returns during which they arrive;
	// OnNotification the notifications. Like OnQueryStart and OnQueryEnd they may be called by several connections at a time,
	// and must not use the handle that they serve: the *Conn answers ErrBusy, but a *sql.Conn or *sql.Tx waits for ever. A
	// panic of theirs is logged.
	OnNotice       func(*Conn, Notice)
	OnNotification func(*Conn, Notification)
	// Dial replaces net.Dialer. network is tcp or unix. It serves cancel requests too.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Lookup replaces the resolver for host names. An answer may carry a port ("10.0.0.1:5433").
	Lookup func(ctx context.Context, host string) ([]string, error)
	// OnQueryStart runs before each statement and returns the context for it; OnQueryEnd runs after it with that context.
	OnQueryStart func(ctx context.Context, q QueryStart) context.Context
	OnQueryEnd   func(ctx context.Context, q QueryEnd)
	// Tracer sees what OnQueryStart and OnQueryEnd see, and BEGIN, COMMIT and ROLLBACK of transactions besides: each statement,
	// also those of a pipeline and COPYs, as pgx's tracers see queries. Where it is a [pgx.PrepareTracer] or
	// [pgx.ConnectTracer], it sees prepared statements being made, and each attempt to connect. The rules are those of OnNotice.
	Tracer pgx.QueryTracer
	// OAuthToken returns the bearer token for a server that asks for one.
	OAuthToken func(ctx context.Context) (string, error)
	// TLSConfig may change the TLS configuration made from the settings above, a fresh copy for each dial. Whether TLS
	// is used remains SSLMode's decision: an error or a nil result fails the attempt and never leads to plain text.
	TLSConfig func(ctx context.Context, host HostSpec, base *tls.Config) (*tls.Config, error)

	home   string // folder of the default files
	made   bool   // by one of the constructors
	sealed bool   // checked, and never changed since
}

var errUnmadeConfig = errors.New("driver: Config was not made by ParseConfig, ConfigFromEnv or DefaultConfig")

// DefaultConfig returns libpq's defaults without looking at the environment's PG* variables.
func DefaultConfig() *Config {
	c := newConfig(func(string) (string, bool) { return "", false })
	c.Hosts = []HostSpec{{Host: defaultHost(), Port: defaultPort}}
	c.User = osUser()
	return c
}

func newConfig(lookup lookupFunc) *Config {
	return &Config{
		RuntimeParams:    map[string]string{},
		SSLSNI:           true,
		KeepAlives:       true,
		PrepareThreshold: 5,
		PreparedMax:      100,
		CancelTimeout:    2 * time.Second,
		PingAfter:        time.Minute,
		ColumnScanner:    true,
		home:             homeDir(lookup),
		made:             true,
	}
}

// Clone returns a deep copy; functions are shared.
func (c *Config) Clone() *Config {
	n := *c
	n.sealed = false
	n.Hosts = slices.Clone(c.Hosts)
	n.RuntimeParams = maps.Clone(c.RuntimeParams)
	n.StartupOptional = slices.Clone(c.StartupOptional)
	return &n
}

// WithDatabase returns a copy that connects to another database.
func (c *Config) WithDatabase(name string) *Config {
	n := c.Clone()
	n.Database = name
	return n
}

// database is the name that the server will use.
func (c *Config) database() string { return orDefault(c.Database, c.User) }
