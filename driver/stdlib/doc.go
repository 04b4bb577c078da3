// Package stdlib is the exported API of github.com/jackc/pgx/v5/stdlib over this module's driver. A program that uses it
// changes the import path and nothing else:
//
//	import "github.com/pycopg/pycopg/driver/stdlib"
//
//	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
//	…
//	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(register))
//
// The configuration is used as it is given: pgx.ConnectConfig makes each connection with it, so that its fallbacks, TLS
// configuration, dialer, hooks and tracers have their say, and the driver then runs database/sql's statements on it.
// (*sql.Conn).Raw hands out a [*Conn], whose Conn method leads to the *pgx.Conn. Tracers see the driver's statements too.
// A *pgconn.PgError is reached by errors.As: a type assertion, err.(*pgconn.PgError), does not match.
//
// # Names
//
// The package registers the driver as "pgx" and "pgx/v5" too, each only where the name is not taken. A program in which
// some other package still imports pgx's own stdlib gets that one by these names: use the name "pycopg" there, which also
// takes the strings of [RegisterConnConfig]. A data source name that is no such string is read by driver.ParseConfig.
//
// # Settings
//
// DefaultQueryExecMode cache_statement, pgx's default, lets the driver prepare statements by its own rule and keep
// StatementCacheCapacity of them on a connection. With any other mode it prepares none by itself. With exec and
// simple_protocol it also sends each statement in a single request without a name on the server, as a pooler in
// transaction mode needs it; arguments are never interpolated into the text. The driver's own settings (begin, compat,
// prepare_threshold, reset and the others of driver.ParseConfig) may stand in the connection string given to
// pgx.ParseConfig, or in the RuntimeParams: they are taken out before connecting. client_encoding is UTF8 unless given.
package stdlib
