package driver

import "time"

// draft is a Config under construction and the settings that were given for it.
type draft struct {
	*Config
	given map[string]setting
}

// setting is a value and where it came from.
type setting struct{ value, source string }

// keyword is one DSN key: how its value enters a Config, and how a Config shows it.
type keyword struct {
	name   string
	env    string // libpq's variable for it
	secret bool   // never shown
	set    func(d *draft, value string) error
	get    func(c *Config) string // the value for a DSN, "" where it is the default; nil: it leaves no trace
}

// keywords is every key that libpq 18 knows, then those of lib/pq and pgx, then this driver's own. What is not here is a
// run-time parameter. Hosts are assembled from three keys in buildHosts.
var keywords = []keyword{
	{name: "host", env: "PGHOST", set: accept, get: func(c *Config) string { return c.hostList(func(h HostSpec) string { return h.Host }) }},
	{name: "hostaddr", env: "PGHOSTADDR", set: accept, get: func(c *Config) string { return c.hostList(func(h HostSpec) string { return h.HostAddr }) }},
	{name: "port", env: "PGPORT", set: accept, get: (*Config).portList},
	text("dbname", "PGDATABASE", func(c *Config) *string { return &c.Database }),
	text("user", "PGUSER", func(c *Config) *string { return &c.User }),
	hidden(text("password", "PGPASSWORD", func(c *Config) *string { return &c.Password })),
	text("passfile", "PGPASSFILE", func(c *Config) *string { return &c.PassFile }),
	unseen(text("service", "PGSERVICE", func(c *Config) *string { return &c.Service })),
	unseen(text("servicefile", "PGSERVICEFILE", func(c *Config) *string { return &c.ServiceFile })),

	duration("connect_timeout", "PGCONNECT_TIMEOUT", time.Second, 0, func(c *Config) *time.Duration { return &c.ConnectTimeout }),
	choice("target_session_attrs", "PGTARGETSESSIONATTRS", func(c *Config) *string { return &c.TargetSessionAttrs },
		"any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
	choice("load_balance_hosts", "PGLOADBALANCEHOSTS", func(c *Config) *string { return &c.LoadBalanceHosts }, "disable", "random"),
	text("application_name", "PGAPPNAME", func(c *Config) *string { return &c.ApplicationName }),
	text("fallback_application_name", "", func(c *Config) *string { return &c.FallbackApplicationName }),
	text("options", "PGOPTIONS", func(c *Config) *string { return &c.Options }),
	{name: "client_encoding", env: "PGCLIENTENCODING", set: acceptUTF8},
	{name: "replication", set: refused("replication connections are not opened by this driver", "", "0", "false", "off", "no")},

	acceptCustomMode(choice("sslmode", "PGSSLMODE", func(c *Config) *string { return &c.SSLMode },
		"disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
	choice("sslnegotiation", "PGSSLNEGOTIATION", func(c *Config) *string { return &c.SSLNegotiation }, "postgres", "direct"),
	{name: "sslcompression", env: "PGSSLCOMPRESSION", set: refused("TLS compression is not available", "", "0")},
	text("sslcert", "PGSSLCERT", func(c *Config) *string { return &c.SSLCert }),
	inlineKey(text("sslkey", "PGSSLKEY", func(c *Config) *string { return &c.SSLKey })),
	hidden(text("sslpassword", "PGSSLPASSWORD", func(c *Config) *string { return &c.SSLPassword })),
	choice("sslcertmode", "PGSSLCERTMODE", func(c *Config) *string { return &c.SSLCertMode }, "disable", "allow", "require"),
	text("sslrootcert", "PGSSLROOTCERT", func(c *Config) *string { return &c.SSLRootCert }),
	text("sslcrl", "PGSSLCRL", func(c *Config) *string { return &c.SSLCRL }),
	text("sslcrldir", "PGSSLCRLDIR", func(c *Config) *string { return &c.SSLCRLDir }),
	boolean("sslsni", "PGSSLSNI", true, func(c *Config) *bool { return &c.SSLSNI }),
	tlsVersion("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", func(c *Config) *string { return &c.SSLMinProtocolVersion }),
	tlsVersion("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", func(c *Config) *string { return &c.SSLMaxProtocolVersion }),
	text("sslkeylogfile", "", func(c *Config) *string { return &c.SSLKeyLogFile }),

	onlyWhere(hasRequirePeer, text("requirepeer", "PGREQUIREPEER", func(c *Config) *string { return &c.RequirePeer })),
	{name: "require_auth", env: "PGREQUIREAUTH", set: setRequireAuth, get: func(c *Config) string { return c.RequireAuth }},
	choice("channel_binding", "PGCHANNELBINDING", func(c *Config) *string { return &c.ChannelBinding }, "disable", "prefer", "require"),
	choice("min_protocol_version", "PGMINPROTOCOLVERSION", func(c *Config) *string { return &c.MinProtocolVersion }, "3.0", "3.2", "latest"),
	choice("max_protocol_version", "PGMAXPROTOCOLVERSION", func(c *Config) *string { return &c.MaxProtocolVersion }, "3.0", "3.2", "latest"),
	{name: "gssencmode", env: "PGGSSENCMODE", set: refused("GSSAPI encryption is not supported", "", "disable", "prefer")},
	{name: "krbsrvname", env: "PGKRBSRVNAME", set: refused("GSSAPI authentication is not supported", "", "postgres")},
	{name: "gsslib", env: "PGGSSLIB", set: refused("GSSAPI authentication is not supported", "", "gssapi")},
	{name: "gssdelegation", env: "PGGSSDELEGATION", set: refused("GSSAPI authentication is not supported", "", "0")},
	{name: "scram_client_key", secret: true, set: refused("SCRAM keys are not supported, give the password", "")},
	{name: "scram_server_key", secret: true, set: refused("SCRAM keys are not supported, give the password", "")},
	{name: "oauth_issuer", set: refused(oauthReason, "")},
	{name: "oauth_client_id", set: refused(oauthReason, "")},
	{name: "oauth_client_secret", secret: true, set: refused(oauthReason, "")},
	{name: "oauth_scope", set: refused(oauthReason, "")},

	boolean("keepalives", "", true, func(c *Config) *bool { return &c.KeepAlives }),
	probes("keepalives_idle", func(c *Config) *time.Duration { return &c.KeepAlivesIdle }),
	probes("keepalives_interval", func(c *Config) *time.Duration { return &c.KeepAlivesInterval }),
	{name: "keepalives_count", set: setKeepAlivesCount, get: getKeepAlivesCount},
	onlyWhere(hasTCPUserTimeout, duration("tcp_user_timeout", "", time.Millisecond, 0, func(c *Config) *time.Duration { return &c.TCPUserTimeout })),

	// lib/pq and pgx.
	{name: "binary_parameters", set: anyBoolean},
	{name: "disable_prepared_binary_result", set: anyBoolean},
	{name: "tz", set: runtimeParam("timezone")},
	boolean("sslinline", "", false, func(c *Config) *bool { return &c.SSLInline }),
	{name: "krbspn", set: refused("GSSAPI authentication is not supported", "")},
	{name: "default_query_exec_mode", set: setExecMode, get: getExecMode},
	capacity("statement_cache_capacity", func(c *Config) *int { return &c.StatementCacheCapacity }),
	capacity("description_cache_capacity", func(c *Config) *int { return &c.DescriptionCacheCapacity }),
	{name: "pool_max_conns", set: accept},
	{name: "pool_min_conns", set: accept},
	{name: "pool_min_idle_conns", set: accept},
	{name: "pool_max_conn_lifetime", set: accept},
	{name: "pool_max_conn_lifetime_jitter", set: accept},
	{name: "pool_max_conn_idle_time", set: accept},
	{name: "pool_health_check_period", set: accept},
	{name: "pool_ping_timeout", set: accept},

	// This driver.
	orNone("prepare_threshold", 5, func(c *Config) *int { return &c.PrepareThreshold }),
	orNone("prepared_max", 100, func(c *Config) *int { return &c.PreparedMax }),
	choice("begin", "", func(c *Config) *BeginMode { return &c.Begin }, "", "eager", "lazy"),
	duration("cancel_timeout", "", time.Second, 2*time.Second, func(c *Config) *time.Duration { return &c.CancelTimeout }),
	duration("ping_after", "", time.Second, time.Minute, func(c *Config) *time.Duration { return &c.PingAfter }),
	choice("compat", "", func(c *Config) *Compat { return &c.Compat }, "", "pq"),
	boolean("column_scanner", "", true, func(c *Config) *bool { return &c.ColumnScanner }),
	{name: "timezone_scan", set: setTimezoneScan, get: func(c *Config) string { return c.TimezoneScan }},
	choice("infinity", "", func(c *Config) *InfinityMode { return &c.Infinity }, "", "clamp"),
	choice("reset", "", func(c *Config) *ResetPolicy { return &c.Reset }, "", "none", "session", "discard"),
	choice("pooler", "", func(c *Config) *Pooler { return &c.Pooler }, "", "session", "transaction"),
	choice("rows_close", "", func(c *Config) *RowsClose { return &c.RowsClose }, "", "cancel"),
	choice("placeholder", "", func(c *Config) *Placeholder { return &c.Placeholder }, "", "format"),
	{name: "startup_optional", set: setStartupOptional, get: getStartupOptional},
}

const oauthReason = "no OAuth flow is built in, set Config.OAuthToken"

// environment is every variable that libpq 18 reads beside those of keywords, and what it stands for.
var environment = []struct {
	name string
	set  func(d *draft, value string) error
}{
	{"PGDATESTYLE", runtimeParam("datestyle")},
	{"PGTZ", runtimeParam("timezone")},
	{"PGGEQO", runtimeParam("geqo")},
	{"PGREQUIRESSL", setRequireSSL},
	{"PGSYSCONFDIR", accept}, // read with the service file
	{"PGLOCALEDIR", accept},  // libpq's own messages
	{"PGOAUTHDEBUG", refused(oauthReason, "")},
}

var keywordIndex = func() map[string]*keyword {
	index := make(map[string]*keyword, len(keywords))
	for i := range keywords {
		index[keywords[i].name] = &keywords[i]
	}
	return index
}()
