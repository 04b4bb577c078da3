package main

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"io"
)

// boundClient is the floor behind database/sql: a driver that sends recorded bytes, does not look at the answer, and gives a
// row that it has had all along. No driver for database/sql can cost less.
type boundClient struct {
	floor *floorClient
	pools []*sql.DB
}

func openBound(_ context.Context, where place, _ int) (client, error) {
	return &boundClient{floor: &floorClient{place: where}}, nil
}

// hasBound reports whether the bound is known of o.
func hasBound(o op) bool {
	return o.times == 1 && !o.tx && o.prepared == byDriver && (o.dest == nil || o.row != nil)
}

func (c *boundClient) close() {
	for _, db := range c.pools {
		db.Close()
	}
	c.floor.close()
}

func (c *boundClient) bind(o op) (program, error) {
	run, err := c.floor.bind(o)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(boundConnector{&boundConn{run: run, row: o.row}})
	db.SetMaxOpenConns(1)
	c.pools = append(c.pools, db)
	return sqlClient{db}.bind(o)
}

// boundConnector gives out its one connection.
type boundConnector struct{ conn *boundConn }

func (c boundConnector) Connect(context.Context) (sqldriver.Conn, error) { return c.conn, nil }
func (c boundConnector) Driver() sqldriver.Driver                        { return nil }

type boundConn struct {
	run program
	row []any
}

var errNoBound = errors.New("the bound is of single statements")

func (c *boundConn) Prepare(string) (sqldriver.Stmt, error) { return nil, errNoBound }
func (c *boundConn) Begin() (sqldriver.Tx, error)           { return nil, errNoBound }
func (c *boundConn) Close() error                           { return nil }

// CheckNamedValue implements sqldriver.NamedValueChecker.
func (c *boundConn) CheckNamedValue(*sqldriver.NamedValue) error { return nil }

// ExecContext implements sqldriver.ExecerContext.
func (c *boundConn) ExecContext(ctx context.Context, _ string, _ []sqldriver.NamedValue) (sqldriver.Result, error) {
	return sqldriver.ResultNoRows, c.run(ctx)
}

// QueryContext implements sqldriver.QueryerContext.
func (c *boundConn) QueryContext(ctx context.Context, _ string, _ []sqldriver.NamedValue) (sqldriver.Rows, error) {
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return &boundRows{row: c.row}, nil
}

// boundRows are one row.
type boundRows struct{ row []any }

var boundColumns = make([]string, 64)

func (r *boundRows) Columns() []string { return boundColumns[:len(r.row)] }
func (r *boundRows) Close() error      { return nil }

// Next implements sqldriver.Rows.
func (r *boundRows) Next(dest []sqldriver.Value) error {
	if r.row == nil {
		return io.EOF
	}
	for i, v := range r.row {
		dest[i] = v
	}
	r.row = nil
	return nil
}
