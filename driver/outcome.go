package driver

import (
	sqldriver "database/sql/driver"
	"io"
)

// SQLRows returns the rows that the statement returned, as database/sql's drivers give them: a helper reads them as
// *sql.Rows after [Do]. They are read once.
func (o *Outcome) SQLRows() sqldriver.Rows {
	return &keptRows{columns: o.columns, values: o.values, codecs: o.codecs}
}

// keptRows are rows in memory.
type keptRows struct {
	columns []column
	values  [][]sqldriver.Value
	codecs  *codecs // of the connection, which others may use by now
}

var (
	_ sqldriver.Rows                           = (*keptRows)(nil)
	_ sqldriver.RowsColumnTypeDatabaseTypeName = (*keptRows)(nil)
)

// Columns implements [sqldriver.Rows].
func (r *keptRows) Columns() []string { return columnNames(r.columns) }

// KnownColumns is what the driver knows of the columns: package ext asks for it.
func (r *keptRows) KnownColumns() *Columns {
	k := new(Columns)
	if r.codecs != nil {
		own := *r.codecs
		own.box = boxer{}
		k.set(&own, r.columns)
	}
	return k
}

// Close implements [sqldriver.Rows].
func (r *keptRows) Close() error { return nil }

// Next implements [sqldriver.Rows].
func (r *keptRows) Next(dest []sqldriver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}

// ColumnTypeDatabaseTypeName implements [sqldriver.RowsColumnTypeDatabaseTypeName].
func (r *keptRows) ColumnTypeDatabaseTypeName(index int) string {
	return typeName(r.columns[index].oid)
}
