package driver

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"

	"github.com/pycopg/pycopg/driver/internal/dsnames"
)

func init() { sql.Register("pycopg", &Driver{}) }

// Driver is the database/sql driver, registered as "pycopg".
type Driver struct{}

var (
	_ sqldriver.Driver        = (*Driver)(nil)
	_ sqldriver.DriverContext = (*Driver)(nil)
)

// OpenConnector implements [sqldriver.DriverContext]: it parses the data source name once for the pool. See
// [ParseConfig] for its form. A name that stdlib.RegisterConnConfig made leads to the registered configuration.
func (d *Driver) OpenConnector(dsn string) (sqldriver.Connector, error) {
	if open := dsnames.Find(dsn); open != nil {
		return open()
	}
	cfg, err := ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	return NewConnector(cfg), nil
}

// Open implements [sqldriver.Driver]; database/sql calls OpenConnector.
func (d *Driver) Open(dsn string) (sqldriver.Conn, error) {
	cn, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return cn.Connect(context.Background())
}
