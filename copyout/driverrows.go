package copyout

import (
	sqldriver "database/sql/driver"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// driverRows gives rows the form in which package ext reads them. Its methods run between the calls of driver.Do.
type driverRows struct{ r *rows }

var (
	_ sqldriver.Rows                           = (*driverRows)(nil)
	_ sqldriver.RowsColumnTypeDatabaseTypeName = (*driverRows)(nil)
)

// Columns implements [sqldriver.Rows].
func (d *driverRows) Columns() []string {
	names := make([]string, len(d.r.columns))
	for i, c := range d.r.columns {
		names[i] = c.name
	}
	return names
}

// KnownColumns is what the driver knows of the columns.
func (d *driverRows) KnownColumns() *driver.Columns { return d.r.known() }

// Close implements [sqldriver.Rows]. The COPY is ended by Rows itself.
func (d *driverRows) Close() error { return nil }

// ColumnTypeDatabaseTypeName implements [sqldriver.RowsColumnTypeDatabaseTypeName].
func (d *driverRows) ColumnTypeDatabaseTypeName(i int) string {
	return d.r.columns[i].typ
}

// Next implements [sqldriver.Rows].
func (d *driverRows) Next(dest []sqldriver.Value) error {
	if err := d.r.next(); err != nil {
		return err
	}
	for i, field := range d.r.fields {
		v, err := d.r.value(i, field)
		if err != nil {
			return err
		}
		dest[i] = v
	}
	return nil
}

// value is a field as a query gives it.
func (r *rows) value(i int, field []byte) (v any, err error) {
	c := &r.columns[i]
	switch {
	case field == nil:
		return nil, nil
	case c.text:
		v, err = r.codec.DecodeText(c.oid, field)
	default:
		v, err = r.codec.DecodeBinary(c.oid, field)
	}
	if err != nil {
		return nil, fmt.Errorf("row %d, column %q: %w", r.count, c.name, err)
	}
	return v, nil
}

// known is what the driver knows of the columns.
func (r *rows) known() *driver.Columns {
	types := make([]uint32, len(r.columns))
	for i, c := range r.columns {
		types[i] = c.oid
	}
	return r.codec.Columns(types)
}
