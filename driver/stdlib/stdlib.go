package stdlib

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/driver/internal/dsnames"
)

type (
	// Driver is the driver that [GetDefaultDriver] returns.
	Driver = driver.Driver
	// Conn is the connection that (*sql.Conn).Raw hands to its function. Its Conn method returns the *pgx.Conn.
	Conn = driver.Conn
	// Stmt is the type of the statements that [Conn.PrepareContext] returns.
	Stmt = driver.Stmt
	// Rows is the type of the rows that [Conn.QueryContext] returns; on Go 1.27 only with the setting column_scanner=off.
	Rows = driver.Rows
)

var defaultDriver = &Driver{}

func init() {
	driver.Register("pgx")
	driver.Register("pgx/v5")
}

// GetDefaultDriver returns the driver behind the names "pycopg" and, where they were free, "pgx" and "pgx/v5".
func GetDefaultDriver() sqldriver.Driver { return defaultDriver }

// RegisterConnConfig returns a data source name for sql.Open that stands for c. Each connection is made with what c holds
// by then. The name is known until it is given to [UnregisterConnConfig].
func RegisterConnConfig(c *pgx.ConnConfig) string {
	return dsnames.Add(func() (sqldriver.Connector, error) {
		return newConnector(&connector{config: c}), nil
	})
}

// UnregisterConnConfig forgets a name that [RegisterConnConfig] returned. A *sql.DB that was opened with it goes on. It
// does nothing when there is no such name.
func UnregisterConnConfig(connStr string) { dsnames.Remove(connStr) }

// GetConnector returns a connector, for sql.OpenDB, that connects with config, of which it keeps a shallow copy. config
// must have been made by pgx.ParseConfig: pgx panics when it connects with any other.
func GetConnector(config pgx.ConnConfig, opts ...OptionOpenDB) sqldriver.Connector {
	return newConnector((&connector{config: &config}).with(opts))
}

// OpenDB is sql.OpenDB with [GetConnector]. It does not connect.
func OpenDB(config pgx.ConnConfig, opts ...OptionOpenDB) *sql.DB {
	return sql.OpenDB(GetConnector(config, opts...))
}

// GetPoolConnector returns a connector whose connections are acquired from pool and released to it when they are closed;
// statements that the driver prepared on them stay prepared. Call SetMaxIdleConns(0) on a *sql.DB with it, or it keeps
// connections from the pool's other users. The options for connecting have no effect: pool connects.
func GetPoolConnector(pool *pgxpool.Pool, opts ...OptionOpenDB) sqldriver.Connector {
	return newPoolConnector(pool, (&connector{}).with(opts))
}

// OpenDBFromPool is sql.OpenDB with [GetPoolConnector] and no idle connections of its own. Closing the *sql.DB does not
// close pool.
func OpenDBFromPool(pool *pgxpool.Pool, opts ...OptionOpenDB) *sql.DB {
	db := sql.OpenDB(GetPoolConnector(pool, opts...))
	db.SetMaxIdleConns(0)
	return db
}

func newConnector(c *connector) *driver.Connector {
	settings, err := settingsOf(c.config)
	return driver.NewPgxConnector(settings, driver.PgxSource{
		Reset: c.resetSession, ShouldPing: c.pingDecision(),
		Connect: func(ctx context.Context) (driver.PgxConn, error) {
			if err != nil {
				return driver.PgxConn{}, err
			}
			return c.connect(ctx)
		},
	})
}

func newPoolConnector(pool *pgxpool.Pool, c *connector) *driver.Connector {
	settings := hostSettings(driver.DefaultConfig(), pool.Config().ConnConfig)
	return driver.NewPgxConnector(settings, driver.PgxSource{
		Reset: c.resetSession, ShouldPing: c.pingDecision(),
		Connect: func(ctx context.Context) (driver.PgxConn, error) {
			px, err := pool.Acquire(ctx)
			if err != nil {
				return driver.PgxConn{}, err
			}
			return driver.PgxConn{Conn: px.Conn(), Release: px.Release}, nil
		},
	})
}
