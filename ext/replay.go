package ext

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"

	"github.com/pycopg/pycopg/driver"
)

// replay gives rows in memory the form of *sql.Rows: database/sql has no other way to its conversions. It serves one
// goroutine.
type replay struct {
	db   *sql.DB
	rows sqldriver.Rows // of the next query
}

func newReplay() *replay {
	r := &replay{}
	r.db = sql.OpenDB(r)
	return r
}

func (r *replay) close() { r.db.Close() }

// replayed reads the rows of a statement of a pipeline.
func replayed[T any](r *replay, o *driver.Outcome) ([]T, error) {
	rows, err := r.query(o)
	if err != nil {
		return nil, err
	}
	return collect[T](rows, knownOf(r.rows))
}

// knownOf is what rows that come from this driver know of their columns.
func knownOf(rows sqldriver.Rows) *driver.Columns {
	if r, ok := rows.(interface{ KnownColumns() *driver.Columns }); ok {
		return r.KnownColumns()
	}
	return nil
}

func (r *replay) query(o *driver.Outcome) (*sql.Rows, error) {
	r.rows = o.SQLRows()
	return r.db.QueryContext(context.Background(), "")
}

var (
	_ sqldriver.Connector      = (*replay)(nil)
	_ sqldriver.Conn           = (*replay)(nil)
	_ sqldriver.QueryerContext = (*replay)(nil)
)

var errReplay = errors.New("ext: rows in memory run no statements")

// Connect implements [sqldriver.Connector].
func (r *replay) Connect(context.Context) (sqldriver.Conn, error) { return r, nil }

// Driver implements [sqldriver.Connector].
func (r *replay) Driver() sqldriver.Driver { return nil }

// QueryContext implements [sqldriver.QueryerContext].
func (r *replay) QueryContext(context.Context, string, []sqldriver.NamedValue) (sqldriver.Rows, error) {
	return r.rows, nil
}

// Prepare implements [sqldriver.Conn].
func (r *replay) Prepare(string) (sqldriver.Stmt, error) { return nil, errReplay }

// Begin implements [sqldriver.Conn].
func (r *replay) Begin() (sqldriver.Tx, error) { return nil, errReplay }

// Close implements [sqldriver.Conn].
func (r *replay) Close() error { return nil }
