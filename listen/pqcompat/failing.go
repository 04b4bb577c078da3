package pqcompat

import (
	"context"
	sqldriver "database/sql/driver"

	"github.com/pycopg/pycopg/driver"
)

// failing is the connector of a connection string that cannot be read.
type failing struct{ err error }

func (f failing) Connect(context.Context) (sqldriver.Conn, error) { return nil, f.err }
func (f failing) Driver() sqldriver.Driver                        { return &driver.Driver{} }
