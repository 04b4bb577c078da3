// Package driver is a database/sql driver for PostgreSQL, registered as "pycopg":
//
//	import _ "github.com/pycopg/pycopg/driver"
//
//	db, err := sql.Open("pycopg", "postgres://app@db.example/shop")
//
// For what a connection string cannot say (hooks, dialling, fresh passwords), fill a [Config]:
//
//	cfg, err := driver.ParseConfig("postgres://app@db.example/shop")
//	cfg.OnNotice = func(c *driver.Conn, n driver.Notice) { log.Print(n) }
//	db := sql.OpenDB(driver.NewConnector(cfg))
//
// # Statements
//
// Parameters are $1, $2, …; sql.Named arguments are @name, and pgx's leading arguments (query modes, pgx.NamedArgs) are
// understood. A statement without arguments may be several, whose results follow each other by NextResultSet. The first
// use of a statement costs one round trip, two when an argument's form depends on its type; after prepare_threshold uses
// it is prepared on the way. [QueryOptions] decides otherwise for one call. The text of a value decides what is stored,
// so the same value is stored on every use, and what does not fit (1.5 into an integer) is an error.
//
// What a pool has learned of statements ends with a CREATE, ALTER or DROP of its own; [Connector.SchemaChanged] tells it of
// those that it cannot see. Temporary tables spare it that where they end by ON COMMIT DROP or by DROP TABLE pg_temp.name.
//
// An error of the server is reached by errors.As as a *pgconn.PgError, and as a *pq.Error; a type assertion,
// err.(*pgconn.PgError), finds neither. A statement whose context
// ends is cancelled on the server, and the connection goes on: the error is the context's, its cause, and SQLSTATE
// 57014 at once. A statement is never run twice: database/sql is told to take another connection only where nothing was
// sent or nothing can have happened.
//
// # Transactions
//
// The BEGIN of a transaction travels with its first statement (see begin below): now() and a snapshot start there. A COMMIT
// that the server answered with ROLLBACK is [ErrCommitRolledBack], one whose answer was lost [ErrCommitUnknown].
// A transaction that is left open is rolled back when its connection comes back to the pool.
//
// # The connection
//
// [Do] reaches the connection behind a *sql.DB, *sql.Conn or *sql.Tx, also through wrapping drivers: notices, COPY,
// pipelines and pgx itself.
//
// # Connection strings
//
// A connection string, or DSN, has one of libpq's two forms,
//
//	host=db.example port=5432 user=app password='my secret' dbname=shop sslmode=verify-full
//	postgres://app:my%20secret@db.example:5432/shop?sslmode=verify-full
//
// Several servers are host=a,b port=5432,5433 or postgres://a:5432,b:5433/shop. A scheme may name another driver
// (postgresql+asyncpg://). A + is itself; with compat=pq it is a space in what follows the ?, as with lib/pq. A value is
// taken from the connection string, else from the service that it or PGSERVICE names, else from libpq's PG* variables,
// else from the default. An empty string is allowed.
//
// An unknown key that differs by one or two letters from a key below is an error; any other is a run-time parameter of the
// server (search_path, statement_timeout, …), as are PGDATESTYLE, PGTZ and PGGEQO. A number of seconds may also be
// written as a Go duration (500ms).
//
// # Where to connect
//
//	host                  name, address, or folder of a unix socket (/… or @…), a list;
//	                      default: the first of /var/run/postgresql, /private/tmp, /tmp, else localhost
//	hostaddr              IP address to dial without a name lookup; host still serves TLS and the password file
//	port                  one for all hosts or one for each; default 5432
//	dbname, database      default: the user's name
//	service               section of the service file to take settings from
//	servicefile           default ~/.pg_service.conf, then pg_service.conf in PGSYSCONFDIR
//	connect_timeout       seconds for each address, 0 or less waits for ever (default)
//	target_session_attrs  any (default), read-write, read-only, primary, standby, prefer-standby
//	load_balance_hosts    disable (default): in order; random: hosts and addresses are shuffled
//
// # As whom
//
//	user                  default: the operating system's user
//	password              default: from the password file
//	passfile              default ~/.pgpass; looked up for each host; one that group or others may use is not read
//	require_auth          methods to accept, or with ! to refuse: password, md5, scram-sha-256, oauth, none, gss, sspi
//	channel_binding       prefer (default), disable, require
//	requirepeer           user that must run the server of a unix socket (Linux)
//
// For passwords and tokens that change see [Config].BeforeConnect and [Config].OAuthToken.
//
// # Encryption
//
//	sslmode                   disable, allow, prefer (default), require (default with compat=pq), verify-ca, verify-full;
//	                          require checks the certificate as verify-ca does if there is a root certificate;
//	                          pqgo-KEY: a configuration given to RegisterTLSConfig
//	ssl                       true is sslmode=require; other values are those of sslmode
//	sslnegotiation            postgres (default), direct (PostgreSQL 17; sslmode require or stronger)
//	sslrootcert               file; default ~/.postgresql/root.crt if it exists, else the system's roots;
//	                          system: the system's roots with verify-full
//	sslcert, sslkey           client certificate and key; default ~/.postgresql/postgresql.crt and .key if they exist;
//	                          a key that others may read is refused
//	sslpassword               pass phrase of the key
//	sslinline                 on: sslrootcert, sslcert and sslkey hold the PEM text itself
//	sslcertmode               allow (default), disable, require
//	sslcrl, sslcrldir         revocation lists, for every issuer; default ~/.postgresql/root.crl if it exists
//	sslsni                    1 (default), 0: send the host's name to the server
//	ssl_min_protocol_version  TLSv1, TLSv1.1, TLSv1.2 (default), TLSv1.3
//	ssl_max_protocol_version  default TLSv1.3
//	sslkeylogfile             file that the sessions' secrets are appended to, for debugging
//	min_protocol_version      3.0 (default), 3.2, latest: of PostgreSQL's protocol
//	max_protocol_version      default: min_protocol_version
//
// A unix socket is never encrypted.
//
// # The socket
//
//	keepalives            1 (default), 0
//	keepalives_idle       seconds; default 15, 0 is the system's
//	keepalives_interval   seconds; default 15, 0 is the system's
//	keepalives_count      default 9, 0 is the system's
//	tcp_user_timeout      milliseconds; 0 (default) is the system's (Linux)
//
// # The session
//
//	application_name           and fallback_application_name, used while the first is empty
//	options                    command-line options for the server: -c work_mem=64MB
//	client_encoding            UTF8 or auto; the driver speaks nothing else
//	startup_optional           list of run-time parameters to leave out when a pooler refuses them; default none
//	timezone, datestyle, …     run-time parameters; datestyle is ISO unless given
//
// # The driver
//
//	prepare_threshold     executions of a statement before it is prepared: 5 (default), 0: at once, none: never
//	prepared_max          prepared statements kept on a connection: 100 (default), none: without limit
//	begin                 auto (default): BEGIN travels with the first statement on a connection used within the last
//	                      second, else at once; eager: at once; lazy: always with the first statement
//	cancel_timeout        seconds for a cancelled statement to end before its connection is closed; default 2
//	ping_after            seconds of idling after which a connection is pinged before use; default 60
//	compat                pgx (default), pq: whose results Scan(*any) and sql.Scanner see
//	column_scanner        on (default), off: offer RowsColumnScanner to database/sql (Go 1.27); with on, a Scanner must not
//	                      call rows.ColumnTypes()
//	timezone_scan         zone of scanned timestamps: session, local, utc or a zone name; default: compat's rule
//	infinity              error (default), clamp: infinite dates and timestamps where the Go value has none
//	reset                 when a connection is reused: tx (default): roll back; none; session: also settings, role,
//	                      cursors, advisory locks, LISTEN, but no temporary tables; discard: DISCARD ALL. It travels with
//	                      the next statement
//	pooler                none (default), session, transaction: what stands before the server. With transaction a COPY
//	                      FROM STDIN has a transaction of its own where none is open
//	rows_close            drain (default): closing Rows early reads the rest; cancel: cancels the statement, whose effects
//	                      may be lost
//	placeholder           native (default): $1; format: %s, %(name)s
//
// # Keys of lib/pq and pgx
//
//	default_query_exec_mode      for the *pgx.Conn of Conn.Conn; every mode but cache_statement also means
//	                             prepare_threshold=none, unless that is given
//	statement_cache_capacity     for the *pgx.Conn; 0 also means prepare_threshold=none, unless that is given
//	description_cache_capacity   for the *pgx.Conn
//	tz                           the run-time parameter timezone
//	binary_parameters, disable_prepared_binary_result, pool_max_conns and pgxpool's other keys: accepted without effect
//
// # Refused
//
// These are errors unless their value asks for nothing (empty, 0, or as given): replication (off), gssencmode (disable,
// prefer), krbsrvname (postgres), krbspn, gsslib (gssapi), gssdelegation, sslcompression, scram_client_key,
// scram_server_key, oauth_issuer, oauth_client_id, oauth_client_secret, oauth_scope, the variable PGOAUTHDEBUG; on other
// systems than Linux requirepeer and tcp_user_timeout.
package driver
